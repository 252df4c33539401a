"""Which threshold counts: the given one, the one saved by hand, or the fitted one; and saving it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facelib.recognize.info import read_recognizer_info
from facelib.recognize.report import rate_warnings
from facelib.recognize.thresholds import Fitted
from facelib.recognize.tuning.tuning import MOST_UNNAMED, Tuning


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdChoice:
    """The threshold that counts, and why.

    Attributes:
        measured: The threshold and its error rates.
        by_hand: Whether it was saved by hand, and stays until that is undone.
        text: The threshold in words, beside the fitted one where that is another.
    """

    measured: Fitted
    by_hand: bool
    text: str


def choose_threshold(tuning: Tuning, path: str | Path, given: float | None = None) -> ThresholdChoice:
    """Choose the threshold to save: the given one, else the one saved by hand before, else the fitted one.

    Args:
        tuning: The gallery tried against itself.
        path: The project's `recognizer`, as it was saved before, if at all.
        given: The notebook's parameter; None for none.

    Raises:
        ValueError: When the given threshold is out of range, such as one that no two faces of the gallery exceed.
    """
    if given is not None:
        _check_given(given, tuning)
    kept = threshold_by_hand(path, tuning) if given is None else None
    measured = tuning.measured(kept if given is None else given)
    fitted = f"{tuning.fitted.threshold:.4f}"
    if kept is not None:
        why = f"saved by hand, and it counts; the fitted one would be {fitted}. 'Take the fitted one' below undoes it."
    elif given is not None:
        why = f"given; the fitted one would be {fitted}."
    else:
        why = tuning.fitted.advice
    return ThresholdChoice(measured, kept is not None, f"threshold {measured.threshold:.4f}. {why[0].upper()}{why[1:]}")


def _check_given(given: float, tuning: Tuning) -> None:
    if tuning.kind == "svm":
        most, what = 1.0, "it is a probability"
    else:
        vectors = tuning.gallery.vectors
        apart = float(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max(initial=0.0))
        most = 2 * max(apart, tuning.fitted.threshold)  # a small cast's own pictures may all lie near each other
        what = "no two faces of the gallery are farther apart, and everybody would be given a name"
    if given > most > 0:
        raise ValueError(f"expected a threshold of at most {most:.2f} ({what}), got {given!r}")


def threshold_by_hand(path: str | Path, tuning: Tuning) -> float | None:
    """Return the threshold that was saved by hand for this kind of recognizer and network; None where none was."""
    try:
        info = read_recognizer_info(path)
    except (FileNotFoundError, ValueError):  # never saved, or damaged: saved again
        return None
    same = info.kind == tuning.kind and info.weights_sha256 == tuning.gallery.weights_sha256
    return info.threshold if same and info.threshold_from == "hand" else None


@dataclass(frozen=True, slots=True)
class Saved:
    """Whether the recognizer was saved, in words when printed.

    Attributes:
        path: The project's `recognizer`.
        refusal: Why it was not saved; empty where it was, or was not to be.
        asked: Whether it was to be saved.
        warnings: What to look at before it names films; see `facelib.recognize.report.rate_warnings`.
    """

    path: Path
    refusal: str = ""
    asked: bool = True
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.refusal:
            return f"Not saved: {self.refusal}."
        return f"Saved: {self.path}" if self.asked else "Not saved: the button below saves."

    def files(self) -> list[str]:
        """Return the files of the recognizer that are there.

        Raises:
            ValueError: When saving was refused.
        """
        if self.refusal:
            raise ValueError(self.refusal)
        return [str(path) for path in (self.path, self.path.with_suffix(".json")) if path.is_file()]


def save_choice(
    tuning: Tuning, choice: ThresholdChoice, path: str | Path, *, save: bool = True, most_unnamed: float = MOST_UNNAMED
) -> Saved:
    """Save the recognizer with the chosen threshold; one that leaves too many without a name is refused, not raised.

    So a notebook still shows the figures and the sliders that help to choose a better threshold; its last cell asks for
    `Saved.files`, which raises the refusal. A refusal leaves what was saved at `path` before.

    Raises:
        ValueError: When the threshold is out of range.
        OSError: When the folder cannot be written.
    """
    threshold = choice.measured.threshold
    if not save:
        return Saved(Path(path), asked=False)
    refusal = tuning.refusal(threshold, most_unnamed=most_unnamed)
    if refusal:
        return Saved(Path(path), refusal)
    tuning.save(path, threshold, most_unnamed=most_unnamed, by_hand=choice.by_hand)
    warnings = rate_warnings(choice.measured.fpir, choice.measured.fnir, tuning.unnamed(threshold))
    return Saved(Path(path), warnings=tuple(warnings))
