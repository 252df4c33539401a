"""Notebooks run with papermill alone, as their users may, and what they show."""

from __future__ import annotations

import papermill

from facelib.pipeline import notebooks_folder
from facelib.project import Project
from tests.conftest import eyesores


def run(name: str, project: Project, **parameters: object) -> dict:
    """Run a notebook on a project and return it as executed."""
    given = {"project": project.name, "data_dir": str(project.data_dir), "output_dir": str(project.output_dir)}
    source = notebooks_folder() / f"{name}.ipynb"
    # As in facelib's own runs.
    patience = {"start_timeout": 600, "iopub_timeout": 600}
    # Without a file, which papermill would write anew twice a cell.
    notebook = papermill.execute_notebook(source, None, parameters=given | parameters, progress_bar=False, **patience)
    assert eyesores(notebook) == []
    return notebook


def texts(notebook: dict) -> list[str]:
    """Return what each output holds, its page and other forms included, as text."""
    found = (output for cell in notebook["cells"] for output in cell.get("outputs", []))
    return [str(output.get("data", output.get("text"))) for output in found]
