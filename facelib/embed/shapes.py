"""How much the distance of a face says about whose it is, for each embedding network."""

from __future__ import annotations

from facelib.nets.figures import EvidenceShape, read_figures

# Of 600 labelled frontal large faces in films (`benchmarks/shapes.py`) the even point lies at 1.11 thresholds
# with dlib's embedding and at 1.06 with its mirrored mean; of faces of 20 to 28 pixels at 1.37 and 1.32.
# The evidence falls by 7 from the threshold to the strangers' distance: were these nearer than 1.2 thresholds, as in a
# family, it would fall more steeply than the 10 to 35 a threshold that were measured, and reach its limit for two
# brothers alike, so that their clothes would decide.
_STRANGERS = (1.2, 1.4)
# The labelled films show which of dlib's turned faces their clothes may name: all that are not certain strangers'.
_ANY = -2.0
DLIB_SHAPE = EvidenceShape(even=(0.3, 0.8), slope=(7.0, 2.0), few=0.1, strangers=_STRANGERS, context_from=_ANY)
"""Measured on the labelled films and on film clips made smaller, see `facelib.films.naming.evidence.face_evidence`."""

CAUTIOUS = EvidenceShape(even=(0.0, 0.5), slope=(5.0, 1.5))
"""Of a network that nobody measured: its faces must lie within the threshold to speak for a name.

Clothes and place name none of its turned faces that do not: a stranger in profile, dressed like one of the cast, would
get the name, and nobody knows how far from the cast's pictures such a face lies with this network.
"""

_MEASURED = {
    "dlib": DLIB_SHAPE,
    "dlib-mirrored": EvidenceShape(
        even=(0.2, 0.9), slope=(7.0, 2.0), few=0.05, strangers=_STRANGERS, context_from=_ANY
    ),
    "mobilefacenet": CAUTIOUS,  # on the labelled films; with dlib's shape it names twice as many strangers
}


def evidence_shape(embedder: str, weights_sha256: str) -> tuple[EvidenceShape, bool]:
    """Return how much the distances of a network say, and whether that was measured.

    Args:
        embedder: Its name; networks of the catalogue are known by it.
        weights_sha256: Of its file, by which `facelib models calibrate` keeps what it measured.
    """
    if embedder in _MEASURED:
        return _MEASURED[embedder], True
    figures = read_figures(weights_sha256)
    if figures is not None and figures.shape is not None:
        return figures.shape, True
    return CAUTIOUS, False
