"""Pictures: read from files of any kind, cut, measured and made small."""

from facelib.images.editing import crop, data_uri, encode_jpeg, sharpness, thumbnail
from facelib.images.finding import FoundPictures, find_pictures_below, is_ignored
from facelib.images.reading import (
    PICTURE_SUFFIXES,
    UnreadablePicture,
    check_picture,
    is_picture,
    open_picture,
    read_image,
)

__all__ = [
    "PICTURE_SUFFIXES",
    "FoundPictures",
    "UnreadablePicture",
    "check_picture",
    "crop",
    "data_uri",
    "encode_jpeg",
    "find_pictures_below",
    "is_ignored",
    "is_picture",
    "open_picture",
    "read_image",
    "sharpness",
    "thumbnail",
]
