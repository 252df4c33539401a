"""The notebooks are programs to read: their cells call the library and hold nothing that belongs there."""

from __future__ import annotations

import ast
import json
import re
import tokenize
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest

from facelib.pipeline.parameters import NOTEBOOKS

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
PLACES = {"project": "", "data_dir": "data", "output_dir": "output"}
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def parameters(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in cells(path, "code") if "parameters" in cell["metadata"].get("tags", [])]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def problems_of(code: str) -> list[str]:
    """Return what a cell holds that belongs into the library, a line each."""
    if re.search(r"^\s*[!%]", code, re.MULTILINE) or re.search(r"\bpip\b", code):
        return ["a shell command, magic or pip"]
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(f"defines {node.name}")
        elif isinstance(node, BLOCKS) and any(
            isinstance(inner, ast.If | ast.While) for child in node.body for inner in ast.walk(child)
        ):
            found.append(f"nested blocks at line {node.lineno}")
    return found


@pytest.mark.parametrize(
    ("code", "problems"),
    [
        ("", 0),
        ("for x in y:\n    show(x)", 0),
        ("if x:\n    show(x)", 0),
        ("show(key=lambda x: x)", 0),
        ("if x:\n    if y:\n        show(x)", 1),
        ("for x in y:\n    if x:\n        show(x)", 1),
        ("with a:\n    for x in y:\n        while x:\n            show(x)", 2),  # both the with and the for hold it
        ("def f():\n    pass", 1),
        ("class A:\n    pass", 1),
        ("async def f():\n    pass", 1),
        ("!ls", 1),
        ("%matplotlib inline", 1),
        ("import pip", 1),
    ],
)
def test_the_check_itself_finds_what_it_should(code, problems):
    assert len(problems_of(code)) == problems


def test_the_notebooks_are_there():
    assert {path.stem[:2] for path in PATHS} >= {"02", "03", "04"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestNotebook:
    def test_it_is_valid_with_stable_ids_and_a_python_kernel(self, path):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)

    def test_outputs_are_stripped(self, path):
        for cell in cells(path, "code"):
            assert cell["outputs"] == [] and cell["execution_count"] is None
        assert "widgets" not in json.loads(path.read_text(encoding="utf-8"))["metadata"]

    def test_it_begins_with_a_title_its_purpose_and_numbered_steps(self, path):
        title, purpose, steps, *_ = source(cells(path, "markdown")[0]).split("\n\n")
        assert title.startswith("# ") and "\n" not in title
        assert re.fullmatch(r"[^.#\n]+\.", purpose), f"expected one sentence of purpose, got {purpose!r}"
        lines = steps.splitlines()
        assert len(lines) > 1 and all(line.startswith(f"{n}. ") for n, line in enumerate(lines, 1))

    def test_its_links_lead_to_pages_and_pictures(self, path):
        texts = [source(cell) for cell in cells(path, "markdown")]
        links = [link for text in texts for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        assert [link for link in links if not (path.parent / link).is_file()] == []

    def test_one_cell_of_parameters_comes_before_all_other_code(self, path):
        assert parameters(path) == cells(path, "code")[:1]

    def test_each_parameter_is_annotated_explained_and_has_one_equals_sign(self, path):
        for line in source(parameters(path)[0]).splitlines():
            assert re.fullmatch(r"\w+: [^=#]+ = [^=#]+  # [^=]+", line), line
            statement = ast.parse(line).body[0]
            assert isinstance(statement, ast.AnnAssign)
            ast.literal_eval(statement.value)

    def test_it_takes_the_places_of_the_project(self, path):
        found = {
            statement.target.id: ast.literal_eval(statement.value)
            for statement in ast.parse(source(parameters(path)[0])).body
        }
        assert {name: found.get(name) for name in PLACES} == PLACES
        assert list(found)[:3] == list(PLACES)

    def test_nothing_sets_a_parameter_again(self, path):
        first, *rest = cells(path, "code")
        names = {statement.target.id for statement in ast.parse(source(first)).body}
        if "options" in names:
            names |= set(NOTEBOOKS[path.stem].model_fields)
        stored = {
            node.id
            for cell in rest
            for node in ast.walk(ast.parse(source(cell)))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        imported = {
            (alias.asname or alias.name).split(".")[0]
            for cell in rest
            for node in ast.walk(ast.parse(source(cell)))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert names.isdisjoint(stored | imported)

    def test_every_parameter_is_used(self, path):
        first, *rest = cells(path, "code")
        shown = {statement.target.id for statement in ast.parse(source(first)).body}
        code = "\n".join(source(cell) for cell in rest)
        if "options" in shown:
            used = set(re.findall(r"\bparameters\.(\w+)", code))
            assert used == set(NOTEBOOKS[path.stem].model_fields)
        else:
            assert shown <= {token.string for token in tokenize.generate_tokens(StringIO(code).readline)}

    def test_code_is_folded_but_for_the_parameters(self, path):
        folded = [cell["metadata"].get("jupyter", {}).get("source_hidden", False) for cell in cells(path, "code")]
        assert folded == [False, *[True] * (len(folded) - 1)]

    def test_what_is_shown_of_code_fits_into_a_window_of_1280_pixels(self, path):
        """That is the line which stands for folded code, and each parameter with its meaning."""
        first, *folded = cells(path, "code")
        lines = [source(cell).partition("\n")[0] for cell in folded]
        assert [line for line in lines if len(line) > 101] == []
        assert [line for line in source(first).splitlines() if len(line) > 106 and "# formats" not in line] == []

    def test_text_of_what_may_not_apply_stands_in_a_folded_section(self, path):
        folded = False
        for cell in cells(path, "markdown"):
            if source(cell).startswith("#"):
                folded = cell["metadata"].get("jp-MarkdownHeadingCollapsed", False)
            elif "optional" in cell["metadata"].get("tags", []):
                assert folded, source(cell)

    def test_no_cell_holds_what_belongs_into_the_library(self, path):
        found = {cell["id"]: problems_of(source(cell)) for cell in cells(path, "code")}
        assert not any(found.values()), found

    def test_sections_are_short_and_the_last_cell_names_the_files(self, path):
        for cell in cells(path, "code")[2:]:
            assert len(source(cell).splitlines()) <= 14, source(cell)
        last = source(cells(path, "code")[-1])
        assert "files" in last and len(last.splitlines()) <= 3


@pytest.mark.parametrize(
    ("term", "meaning", "page"),
    [
        ("FPIR", "the share of strangers given a name", "error-rates"),
        ("FNIR", "the share of the cast's faces not given their own name", "error-rates"),
        ("DET curve", "FNIR against FPIR at every threshold", "error-rates"),
        ("impostor trial", "tested as a stranger, against the cast without its own person", "error-rates"),
        ("open-set recognition", "a face may belong to nobody in the cast", "open-set"),
        ("HOTA", "combines how many faces were found with how well each was followed", "tracks"),
        ("[track](", "one face followed through one shot", "tracks"),
    ],
)
def test_a_term_is_explained_where_it_first_appears_and_leads_to_a_page(term, meaning, page):
    texts = {path.name: "\n\n".join(source(cell) for cell in cells(path, "markdown")) for path in PATHS}
    name = next(name for name, text in texts.items() if term in text)
    paragraph = next(part for part in texts[name].split("\n\n") if term in part)
    assert meaning in paragraph, name
    assert f"(../docs/concepts/{page}.md)" in texts[name], name
