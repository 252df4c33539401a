"""What the parameters of all notebooks share: how they are read, checked and refused."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from facelib.project.wording import did_you_mean

Provider = Literal["auto", "cpu", "cuda"]
DETECTORS = ("haar", "hog", "cnn", "mtcnn", "centerface", "yunet")

# What several notebooks say of their parameters.
OF_DETECTOR = f"{', '.join(DETECTORS)}, or the path of an ONNX file"
OF_EMBEDDER = "the path of the ONNX file that made the embeddings; empty: found by its name"
OF_WORKING_SIZE = "pixels of the longer side of the picture in which faces are looked for"
OF_PROVIDER = "auto takes a CUDA GPU where onnxruntime offers one; cpu, cuda"


class _Refused(ValueError):
    """What was expected of a value, and the names that it might have meant."""

    def __init__(self, expected: str, known: Iterable[str] = ()) -> None:
        super().__init__(expected)
        self.known = list(known)


def near(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the names most like `name`, or nothing.

    Examples:
        >>> near("treshold", ["threshold", "kind"])
        " Did you mean 'threshold'?"
    """
    return did_you_mean(difflib.get_close_matches(name, list(known), n=3, cutoff=0.6))


def as_lines(value: object) -> object:
    """Take text as one entry per line, and nothing as no entry."""
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return [] if value is None else value


def _network(value: str, *, kind: Literal["detector", "embedder"], built_in: Sequence[str]) -> str:
    if value in built_in or value.endswith(".onnx") or "/" in value or "\\" in value:
        return value
    from facelib.nets.cache import folders
    from facelib.nets.weights import catalogue

    known = [*filter(None, built_in), *(weights.name for weights in catalogue() if weights.kind == kind)]
    if value in known:
        return value
    if kind == "embedder" and any((folder / f"{value}.onnx").is_file() for folder in folders()):
        return value
    raise _Refused(f"expected one of {sorted(set(known))!r} or the path of an ONNX file", known)


Lines = Annotated[list[str], BeforeValidator(as_lines)]
"""A list of texts; one text stands for its lines, so `videos="film.mp4"` is one film."""

DetectorNetwork = Annotated[str, AfterValidator(partial(_network, kind="detector", built_in=DETECTORS))]
"""The name of a detector, or the path of an ONNX file."""

_EMBEDDERS = ("", "dlib", "dlib-mirrored")
EmbedderNetwork = Annotated[str, AfterValidator(partial(_network, kind="embedder", built_in=_EMBEDDERS))]
"""The name of an embedding network, or the path of an ONNX file; empty where the notebook finds it out."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]  # what all generators of random numbers take
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """What a user is shown about one parameter.

    Attributes:
        name: Its name.
        default: Its default, as JSON; `None` where there is none.
        values: Which values it takes, such as `number, 0 to 1`.
        meaning: What it does, and its unit.
    """

    name: str
    default: str
    values: str
    meaning: str


class NotebookParameters(BaseModel):
    """The parameters of one notebook; a subclass has one field per parameter.

    Those that the notebook's own cell shows are the ones met first; the others come in its `options`.

    Attributes:
        project: The project's folder under `data_dir` and `output_dir`; see `facelib.pipeline.choosing` where empty.
        data_dir: Holds `<project>/people` and `<project>/videos`.
        output_dir: Where everything made goes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    project: str = Field(
        "", description="a folder under data_dir; empty: FACELIB_PROJECT, else the last used, else demo"
    )
    data_dir: str = Field("data", description="holds <project>/people and <project>/videos")
    output_dir: str = Field("output", description="where results are written")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_as_number(cls, value: object, info: ValidationInfo) -> object:
        annotation = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and annotation not in (bool, Any):
            raise _Refused("expected anything but true or false")
        return value

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Self:
        """Check the parameters that a notebook was given, and return them.

        Args:
            scope: The notebook's variables, `globals()`: those named like a parameter count, and `options`, a dict of
                further ones. A name that plain papermill was given and does not know, which it only warns of, is
                looked for in the kernel's list of inputs.

        Raises:
            ValueError: When a name is unknown (near ones are offered), or a value is of another type or out of range.
        """
        options = scope.get("options") or {}
        if not isinstance(options, Mapping):
            raise ValueError(f'expected options as a dict such as {{"name": value}}, got {options!r}')
        strange = [name for name in _given_by_papermill(scope) if name not in cls.model_fields and name != "options"]
        if strange:
            raise ValueError(unknown_name(strange[0], cls.model_fields))
        shown = {name: scope[name] for name in cls.model_fields if name in scope}
        return cls.check({**shown, **options})

    @classmethod
    def check(cls, given: Mapping[str, Any]) -> Self:
        """Return checked parameters from values by name; see `of` for what is raised."""
        unknown = [name for name in given if name not in cls.model_fields]
        if unknown:
            raise ValueError(unknown_name(unknown[0], cls.model_fields))
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            raise ValueError(_told(error)) from None

    @classmethod
    def described(cls) -> list[ParameterDescription]:
        """Describe each parameter, in order."""
        schema = cls.model_json_schema()["properties"]
        defaults = {name: field.get_default(call_default_factory=True) for name, field in cls.model_fields.items()}
        return [
            ParameterDescription(name, _shown(defaults[name]), _values(schema[name]), field.description or "")
            for name, field in cls.model_fields.items()
        ]


