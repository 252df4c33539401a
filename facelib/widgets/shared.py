"""What several widgets share: scripts and styles, a line for errors, and the question about a name like a known one."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets

from facelib.project.names import near_names


def read_assets(*names: str) -> str:
    """Return files of this folder, one after the other, as one text.

    Args:
        names: Scripts alone or styles alone; what is shared comes first.
    """
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


class ErrorArea(ipywidgets.HTML):  # type: ignore[misc]
    """A line that is empty until something goes wrong, and then says what."""

    @contextmanager
    def guarding(self, *, clear: bool = True) -> Iterator[None]:
        """Show any exception of the block here instead of raising it, and `clear` the line of an earlier one."""
        if clear:
            self.value = ""
        try:
            yield
        except Exception as error:
            text = html.escape(f"{type(error).__name__}: {error}")
            self.value = f'<p role="alert" style="color:#B00020;white-space:pre-wrap">{text}</p>'


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
