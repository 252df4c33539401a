"""The house stays in order: few rooms, short modules, imports without circles, and tests where one looks for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "facelib"
LATER = {"archive", "page", "server"}  # may stand beside the twenty
NOT_OF_THE_PACKAGE = {"browser", "notebooks"}  # folders of tests


def modules(root: Path) -> dict[str, Path]:
    """Return the modules below `root/facelib` by their dotted names."""
    found = {}
    for path in sorted((root / "facelib").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def runtime_imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what code imports when it runs, inside functions too, as module and name; `import a` has no name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, "") for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((child.module or "", alias.name) for alias in child.names)
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from runtime_imports(child)


def imported_modules(path: Path, known: Mapping[str, Path]) -> set[str]:
    """Return which of the known modules a file imports; of `from package import module`, the module."""
    pairs = imports_of(path)
    return {f"{module}.{name}" if f"{module}.{name}" in known else module for module, name in pairs} & known.keys()


@cache
def imports_of(path: Path) -> set[tuple[str, str]]:
    """Return what the code of a file imports; several tests ask."""
    return set(runtime_imports(ast.parse(path.read_text(encoding="utf-8"))))


def circles(root: Path) -> list[list[str]]:
    """Return the groups of modules that import one another, directly or by way of others."""
    known = modules(root)
    graph = networkx.DiGraph()
    for name, path in known.items():
        # A package's own file only hands on the names of its modules.
        needed = {other for other in imported_modules(path, known) if not name.startswith(f"{other}.")}
        graph.add_edges_from((name, other) for other in needed - {name})
    return [sorted(group) for group in networkx.strongly_connected_components(graph) if len(group) > 1]


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(ROOT) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"a.py": "from facelib.b import x", "b.py": "x = 1"}, []),
        ({"a.py": "import facelib.b", "b.py": "def f():\n    from facelib.a import x"}, [["facelib.a", "facelib.b"]]),
        ({"a.py": "from facelib import b", "b.py": "import facelib.a"}, [["facelib.a", "facelib.b"]]),
        ({"a.py": "import facelib.b", "b.py": "if TYPE_CHECKING:\n    import facelib.a"}, []),
        ({"p/__init__.py": "from facelib.p.a import x", "p/a.py": "from facelib.p.b import x", "p/b.py": ""}, []),
    ],
)
def test_circles_are_found(tmp_path: Path, files: dict[str, str], expected: list[list[str]]) -> None:
    for name, text in files.items():
        path = tmp_path / "facelib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert circles(tmp_path) == expected


def names_of(path: Path) -> set[str]:
    """Return the names that a module defines or imports."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        else:
            found |= {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return found


def test_what_packages_hand_on_is_where_they_say() -> None:
    known, missing = modules(ROOT), []
    for stub in PACKAGE.rglob("*.pyi"):  # read when a name is used first, and by no other check
        package = ".".join(stub.parent.relative_to(ROOT).parts)
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                module = f"{package}.{node.module}" if node.module else package
                own = known.get(module, PACKAGE / "none.py")
                there = {name for path in (own, own.with_suffix(".pyi")) if path.is_file() for name in names_of(path)}
                missing += [f"{module}.{alias.name}" for alias in node.names if alias.name not in there]
    assert missing == []


def rooms_of_the_map() -> list[set[str]]:
    """Return the packages of each row of the map in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [set(re.findall(r"`facelib/(\w+)`", line)) for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if row]


def test_packages_import_from_those_above_them_in_the_map() -> None:
    rooms = {room: row for row, own in enumerate(rooms_of_the_map()) for room in own}
    assert rooms.keys() == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    known = modules(ROOT)
    upwards = {
        (name, other)
        for name, path in known.items()
        for other in imported_modules(path, known)
        if 0 <= rooms.get(f"{name}.".split(".")[1], -1) < rooms.get(f"{other}.".split(".")[1], -1)
    }
    assert upwards == set()


def test_at_most_twenty_entries_at_the_top() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    entries = packages | {path.name for path in PACKAGE.glob("*.py")}
    assert len(entries - LATER) <= 20, sorted(entries)


def test_modules_are_short() -> None:
    lengths = {name: path.read_text(encoding="utf-8").count("\n") for name, path in modules(ROOT).items()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_folders_of_tests_are_those_of_the_package() -> None:
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    elsewhere = {folder.as_posix() for folder in folders if not (PACKAGE / folder).is_dir()}
    assert elsewhere == NOT_OF_THE_PACKAGE


def test_every_bar_is_gone_when_it_is_done():
    bars = [
        (name, call.lineno, {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}.get("leave"))
        for name, path in modules(ROOT).items()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("tqdm", "trange")
    ]
    assert len(bars) > 20
    assert [bar for bar in bars if bar[2] != "False"] == []


def test_examples_have_the_heading_that_the_site_shows_as_code() -> None:
    wrong = re.compile(r"^ *Example:$", re.MULTILINE)
    assert [name for name, path in modules(ROOT).items() if wrong.search(path.read_text(encoding="utf-8"))] == []
