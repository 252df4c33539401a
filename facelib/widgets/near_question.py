"""The question about a name similar to a known one, the same in every widget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from facelib.project.names import near_names


def near_question(request: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return the question to ask before a name is accepted; empty when the name is clear.

    Args:
        request: What the page asked for; `person` is the name, and `new` says that the question was answered: it is
            somebody new.
        known: The known names.

    Returns:
        The request with `near`, the known names that may be meant, and `same`, whether one of them differs by case,
        accents or spaces alone, so that it cannot be somebody else.
    """
    person = str(request.get("person", "")).strip()
    near = near_names(person, known) if person and not request.get("new") else []
    if not near:
        return {}
    return dict(request) | {"near": [found.name for found in near], "same": any(n.likeness == "same" for n in near)}
