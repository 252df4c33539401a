"""Pictures: read from files of any kind, cut, measured and made small."""

from facelib.images.editing import crop, data_uri, encode_jpeg, sharpness, thumbnail
from facelib.images.reading import (
    PICTURE_SUFFIXES,
    UnreadablePicture,
    is_picture,
    open_picture,
    read_image,
)

__all__ = [
    "PICTURE_SUFFIXES",
    "UnreadablePicture",
    "crop",
    "data_uri",
    "encode_jpeg",
    "is_picture",
    "open_picture",
    "read_image",
    "sharpness",
    "thumbnail",
]
