from .alias_board import AliasBoard
from .archive_search import ArchiveSearch, hits_page
from .drawn_films import DrawnFilms
from .embedding_map import EmbeddingMap
from .live_view import LiveCamera
from .live_view_report import listed_changes, live_appearances, read_changes
from .project_page import ProjectPage
from .proposals import GalleryProposals, proposals_page
from .review import TrackReview, review_page
from .threshold import ThresholdTuner
from .threshold_mistakes import mistakes_page

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
    "listed_changes",
    "live_appearances",
    "mistakes_page",
    "proposals_page",
    "read_changes",
    "review_page",
]
