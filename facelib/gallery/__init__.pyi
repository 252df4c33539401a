from .aliases import find_aliases
from .build import build_gallery
from .curation import REASONS, Reason, curate
from .decisions import accept, accepted, merge_people, move, separate_people, undo
from .doctor import Examination, examine
from .files import Gallery, check_same_network, check_same_weights, read_gallery, write_gallery
from .names import how_alike, name_questions
from .proposals import PROPOSAL_COLUMNS, PROPOSAL_KINDS, ProposalKind
from .questions import alias_questions, question_lines
from .records import describe_search
from .report import ENOUGH_PICTURES, LARGEST_IMBALANCE, summary, warnings_for

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
    "how_alike",
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
