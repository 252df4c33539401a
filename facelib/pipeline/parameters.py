"""The parameters that a notebook takes: read from its cell tagged `parameters`, and checked before anything runs."""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook.

    Attributes:
        name: Its name.
        annotation: Its type as written in the notebook, such as `"float | None"`; empty when none is written.
        default: Its value in the notebook; `None` as well when that is not a plain literal.
    """

    name: str
    annotation: str
    default: object

    def accepts(self, value: object) -> bool:
        """Tell whether `value` is of the parameter's type; without an annotation, of its default's type.

        An annotation that is not made of int, float, str, bool, list, Literal and None accepts everything.

        Example:
            >>> Parameter("k", "int", 5).accepts(2.5), Parameter("threshold", "float | None", None).accepts(1)
            (False, True)
        """
        if self.annotation:
            return _fits(ast.parse(self.annotation, mode="eval").body, value)
        return self.default is None or _fits(ast.Name(type(self.default).__name__), value)


def read_parameters(notebook: str | Path) -> dict[str, Parameter]:
    """Read the parameters of a notebook, in the order of its cell tagged `parameters`.

    The cell is parsed as Python. (papermill's `inspect_notebook` reads line by line and loses a line with two
    equals signs, so that a good name would be refused.)

    Raises:
        ValueError: When the file is not a notebook, or the cell is not Python.

    Returns:
        A dict from name to parameter, empty when no cell is tagged.
    """
    try:
        cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
        tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected a Jupyter notebook (nbformat 4) at {str(notebook)!r}, got: {error!r}") from error
    try:
        statements = ast.parse(tagged[0] if tagged else "").body
    except SyntaxError as error:
        raise ValueError(f"expected Python in the cell tagged 'parameters' of {str(notebook)!r}: {error}") from error
    found = (_parameter_of(statement) for statement in statements)
    return {parameter.name: parameter for parameter in found if parameter is not None}


def check_parameters(given: Mapping[str, object], taken: Iterable[Mapping[str, Parameter]]) -> None:
    """Check that every given parameter is taken by some notebook, and is of its type in each that takes it.

    Args:
        given: Values by name.
        taken: What `read_parameters` says of each chosen notebook.

    Raises:
        ValueError: When a name is unknown (close names are told), or a value is of another type.
    """
    notebooks = list(taken)
    known = sorted({name for notebook in notebooks for name in notebook})
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise ValueError(
                f"expected the name of a parameter of the chosen notebooks, got {name!r}.{hint} "
                f"They take: {', '.join(known) or 'none'}."
            )
        for parameter in (notebook[name] for notebook in notebooks if name in notebook):
            if not parameter.accepts(value):
                kind = parameter.annotation or type(parameter.default).__name__
                raise ValueError(
                    f"expected {kind} for the parameter {name!r}, got {value!r}.{_hint(name, value, parameter)}"
                )


def parse_value(text: str) -> object:
    """Read a value from the command line as papermill does, and lists and quoted text as JSON.

    Example:
        >>> [parse_value(text) for text in ("5", "0.5", "True", "None", "cnn", '["a.mp4"]', '"2024"')]
        [5, 0.5, True, None, 'cnn', ['a.mp4'], '2024']

    Raises:
        ValueError: When the text opens a JSON list, object or string and is not whole.
    """
    constants = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}
    if text in constants:
        return constants[text]
    if text[:1] in ("[", "{", '"'):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f'expected JSON such as ["a.mp4", "b.mp4"], got {text!r}: {error}') from error
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parameter_of(statement: ast.stmt) -> Parameter | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            # An annotation in quotes means what stands in the quotes.
            text = annotation.value if isinstance(annotation, ast.Constant) else None
            return Parameter(name, text if isinstance(text, str) else ast.unparse(annotation), _literal(value))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return Parameter(name, "", _literal(value))
    return None


def _literal(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


_ACCEPTED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list, tuple),
    "tuple": (list, tuple),
    "dict": (dict,),
}


def _fits(annotation: ast.expr, value: Any) -> bool:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _fits(left, value) or _fits(right, value)
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id=name) if name in _ACCEPTED:
            # bool is a subclass of int, yet True is no number of neighbours.
            return isinstance(value, _ACCEPTED[name]) and isinstance(value, bool) == (name == "bool")
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return isinstance(value, list | tuple) and all(_fits(item, one) for one in value)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            return value in ast.literal_eval(choices) if isinstance(choices, ast.Tuple) else value == _literal(choices)
    return True


def _hint(name: str, value: object, parameter: Parameter) -> str:
    if parameter.accepts([value]):
        return f" A list is written -p {name}='{json.dumps([value])}'."
    if parameter.accepts(str(value)) and not isinstance(value, list | dict):
        return f" Text that looks like something else is written in quotes: -p {name}='{json.dumps(str(value))}'."
    return ""
