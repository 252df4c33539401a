import json
import re
import time

import nbformat
import pytest
from papermill.iorw import write_ipynb

from facelib.pipeline import run_pipeline
from facelib.project import Project

LOOP = """
import time
from tqdm.auto import tqdm
for film in tqdm(["a.mp4", "b.mp4"], desc="films", unit="film"):
    for _ in tqdm(range(4), desc=film, unit=" frames", leave=False, mininterval=0):
        time.sleep(0.15)
"""


@pytest.mark.kernel
def test_the_cells_and_the_bars_of_a_notebook_are_told_while_it_runs(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    make_notebook(tmp_path / "nb" / "09_loop.ipynb", "x: int = 0", LOOP, "x")
    seen = []
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (result,) = run_pipeline(project, steps=[9], notebooks=tmp_path / "nb", watch=seen.append)
    assert result.state == "done"
    assert {progress.cells for progress in seen} == {4}
    assert [progress.cell for progress in seen] == sorted(progress.cell for progress in seen)
    # The bar of the films stands before that of the film, which is gone when the film is done.
    inner = [progress.bars for progress in seen if len(progress.bars) == 2]
    assert all(films.startswith("films: ") for films, _ in inner)
    assert {film.partition(":")[0] for _, film in inner} == {"a.mp4", "b.mp4"}
    # What is done of how much, the time taken, and the time left.
    assert any(re.search(r"2/4 \[\d\d:\d\d<\d\d:\d\d", film) for _, film in inner)
    assert max(len(progress.bars) for progress in seen) == 2
    last = seen[-1]
    assert (last.cell, last.bars) == (4, ())
    assert (last.title, str(last)) == ("A notebook", "cell 4 of 4")


@pytest.mark.kernel
def test_the_section_that_runs_is_told(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    text = "# 9. Look at films\n\nSome words."
    notebook = make_notebook(tmp_path / "nb" / "09_looks.ipynb", "x: int = 0", "x", "x + 1", text=text)
    document = nbformat.read(notebook, 4)
    document.cells.insert(3, nbformat.v4.new_markdown_cell("## The shots\n\n# no heading"))
    nbformat.write(document, notebook)
    seen = []
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    run_pipeline(project, steps=[9], notebooks=tmp_path / "nb", watch=seen.append)
    assert {progress.title for progress in seen} == {"Look at films"}
    assert {str(progress) for progress in seen if progress.cell > 4} == {"The shots"}
    assert not any(progress.section for progress in seen if progress.cell < 4)


@pytest.mark.kernel
def test_what_a_cell_has_shown_is_kept_however_late_it_arrives(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    loop = "from tqdm.auto import tqdm\nfor number in tqdm(range(8), mininterval=0):\n    print('shown', number)"
    make_notebook(tmp_path / "nb" / "09_loop.ipynb", "x: int = 0", loop)
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (result,) = run_pipeline(project, steps=[9], notebooks=tmp_path / "nb", watch=lambda progress: time.sleep(0.25))
    assert "shown 7" in result.notebook.read_text("utf-8")


@pytest.mark.kernel
def test_a_notebook_that_fails_fails_as_ever_when_it_is_watched(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    make_notebook(tmp_path / "nb" / "09_fails.ipynb", "x: int = 0", "raise ValueError('unlucky')")
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (result,) = run_pipeline(project, steps=[9], notebooks=tmp_path / "nb", watch=lambda progress: None)
    assert (result.state, result.message) == ("failed", "ValueError: unlucky")


@pytest.mark.kernel
def test_a_notebook_is_saved_before_and_after_it_runs_and_not_with_every_cell(tmp_path, make_notebook, monkeypatch):
    saved = []

    def save(notebook, path):
        saved.append(path)
        write_ipynb(notebook, path)

    monkeypatch.setattr("papermill.engines.write_ipynb", save)
    (tmp_path / "data" / "demo").mkdir(parents=True)
    make_notebook(tmp_path / "nb" / "09_many.ipynb", "x: int = 0", *["x"] * 40)
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (result,) = run_pipeline(project, steps=[9], notebooks=tmp_path / "nb")
    assert 2 <= len(saved) < 40 and set(saved) == {str(result.notebook)}
    cells = json.loads(result.notebook.read_text(encoding="utf-8"))["cells"]
    assert [cell["metadata"]["papermill"]["status"] for cell in cells] == ["completed"] * len(cells)
    assert [cell["outputs"][0]["data"]["text/plain"] for cell in cells[-40:]] == [["0"]] * 40
