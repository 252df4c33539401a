"""Where a command works: in the folders that were named, or in a copy of a project on shared storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from facelib.archive.cluster.shared import WorkingCopy
    from facelib.project import Project


@dataclass(frozen=True, slots=True)
class Workplace:
    """A project to work on, and how its results are sent to its storage.

    Attributes:
        project: The project itself, or the copy on this machine.
        copy: The copy, where the project lies on shared storage.
    """

    project: Project
    copy: WorkingCopy | None = None

    @classmethod
    def of(cls, name: str, data_dir: str, output_dir: str) -> Workplace:
        """Find the project; one on shared storage is fetched, and what an earlier run could not send is sent.

        Raises:
            ValueError: When the name is no name of a folder, or one of the places is shared and the other is not.
            OSError: When the storage does not answer or refuses, or this machine's disk is full.
        """
        from facelib.project import Project
        from facelib.project.store import is_remote

        if not (is_remote(data_dir) or is_remote(output_dir)):
            return cls(Project(name, Path(data_dir), Path(output_dir)))
        from facelib.archive.cluster.shared import WorkingCopy

        copy = WorkingCopy.of(name, data_dir, output_dir)
        typer.echo(f"Fetching {name} into {copy.project.data_dir.parent}")
        copy.fetch()
        copy.send()
        return cls(copy.project, copy)

    def send(self) -> None:
        """Send what was made so far; where that fails the work continues, and it is sent with what comes next."""
        try:
            self._send()
        except OSError as error:
            typer.echo(f"    not sent yet: {error}", err=True)

    def send_all(self) -> None:
        """Send what was made and is not sent yet.

        Raises:
            OSError: When the storage does not answer or refuses; the message says where the results are.
        """
        try:
            self._send()
        except OSError as error:
            raise OSError(
                f"{error}; what was made is in {self.project.data_dir.parent}, and the next run sends it"
            ) from error

    def _send(self) -> None:
        if self.copy is not None:
            self.copy.send()
