"""What several widgets share: scripts and styles, a line for errors, and the question about a name like a known one."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets

from facelib.page.bundle import bundle
from facelib.project.names import near_names
from facelib.project.wording import isolated

_RED = "#d0103a"
_BAD = f"color-mix(in srgb, {_RED} 65%, var(--jp-ui-font-color1, #222))"  # read on a light and on a dark ground


def read_assets(*names: str) -> str:
    """Return files of this folder, one after the other, as one text."""
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


def widget_style(*names: str) -> str:
    """Return styles of this folder as one, behind the colours of what went wrong."""
    return f".facelib-panel, .facelib-mistakes {{ --red: {_RED}; --bad: {_BAD}; }}\n{read_assets(*names)}"


def widget_script(*names: str) -> str:
    """Return scripts of this folder as one module, behind what the pages of all widgets are made with."""
    return f"{bundle('elements.js')}\n{read_assets(*names)}"


@contextmanager
def guarding(show: Callable[[str], object], *, clear: bool = True) -> Iterator[None]:
    """Let any exception of the block be shown instead of raising it: Jupyter would write it to a hidden log.

    Args:
        show: Takes what went wrong.
        clear: Whether it first takes an empty text, in place of an earlier error.
    """
    if clear:
        show("")
    try:
        yield
    except ValueError as error:
        show(str(error))  # a sentence for the user
    except Exception as error:
        show(f"{type(error).__name__}: {error}")


class ErrorArea(ipywidgets.HTML):  # type: ignore[misc]
    """A line that is empty until something goes wrong, and then says what."""

    def show(self, text: str) -> None:
        """Say what went wrong; an empty text clears the line."""
        said = f'<p role="alert" style="color:{_BAD};white-space:pre-wrap">{isolated(html.escape(text))}</p>'
        self.value = said if text else ""


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
