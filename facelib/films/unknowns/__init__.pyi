from .context import join_by_context, read_join_by_context
from .fitting import Grouping, fit_grouping, grouping_threshold
from .matching import add_to_groups, match_unknowns, table_of_groups
from .places import read_one_place
from .tables import UNKNOWN_PEOPLE_COLUMNS, group_unknowns, number_groups, unknown_people

__all__ = [
    "UNKNOWN_PEOPLE_COLUMNS",
    "Grouping",
    "add_to_groups",
    "fit_grouping",
    "group_unknowns",
    "grouping_threshold",
    "join_by_context",
    "match_unknowns",
    "number_groups",
    "read_join_by_context",
    "read_one_place",
    "table_of_groups",
    "unknown_people",
]
