"""A saved recognizer in words: its threshold, where that comes from, and its error rates."""

from __future__ import annotations

import math

from facelib.project.wording import counted
from facelib.recognize.info import RecognizerInfo

MANY_MISSED = 0.5
"""From this fraction of the cast's faces missed on there is a warning."""

MANY_NAMED = 0.1
"""From this fraction of strangers given a name on there is a warning."""

_FROM = {
    "trials": "fitted on the cast",
    "embedder": "the embedder's own",
    "parameter": "given",
    "hand": "set by hand",
    "": "saved before",
}


def describe_recognizer(info: RecognizerInfo) -> str:
    """Return the threshold, where it is from, and the error rates with their 95 % intervals, as one line."""
    strangers = _rate(info.fpir, info.fpir_interval, info.impostor_trials)
    cast = _rate(info.fnir, info.fnir_interval, info.genuine_trials)
    return (
        f"threshold {info.threshold:.4f} ({_FROM[info.threshold_from]}): strangers given a name (FPIR) {strangers}, "
        f"cast not given their name (FNIR) {cast}"
    )


def recognizer_warnings(info: RecognizerInfo) -> list[str]:
    """Return warnings before films are named, one sentence each; empty when all is well."""
    aliases = [
        f"{one} and {other} look like one person: merge, or keep apart? Answer in notebook 02 or 04, or by "
        f"'facelib merge' or 'facelib keep-apart' with --project and the two names."
        for one, other in info.aliases
    ]
    return [*aliases, *rate_warnings(info.fpir, info.fnir, info.unnamed)]


def rate_warnings(fpir: float, fnir: float, unnamed: float) -> list[str]:
    """Return those of the warnings that are about error rates; the arguments are as in `RecognizerInfo`."""
    texts = []
    if fpir >= MANY_NAMED:
        texts.append(
            f"{fpir:.0%} of strangers would be given a name of the cast: look for pictures in the wrong folder, "
            f"which notebook 02 proposes to leave out, and at the false matches of 04, before you run a film."
        )
    if fnir >= MANY_MISSED:
        missed = f"{fnir:.0%} of the cast's faces would not be given their name"
        without = "" if math.isnan(unnamed) else f" ({unnamed:.0%} would be given none)"
        texts.append(f"{missed}{without}: look at the pictures in notebooks 02 and 04 before you run a film.")
    return texts


def _rate(rate: float, interval: tuple[float, float], trials: int) -> str:
    if math.isnan(rate):
        return "not measured"
    low, high = interval
    between = "" if math.isnan(low) else f" ({low:.2%} to {high:.2%})"
    return f"{rate:.2%}{between} in {counted(trials, 'trial')}"
