from .editing import crop, encode_jpeg, jpeg_uri, sharpness, thumbnail
from .finding import PICTURE_SUFFIXES, FoundPictures, find_pictures_below, is_ignored
from .reading import UnreadablePicture, check_picture, is_picture, open_picture, read_image

__all__ = [
    "PICTURE_SUFFIXES",
    "FoundPictures",
    "UnreadablePicture",
    "check_picture",
    "crop",
    "encode_jpeg",
    "find_pictures_below",
    "is_ignored",
    "is_picture",
    "jpeg_uri",
    "open_picture",
    "read_image",
    "sharpness",
    "thumbnail",
]
