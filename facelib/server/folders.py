"""The project folders that a server works on."""

from __future__ import annotations

from contextlib import AbstractContextManager

from facelib.project import Project, file_lock, path_of, text_of
from facelib.server.settings import ServerSettings


def project_names(settings: ServerSettings) -> list[str]:
    """Return the names of the projects, sorted: the folders in the data folder, hidden ones left out."""
    if not settings.data_dir.is_dir():
        return []
    folders = (path for path in settings.data_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(text_of(path.name) for path in folders)


def project_of(settings: ServerSettings, name: str) -> Project:
    """Return the project of a name, whether there is one or not."""
    return Project(path_of(name), settings.data_dir, settings.output_dir)


def while_nobody_is_forgotten(project: Project) -> AbstractContextManager[None]:
    """Hold what keeps jobs of a project from beginning while a person is forgotten in it.

    Raises:
        BlockingIOError: When somebody is being forgotten.
    """
    return file_lock(project.output / ".locks" / "forgetting", what=f"person being forgotten in {project.name!r}")