def _given_by_papermill(scope: Mapping[str, Any]) -> list[str]:
    """Return the names in the cell that papermill puts behind that of the parameters, in a kernel's list of inputs."""
    cells = [str(cell) for cell in scope.get("In", ()) if str(cell).startswith("# Parameters\n")]
    lines = ast.parse(cells[-1]).body if cells else []
    targets = [line.targets[0] for line in lines if isinstance(line, ast.Assign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _shown(default: object) -> str:
    return "None" if default is None else json.dumps(default, ensure_ascii=False)


def _values(schema: Mapping[str, Any]) -> str:
    """Say which values a JSON schema allows.

    Examples:
        >>> _values({"type": "number", "minimum": 0, "maximum": 1})
        'number, 0 to 1'
    """
    if "anyOf" in schema:
        return " or ".join(_values(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "items" in schema:
        return f"list: {_values(schema['items'])}"
    kind = _KINDS.get(schema.get("type", ""), "anything")
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if least is not None and most is not None:
        return f"{kind}, {least} to {most}"
    limits = (
        ("at least", least),
        ("more than", above),
        ("at most", most),
        ("less than", schema.get("exclusiveMaximum")),
    )
    return ", ".join([kind, *(f"{word} {limit}" for word, limit in limits if limit is not None)])


_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "dict",
    "null": "None",
}


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return the message for a parameter that no chosen notebook takes: with the near names, else with all."""
    names = sorted(known)
    offered = near(name, names) or f" They take: {', '.join(names) or 'none'}."
    return (
        f"expected the name of a parameter of the chosen notebooks, got {name!r}.{offered} "
        f"'facelib run --help-parameters' explains them."
    )


def _told(error: ValidationError) -> str:
    """Say in one sentence what was expected of the first parameter that is wrong, and what was given."""
    first = error.errors(include_url=False)[0]
    name, kind, value, context = str(first["loc"][0]), first["type"], first["input"], first.get("ctx", {})
    refused = context.get("error")
    expected = str(refused) if refused else _EXPECTED.get(kind, first["msg"]).format(**context)
    hint = near(str(value), refused.known) if isinstance(refused, _Refused) else ""
    parts = [part.strip() for part in str(value).split(",")]
    if kind == "list_type" or (kind == "literal_error" and len(parts) > 1):
        hint = f" A list is written -p {name}='{json.dumps(parts)}'."
    elif kind == "literal_error":
        hint = near(str(value), re.findall("'([^']*)'", context["expected"]))
    elif kind == "string_type" and not isinstance(value, list | dict):
        hint = f" Text that looks like something else is written in quotes: -p {name}='{json.dumps(str(value))}'."
    return f"{expected} for the parameter {name!r}, got {value!r}.{hint}"


_EXPECTED = {
    "literal_error": "expected {expected}",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text",
    "list_type": "expected a list",
    "dict_type": "expected a dict",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
}
