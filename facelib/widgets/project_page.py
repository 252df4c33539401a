"""The page of a project in a notebook: the same modules as on the disk, with data from the kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import anywidget
import traitlets

from facelib.page.bundle import bundle, page_style
from facelib.page.links import media_type
from facelib.page.pack import script_value
from facelib.project import Project

_LARGEST = 60e6  # bytes of a film that is sent to the notebook where Jupyter does not serve it


class ProjectPage(anywidget.AnyWidget):
    """The page that `facelib.page.write_page` wrote, shown in a notebook.

    Films below the folder that Jupyter was started in are played from there; of others, small ones are sent to the
    page, and for larger ones the page says where to open it in a browser.

    Args:
        project: Its page must have been written.
        film: The film that is open at first, by its path or file name; None begins with all films and people.

    Raises:
        FileNotFoundError: When the page has not been written.
    """

    _esm = f"{bundle('page_notebook.js')}\nexport default {{ render: renderPage }};\n"
    _css = page_style()
    film = traitlets.Unicode("").tag(sync=True)

    def __init__(self, project: Project, film: str | Path | None = None) -> None:
        if not project.page_data.is_file():
            raise FileNotFoundError(
                f"expected the page of {project.name!r} at {str(project.page)!r}, found none; "
                f"facelib.page.write_page writes it"
            )
        super().__init__(film="" if film is None else project.film(film).folder.name)
        self._project = project
        self._linked: set[str] = set()
        self.on_msg(self._answer)

    def _answer(self, _: Any, question: dict[str, Any], __: Any) -> None:
        number = question.get("number")
        try:
            answer, buffers = self._find(question)
        except (OSError, ValueError, KeyError) as error:
            answer, buffers = {"error": str(error)}, []
        self.send(answer | {"number": number}, buffers=buffers)

    def _find(self, question: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        project = script_value(self._project.page_data)
        if question["ask"] == "project":
            return {"value": project}, []
        if question["ask"] == "film":
            entries = {entry["id"]: entry["data"] for entry in project["films"]}
            film = script_value(self._project.output / unquote(entries[question["id"]]))
            self._linked |= {link["href"] for link in [*film["sources"], *film["exports"]]}
            return {"value": film}, []
        return self._serve(question["path"])

    def _serve(self, link: str) -> tuple[dict[str, Any], list[bytes]]:
        """Return where Jupyter serves a file, or its bytes; only what the page links to is given away."""
        path = (self._project.output / unquote(link)).resolve()
        if link not in self._linked and not path.is_relative_to(self._project.output.resolve()):
            raise ValueError(f"expected a file of project {self._project.name!r}, got {str(path)!r}")
        return serve_file(path, instead=f"Open {self._project.page.resolve()} in a browser instead.")


def serve_file(path: Path, *, instead: str) -> tuple[dict[str, Any], list[bytes]]:
    """Return where Jupyter serves a file, or what it is and its bytes.

    Args:
        path: The file, with links resolved.
        instead: What to do when it can be neither served nor sent; ends the message.

    Raises:
        ValueError: When it lies outside the folder that Jupyter was started in, and is too large to be sent.
        OSError: When it cannot be read.
    """
    root = jupyter_root()
    if root is not None and path.is_relative_to(root):
        return {"below": quote(path.relative_to(root).as_posix(), errors="surrogateescape")}, []
    if path.stat().st_size > _LARGEST:
        raise ValueError(
            f"This film cannot be played here: it lies outside the folder that Jupyter was started in. {instead}"
        )
    return {"kind": media_type(path)}, [path.read_bytes()]


def jupyter_root() -> Path | None:
    """Return the folder that the Jupyter server of this kernel serves; None without a server."""
    parent = os.environ.get("JPY_PARENT_PID", "")
    if not parent.isdecimal():
        return None
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if server.get("pid") == int(parent):
            return Path(server["root_dir"]).resolve()
    return None
