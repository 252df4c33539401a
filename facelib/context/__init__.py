"""What surrounds a face: clothes, places and scenes, by which names travel from sure faces to others."""

from facelib.context.clothes import clothes, colour_word, mean_clothes, unlikeness
from facelib.context.joint import Named, Tracks, face_evidence, name_jointly
from facelib.context.scenes import background, find_scenes, find_setups, small_picture

__all__ = [
    "Named",
    "Tracks",
    "background",
    "clothes",
    "colour_word",
    "face_evidence",
    "find_scenes",
    "find_setups",
    "mean_clothes",
    "name_jointly",
    "small_picture",
    "unlikeness",
]
