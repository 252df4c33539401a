"""Which notebooks a run takes, with which parameters, in which project: checked before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from facelib.pipeline.parameters import NOTEBOOKS, NotebookParameters
from facelib.pipeline.parameters.base import near, unknown_name
from facelib.pipeline.parameters.reading import model_of, read_parameters

if TYPE_CHECKING:
    from facelib.project import Project

MAIN_STEPS = (1, 2, 3, 4, 5, 6, 7)
"""The steps from pictures and films to reviewed and measured results; further notebooks run only when asked for."""
PLACES = ("project", "data_dir", "output_dir")
_MAKE_A_PROJECT = ("people_from", "videos_from", "names", "dataset_from", "addresses_from")


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that takes part in a run.

    Attributes:
        number: The number that its file name starts with.
        source: Its file.
        shown: The parameters in its own cell, in order; the others go into its `options`.
        model: The class of its parameters.
    """

    number: int
    source: Path
    shown: tuple[str, ...]
    model: type[NotebookParameters]

    def check(self, parameters: Mapping[str, object]) -> NotebookParameters:
        """Return its parameters, checked; values by names that it does not take are left out.

        Raises:
            ValueError: When a value is of another type or out of range.
        """
        return self.model.check({name: value for name, value in parameters.items() if name in self.model.model_fields})


def notebooks_folder() -> Path:
    """Return the folder of facelib's notebooks: in the installed package, else in the checkout.

    Raises:
        FileNotFoundError: When neither is there.
    """
    package = Path(str(resources.files("facelib")))
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"expected facelib's notebooks in {str(package / 'notebooks')!r}; install facelib again")


def all_steps(folder: Path | None = None) -> list[int]:
    """Return the numbers of the notebooks in a folder, in order; None: of facelib's own.

    Raises:
        FileNotFoundError: When there is none.
    """
    return sorted(_numbered(folder or notebooks_folder()))


def _numbered(folder: Path) -> dict[int, Path]:
    found = {int(path.name[:2]): path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    if not found:
        raise FileNotFoundError(f"expected notebooks such as '05_annotate_video.ipynb' in {str(folder)!r}, found none")
    return found


def find_notebooks(folder: Path | None = None, steps: Sequence[int] | None = None) -> list[Notebook]:
    """Return the notebooks that a run takes, in order; by default the main steps of facelib's own.

    Raises:
        ValueError: When there is no notebook of a number.
        FileNotFoundError: When there is none at all.
    """
    folder = folder or notebooks_folder()
    found = _numbered(folder)
    wanted = sorted(set(MAIN_STEPS if steps is None else steps))
    missing = [number for number in wanted if number not in found]
    if missing or not wanted:
        raise ValueError(f"expected steps among {sorted(found)!r}, the notebooks in {str(folder)!r}, got {wanted!r}")
    cells = {number: read_parameters(found[number]) for number in wanted}
    return [
        Notebook(number, found[number], tuple(cell), NOTEBOOKS.get(found[number].stem) or model_of(cell))
        for number, cell in cells.items()
    ]


def check_parameters(notebooks: Sequence[Notebook], parameters: Mapping[str, object]) -> None:
    """Raise a ValueError when a value is wrong, or when no notebook takes a parameter (the near names are offered)."""
    reserved = sorted(set(parameters) & set(PLACES))
    if reserved:
        raise ValueError(f"expected {reserved[0]!r} to be given by --project, --data-dir and --output-dir")
    known = {name for notebook in notebooks for name in notebook.model.model_fields}
    for name in parameters:
        if name not in known:
            raise ValueError(unknown_name(name, known - set(PLACES)))
    for notebook in notebooks:
        notebook.check(parameters)


def check_project(
    project: Project, *, steps: Sequence[int] = (), parameters: Mapping[str, object] | None = None
) -> None:
    """Raise a FileNotFoundError when there is no such project, and offer the ones with names like it.

    Step 1 may make a project: when it is given where to take people or films from. One whose pictures and films have
    been taken away still has its table of faces.
    """
    given = parameters or {}
    makes_one = 1 in steps and any(given.get(name) for name in _MAKE_A_PROJECT)
    if makes_one or project.data.is_dir() or project.faces.is_file():
        return
    folder = project.data_dir
    there = sorted(path.name for path in folder.glob("*/") if not path.name.startswith(".")) if folder.is_dir() else []
    offered = near(project.name, there)
    if there and not offered:
        offered = f" Projects there: {', '.join(map(repr, there[:10]))}{', ...' if len(there) > 10 else ''}."
    raise FileNotFoundError(
        f"expected a project in {str(folder)!r}, got {project.name!r}.{offered} "
        f"A new one begins with the folders {str(project.people)!r} and {str(project.videos)!r}, or with "
        f"{', '.join(_MAKE_A_PROJECT[:-2])} or {_MAKE_A_PROJECT[-2]} in step 1; 'facelib demo' makes one to try."
    )
