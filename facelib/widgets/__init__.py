"""Widgets for JupyterLab: they show and propose, and the saved file decides."""

from facelib.widgets.embedding_map import EmbeddingMap
from facelib.widgets.film_timeline import FilmTimeline
from facelib.widgets.player import film_player
from facelib.widgets.review import TrackReview
from facelib.widgets.review_page import review_page
from facelib.widgets.threshold import ThresholdTuner

__all__ = ["EmbeddingMap", "FilmTimeline", "ThresholdTuner", "TrackReview", "film_player", "review_page"]
