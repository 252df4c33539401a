"""The tracks of a project's films under review."""

from facelib.review.session import Filter, Review

__all__ = ["Filter", "Review"]
