"""The tracks of a project's films under review."""

from facelib.review.session import Decision, Filter, Review

__all__ = ["Decision", "Filter", "Review"]
