"""Arrays as base64 text, which a page reads as typed arrays."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

NumberType = Literal["int16", "int32", "uint32", "float32", "float64"]


@dataclass(frozen=True, slots=True)
class Packed:
    """An array of numbers as base64, little-endian.

    Examples:
        >>> Packed.of([1, 2], "int16")
        Packed(kind='int16', data='AQACAA==')
    """

    kind: NumberType
    data: str

    @classmethod
    def of(cls, values: ArrayLike, kind: NumberType) -> Packed:
        """Pack numbers, the last axis fastest."""
        array = np.ascontiguousarray(values, np.dtype(kind).newbyteorder("<"))
        return cls(kind, base64.b64encode(array.tobytes()).decode("ascii"))


def as_script(key: str, value: Any) -> str:
    """Return a classic script that hands `value` to the page under `key`.

    Browsers refuse `fetch` and module files from `file://`, but not classic scripts. The text is safe inside an HTML
    page as well: no `<` is left in it.

    Examples:
        >>> "</script>" in as_script("project", {"name": "</script>"})
        False
    """
    return f"facelibData({_json(key)}, {_json(value)});\n"


def script_value(path: Path) -> Any:
    """Return the value that a script of `as_script` hands to the page; comment lines may precede it.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it is not such a script.
    """
    call = path.read_text(encoding="utf-8").partition("facelibData(")[2].removesuffix(");\n")
    _, end = json.JSONDecoder().raw_decode(call)
    return json.loads(call[end:].removeprefix(", "))


def _json(value: Any) -> str:
    # JSON is JavaScript since U+2028 and U+2029 may stand in strings (ECMAScript 2019); `ensure_ascii` writes lone
    # surrogates, which file names may hold, as escapes.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
