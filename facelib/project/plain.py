"""Values as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return dicts, lists, texts and numbers: a table as its rows, and None for each number that is not finite.

    Examples:
        >>> plain({"rates": (0.5, float("nan"))})
        {'rates': [0.5, None]}
    """
    if hasattr(value, "columns"):  # a table
        value = value.to_dict("records")
    elif hasattr(value, "tolist"):  # NumPy's arrays and numbers
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
