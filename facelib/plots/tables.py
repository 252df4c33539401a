"""Tables, headings and sentences as notebooks and reports show them."""

from __future__ import annotations

import html
import itertools
import re

import pandas as pd
from IPython.display import HTML
from pandas.api.types import is_integer_dtype, is_string_dtype

from facelib.project.wording import isolated

_NAME, _SENTENCE = 20, 40  # characters: up to and from which a column is kept in one line, and wide
_ROWS = 30  # up to which a table is shown at its full height

OUTPUT_STYLE = """
@property --facelib-before { syntax: "<length>"; inherits: false; initial-value: 0px; }
@property --facelib-after { syntax: "<length>"; inherits: false; initial-value: 0px; }
@keyframes facelib-edges {
  from { --facelib-after: 40px; }
  10%, 90% { --facelib-before: 40px; --facelib-after: 40px; }
  to { --facelib-before: 40px; }
}
.jp-OutputArea-output:has(> table, > div > table, > div > .js-plotly-plot), .md-typeset__scrollwrap {
  animation: facelib-edges linear;
  animation-timeline: scroll(self inline);
  mask-image: linear-gradient(
    to right, transparent, #000 var(--facelib-before), #000 calc(100% - var(--facelib-after)), transparent
  );
}
.facelib-long { max-height: 640px; overflow: auto; }
.facelib-long th { position: sticky; top: 0; background: var(--jp-layout-color0, Canvas); }
@media print { .facelib-long { max-height: none; } }
.jp-RenderedText pre { word-break: normal; overflow-wrap: anywhere; }
:is(.cm-editor .highlight, .highlight-ipynb) pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 600px) { .js-plotly-plot .modebar { display: none; } }
"""
"""Style rules: tables and figures fade where they go on beyond the edge of a narrow page, lines break there.

A table of many rows scrolls within its own height, except on paper.

On a telephone a figure's buttons would lie on its title; a tap twice undoes what a finger has moved.
"""

NOTEBOOK_STYLE = """
.jp-Notebook:has(.facelib-notebook) {
  & .cm-content { flex-shrink: 1; min-width: 0; white-space: break-spaces; overflow-wrap: anywhere; }
  & :is(.jp-Placeholder-content, .jp-PlaceholderText) { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
}
"""
"""Style rules for JupyterLab: lines of code break, and folded ones end, where a narrow page does.

They count in a notebook with an element of the class `facelib-notebook`, and in no other.
"""


class Table:
    """A table to look at: no row numbers, nothing where a value is missing, text on the left, long file names broken.

    Pandas shows the numbers of rows, `NaN` and `<NA>`, and JupyterLab moves text to the right. In a narrow window
    short names stay in one line and sentences keep a width in which they can be read, and the table scrolls. One of
    more than 30 rows scrolls up and down too, below its headings.

    Args:
        table: An index that is not row numbers, such as names, becomes the first column.

    Examples:
        >>> Table(pd.DataFrame({"faces": [2, None], "person": ["Ada", "Grace"]}, index=[7, 3]))
        faces person
          2.0    Ada
               Grace
    """

    def __init__(self, table: pd.DataFrame) -> None:
        numbered = table.index.name is None and is_integer_dtype(table.index)
        columns = table.reset_index(drop=numbered, names=None if numbered else table.index.name or "")
        self._styles = [_style(columns[name].dropna()) for name in columns]
        self._table = columns.astype(dict.fromkeys(columns.columns[columns.isna().any()], object)).fillna("")

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return self._table.to_string(index=False)

    def _repr_html_(self) -> str:
        styles = itertools.cycle(f' style="{style}"' if style else "" for style in self._styles)
        page = isolated(self._table.to_html(index=False, border=0))
        page = re.sub(
            rf"(?<=<td>)[^<]{{{_NAME + 1},}}", lambda text: re.sub(r"(?<=[_/])(?=\w)", "<wbr>", text[0]), page
        )
        page = re.sub("<th>[^<]*_[^<]*", lambda text: re.sub(r"(?<=_)(?=\w)", "<wbr>", text[0]), page)
        page = re.sub("<(t[hd])>", lambda cell: f"<{cell[1]}{next(styles)}>", page)
        page = re.sub("<th([^>]*)></th>", r"<td\1></td>", page)  # a heading without text is none
        return page if len(self) <= _ROWS else f'<div class="facelib-long">{page}</div>'


def _style(column: pd.Series) -> str:
    if not is_string_dtype(column):
        return ""
    longest = max(map(len, [str(column.name), *column.astype(str)]))
    width = "; min-width: 14em" if longest > _SENTENCE else "; white-space: nowrap" if longest <= _NAME else ""
    return "text-align: left" + width


def heading(text: str) -> HTML:
    """Return a name, such as a film's, to stand over what belongs to it."""
    return _shown(f'<p style="margin: 8px 0"><b>{html.escape(text)}</b></p>')


def prose(*lines: str) -> HTML:
    """Return sentences, a paragraph each, that break where the page ends, as printed ones do within a word."""
    return _shown("".join(f'<p style="margin: 4px 0">{html.escape(line)}</p>' for line in lines))


def _shown(page: str) -> HTML:
    return HTML(isolated(page))  # type: ignore[no-untyped-call]
