"""Widgets for JupyterLab: they show and propose, and the saved file decides."""

from facelib.widgets.alias_board import AliasBoard
from facelib.widgets.archive_search import ArchiveSearch, hits_page
from facelib.widgets.drawn_films import DrawnFilms
from facelib.widgets.embedding_map import EmbeddingMap
from facelib.widgets.live_view import LiveCamera
from facelib.widgets.live_view_report import live_appearances, read_changes
from facelib.widgets.project_page import ProjectPage
from facelib.widgets.proposals import GalleryProposals, proposals_page
from facelib.widgets.review import TrackReview, review_page
from facelib.widgets.threshold import ThresholdTuner
from facelib.widgets.threshold_mistakes import mistakes_page

__all__ = [
    "AliasBoard",
    "ArchiveSearch",
    "DrawnFilms",
    "EmbeddingMap",
    "GalleryProposals",
    "LiveCamera",
    "ProjectPage",
    "ThresholdTuner",
    "TrackReview",
    "hits_page",
    "live_appearances",
    "mistakes_page",
    "proposals_page",
    "read_changes",
    "review_page",
]
