"""The gallery: pictures of the cast, the faces in them, and which of these are used."""

from facelib.detect.portraits import find_portrait
from facelib.gallery.aliases import find_aliases
from facelib.gallery.build import build_gallery
from facelib.gallery.curation import REASONS, Reason, curate
from facelib.gallery.decisions import accept, accepted, merge_people, move, separate_people, undo
from facelib.gallery.doctor import Examination, examine
from facelib.gallery.files import Gallery, check_same_network, check_same_weights, read_gallery, write_gallery
from facelib.gallery.proposals import PROPOSAL_COLUMNS, PROPOSAL_KINDS, ProposalKind
from facelib.gallery.questions import alias_questions, how_alike, name_questions, question_lines
from facelib.gallery.records import describe_search
from facelib.gallery.report import ENOUGH_PICTURES, LARGEST_IMBALANCE, summary, warnings_for
from facelib.project.identities import keep_apart

__all__ = [
    "ENOUGH_PICTURES",
    "LARGEST_IMBALANCE",
    "PROPOSAL_COLUMNS",
    "PROPOSAL_KINDS",
    "REASONS",
    "Examination",
    "Gallery",
    "ProposalKind",
    "Reason",
    "accept",
    "accepted",
    "alias_questions",
    "build_gallery",
    "check_same_network",
    "check_same_weights",
    "curate",
    "describe_search",
    "examine",
    "find_aliases",
    "find_portrait",
    "how_alike",
    "keep_apart",
    "merge_people",
    "move",
    "name_questions",
    "question_lines",
    "read_gallery",
    "separate_people",
    "summary",
    "undo",
    "warnings_for",
    "write_gallery",
]
