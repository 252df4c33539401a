"""The parameters that a notebook's cell shows, and values read from text."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import create_model

from facelib.pipeline.parameters.base import NotebookParameters
from facelib.project.wording import with_type


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in the cell of a notebook.

    Attributes:
        name: Its name.
        annotation: Its type as written in the notebook, such as `"float | None"`; empty when none is written.
        default: Its value in the notebook; `None` as well when that is not a plain literal.
    """

    name: str
    annotation: str
    default: object


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
        raise ValueError(
            f"expected a Jupyter notebook (nbformat 4) at {str(notebook)!r}, got: {with_type(error)}"
        ) from error
    try:
        statements = ast.parse(tagged[0] if tagged else "").body
    except SyntaxError as error:
        raise ValueError(f"expected Python in the cell tagged 'parameters' of {str(notebook)!r}: {error}") from error
    found = (_parameter_of(statement) for statement in statements)
    return {parameter.name: parameter for parameter in found if parameter is not None}


def model_of(parameters: dict[str, Parameter]) -> type[NotebookParameters]:
    """Return a class of parameters for a notebook that facelib has none for, such as one of the user's own.

    An annotation that is not made of int, float, str, bool, list, dict, Literal and None accepts everything.
    """
    fields: dict[str, Any] = {name: (_type_of(one), one.default) for name, one in parameters.items()}
    return create_model("OwnParameters", __base__=NotebookParameters, **fields)


def _type_of(parameter: Parameter) -> object:
    if not parameter.annotation:
        return Any if parameter.default is None else type(parameter.default)
    try:
        return eval(parameter.annotation, {"Literal": Literal})  # the notebook itself runs it next
    except (NameError, SyntaxError, TypeError):
        return Any


def parse_value(text: str) -> object:
    """Read a value from the command line as papermill does, and lists and quoted text as JSON.

    Examples:
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
