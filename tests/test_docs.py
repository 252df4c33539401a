"""The site's pages: each is reached, what they show in Python holds, and nothing in them is fetched from elsewhere."""

import doctest
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbconvert
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return load("build")


def test_the_search_leaves_code_out_and_finds_the_text_between() -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_markdown_cell("# About thresholds"), nbformat.v4.new_code_cell("threshold = 0.5")]
    page = load("hooks").on_page_content(nbconvert.HTMLExporter().from_notebook_node(notebook)[0], page=None)
    (excluded,) = re.findall(r"<section data-search-exclude.*?</section>", page, re.DOTALL)
    assert "0.5" in excluded and excluded.count("<div") == excluded.count("</div>") > 0
    assert "About thresholds" not in excluded and "About thresholds" in page
    assert re.findall(r"<a [^>]*>¶</a>", page) == re.findall(r"<a [^>]* data-search-exclude[^>]*>¶</a>", page) != []
    assert load("hooks").on_page_content("") == ""


def test_code_is_folded_but_for_the_parameters() -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(f"threshold = {number}") for number in (1, 2, 3)]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    exporter = nbconvert.HTMLExporter(exclude_input_prompt=True)
    page = load("hooks").on_page_content(exporter.from_notebook_node(notebook)[0])
    folded = re.findall(r"<details.*?</details>", page, re.DOTALL)
    assert [re.sub("<[^>]*>", "", part).split() for part in folded] == [
        ["Code", "threshold", "=", "2"], ["Code", "threshold", "=", "3"],
    ]  # fmt: skip
    assert all(part.count("<div") == part.count("</div>") > 0 for part in folded)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples_in_a_page_hold(page: Path) -> None:
    assert doctest.testfile(str(page), module_relative=False).failed == 0


def test_every_page_and_notebook_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    notebooks = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    assert len(notebooks) >= 9
    for page in [path.relative_to(ROOT / "docs").as_posix() for path in PAGES] + notebooks:
        assert page in navigation


def test_code_fits_a_page_in_a_window_of_1280_pixels() -> None:
    readmes = [ROOT / "README.md", ROOT / "data" / "README.md", ROOT / "CONTRIBUTING.md"]
    blocks = 0
    for page in [*PAGES, *readmes]:
        for block in re.findall(r"^ *```\w*\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            blocks += 1
            assert max(map(len, block.splitlines())) <= 92, (page.name, block)
    assert blocks > 30


def test_every_picture_is_shown_and_on_a_page_has_a_caption() -> None:
    pages = [*PAGES, ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.ipynb"))]
    shown = "".join(page.read_text(encoding="utf-8") for page in pages)
    pictures = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs" / "pictures").rglob("*.*")]
    assert len(pictures) > 20
    assert [name for name in pictures if f"{name})" not in shown] == []
    for page in PAGES:
        blocks = [block for block in page.read_text(encoding="utf-8").split("\n\n") if block.strip()]
        for block, below in zip(blocks, [*blocks[1:], ""], strict=True):
            assert not block.startswith("![") or re.fullmatch(r"\*[^*]+\*", below.strip()), block


@pytest.mark.parametrize(
    ("page", "fetches"),
    [
        ("", False),
        ('<a href="https://example.org/">a link</a>', False),
        ('<script src="../assets/plotly.min.js"></script>', False),
        ('<link rel="canonical" href="https://example.org/">', False),
        ('<script src="https://example.org/a.js"></script>', True),
        ("<script defer src=//example.org/a.js></script>", True),
        ('<img alt="" src="http://example.org/a.png">', True),
        ('<link href="https://fonts.example.org/a.css" rel="stylesheet">', True),
        ("<style>@import 'https://example.org/a.css';</style>", True),
        ("<style>a { background: url(https://example.org/a.png) }</style>", True),
    ],
)
def test_what_a_page_would_fetch_is_found(page: str, fetches: bool, build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    assert bool(build.fetched(tmp_path)) is fetches
