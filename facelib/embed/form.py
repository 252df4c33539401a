"""What an embedding network takes as its input, as ONNX files that facelib writes say it in their metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

Alignment = Literal["dlib", "margin", "five points"]
"""How a face is cut out: dlib's chip, the box with a margin, or warped so that five landmarks lie fixed."""

_ChannelOrder = Literal["RGB", "BGR"]

PREFIX = "facelib."
"""What the names of entries begin with."""

_LARGEST = 2048  # pixels of a side
_LARGEST_NUMBER = 3.4e38


@dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """The input form of a network; stored in the metadata of ONNX files that facelib writes.

    A pixel enters the network as `(value - mean) * scale`, where `value` goes from 0 to 255.

    Attributes:
        size: Side of the square picture, in pixels.
        mean: What is taken off every colour.
        scale: What the rest is multiplied by.
        colour: Order of the colours.
        alignment: How the face is cut out.
        normalise: Whether the vectors are brought to length 1.
        mirrored: Whether a vector is the mean of a face's and its mirror image's, which takes twice the time.

    Raises:
        ValueError: When a value is not one of those allowed.

    Examples:
        >>> form = InputForm(size=112, mean=127.5, scale=1 / 128)
        >>> InputForm.from_metadata(form.metadata()) == form
        True
    """

    size: int
    mean: float = 0.0
    scale: float = 1.0
    colour: _ChannelOrder = "RGB"
    alignment: Alignment = "five points"
    normalise: bool = True
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or isinstance(self.size, bool) or not 1 <= self.size <= _LARGEST:
            raise ValueError(f"expected a size of 1 to {_LARGEST} pixels, a whole number, got {self.size!r}")
        for name, value in (("mean", self.mean), ("scale", self.scale)):
            if not is_number(value):
                raise ValueError(f"expected a number as {name}, got {value!r}")
        for name, value in (("normalise", self.normalise), ("mirrored", self.mirrored)):
            if not isinstance(value, bool):
                raise ValueError(f"expected true or false as {name}, got {value!r}")
        if self.colour not in get_args(_ChannelOrder):
            raise ValueError(f"expected colour 'RGB' or 'BGR', got {self.colour!r}")
        if self.alignment not in get_args(Alignment):
            raise ValueError(f"expected alignment to be one of {get_args(Alignment)!r}, got {self.alignment!r}")

    def metadata(self) -> dict[str, str]:
        """Return the entries for an ONNX file's `metadata_props`."""
        return {PREFIX + name: json.dumps(value) for name, value in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self | None:
        """Return the form written into an ONNX file, or None when there is none.

        Raises:
            ValueError: When an entry cannot be read.
        """
        if PREFIX + "size" not in metadata:
            return None
        values = {name: from_metadata_entry(metadata, name) for name in cls.__slots__ if PREFIX + name in metadata}
        return cls(**values)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number of single precision, which truth values are not."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return is_numeric and -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER


def from_metadata_entry(metadata: Mapping[str, str], name: str) -> Any:
    """Return the value of an entry of an ONNX file's metadata, by its name without the prefix.

    Raises:
        ValueError: When it is not JSON.
    """
    text = metadata[PREFIX + name]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON in the metadata entry {PREFIX + name!r}, got {text!r}") from error
