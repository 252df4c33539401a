"""Figures measured for embedding networks by their users, kept beside the weights by the file's SHA-256."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facelib.nets.cache import folders, keep

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceShape:
    """How much the distance of a face says about whose it is, by how clearly it is seen.

    Both numbers of a pair are of large frontal faces, and of faces of 19 pixels or in profile, which say least; what
    lies between is interpolated. The unit is the way from the threshold within which faces are named to the distance at
    which strangers usually lie.

    Attributes:
        even: Where a face is as likely a person's as a stranger's: 0 at the threshold, 1 at the strangers' distance.
        slope: How much the logarithm of the odds falls within that way.
        few: By how much of the threshold the even point lies farther for a person with one picture than for one with
            ten and more: among few pictures none may be like the face.
        strangers: Between how many thresholds strangers may lie; a gallery of a family, or of very unlike people, does
            not show it.
        context_from: Least evidence of a turned face, as a logarithm of odds, with which its clothes, hair and place
            may give it a name. At 0 they only name one that rather is that person's by itself.
    """

    even: tuple[float, float]
    slope: tuple[float, float]
    few: float = 0.0
    strangers: tuple[float, float] = (1.1, 1.4)
    context_from: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFigures:
    """What `facelib models calibrate` measured of a network.

    Attributes:
        sha256: Of the network's file.
        threshold: The Euclidean distance within which 1 % of strangers lie of the nearest of ten people's faces.
        deviation: Its standard deviation over the draws.
        missed: The fraction of the ten people's faces, each left out in turn, that lie farther from their own.
        people: How many people had several pictures.
        pictures: How many pictures a face was found in.
        shape: How much a distance says; None where it was not measured, as in files of former versions.
    """

    sha256: str
    threshold: float
    deviation: float
    missed: float
    people: int
    pictures: int
    shape: EvidenceShape | None = None


def read_figures(sha256: str) -> NetworkFigures | None:
    """Return what was measured of a network, None where nothing was or its file is damaged."""
    for folder in folders():
        path = folder / _name(sha256)
        if not path.is_file():
            continue
        try:
            found = _parsed(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.warning("%s is damaged, run 'facelib models calibrate' again: %s", path, error)
            continue
        if found.sha256 == sha256 and math.isfinite(found.threshold):
            return found
    return None


def _parsed(fields: dict[str, Any]) -> NetworkFigures:
    shape = fields.pop("shape", None)
    if shape is not None:
        pairs = (shape[name] for name in ("even", "slope", "strangers"))
        even, slope, strangers = ((float(first), float(second)) for first, second in pairs)
        few, least = float(shape["few"]), float(shape.get("context_from", 0.0))  # not in files of former versions
        shape = EvidenceShape(even=even, slope=slope, few=few, strangers=strangers, context_from=least)
    return NetworkFigures(**fields, shape=shape)


def write_figures(figures: NetworkFigures) -> Path:
    """Write what was measured of a network into the first folder for weights that can be written.

    Raises:
        OSError: When none can be.
    """
    text = json.dumps(asdict(figures), indent=2) + "\n"
    return keep(text.encode(), _name(figures.sha256), "what was measured,")


def _name(sha256: str) -> str:
    return f"measured-{sha256[:16]}.json"
