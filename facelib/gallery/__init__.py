"""The gallery: pictures of the cast, the faces in them, and which of these are used."""

from facelib.gallery.build import build_gallery, describe_search, find_faces
from facelib.gallery.curation import REASONS, Reason, curate
from facelib.gallery.files import Gallery, check_same_network, read_gallery, write_gallery
from facelib.gallery.report import ENOUGH_PICTURES, LARGEST_IMBALANCE, summary, warnings_for

__all__ = [
    "ENOUGH_PICTURES",
    "LARGEST_IMBALANCE",
    "REASONS",
    "Gallery",
    "Reason",
    "build_gallery",
    "check_same_network",
    "curate",
    "describe_search",
    "find_faces",
    "read_gallery",
    "summary",
    "warnings_for",
    "write_gallery",
]
