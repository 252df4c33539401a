from .context import join_by_context, read_join_by_context, read_one_place
from .fitting import Grouping, fit_grouping, grouping_threshold
from .kept import number_groups, people_of
from .sums import add_to_groups, table_of_groups
from .tables import group_unknowns

__all__ = [
    "Grouping",
    "add_to_groups",
    "fit_grouping",
    "group_unknowns",
    "grouping_threshold",
    "join_by_context",
    "number_groups",
    "people_of",
    "read_join_by_context",
    "read_one_place",
    "table_of_groups",
]
