"""Figures on a dark page: style rules in place of a second set of figures, so that they follow the page's theme."""

from __future__ import annotations

import html
from dataclasses import dataclass

from facelib.plots.tables import NOTEBOOK_STYLE, OUTPUT_STYLE
from facelib.project.wording import isolated

ON_DARK = {
    "#0072B2": "#4AA8E8",
    "#E69F00": "#F2B13C",
    "#009E73": "#34C99C",
    "#D55E00": "#FF8A45",
    "#CC79A7": "#E8A3C8",
    "#56B4E9": "#8FD3F8",
    "#1A1A1A": "#F2F2F2",
    "#F0E442": "#F4EA6A",
    "#6A6A6A": "#A3A8AD",
}
"""By colour of people on a white ground, the colour on a dark one: the same as on the project's page."""

_INK = {"#2A2A2A": "#D6D9DC", "#404040": "#C4C8CC", "#444444": "#C4C8CC", "#8A8A8A": "#A3A8AD"}
_LINES = {
    "#6E788C": "#A9B4C8",
    "#E6E6E6": "#3C4043",
    "#B0B0B0": "#70757A",
    "#FFFFFF": "var(--md-default-bg-color, var(--jp-layout-color0, #111))",
}

_SCOPE = 'body[data-jp-theme-light="false"]'  # JupyterLab, with a dark theme chosen

# The outline of names that lines pass below: plotly chooses its colour by the ink that the name has in Python.
_OUTLINE = ", ".join(f"{side} 1px {_LINES['#FFFFFF']}" for side in ("1px 1px", "-1px -1px", "1px -1px", "-1px 1px"))

# Plotly.js writes each colour into the element that has it; labels under the pointer choose ink and ground themselves.
_PART = "& .js-plotly-plot .main-svg > :not(.hoverlayer)"


def _colours() -> str:
    rules = []
    for light, dark in (ON_DARK | _INK | _LINES).items():
        written = ", ".join(str(int(light[start : start + 2], 16)) for start in (1, 3, 5))
        for kind in ("fill", "stroke"):
            found = f'[style*="{kind}: rgb({written})"]:not(.heatmaplayer *), {_PART} pattern [{kind}="rgb({written})"]'
            rules.append(f"{_PART} {found} {{ {kind}: {dark} !important; }}")
    return "\n".join(rules)


def _rules() -> str:
    return f"""
& .js-plotly-plot .main-svg {{ background: transparent !important; }}
{_colours()}
{_PART} text[style*="text-shadow"] {{ text-shadow: {_OUTLINE} !important; }}
{_PART} pattern rect ~ path[stroke] {{ stroke: #111 !important; }}
{_PART} pattern rect ~ circle[fill] {{ fill: #111 !important; }}
{_PART} .bg {{ fill: transparent !important; }}
& .js-plotly-plot .bglayer rect {{ fill: transparent !important; }}
& .js-plotly-plot :is(.heatmaplayer, .cbfills) {{ filter: invert(1) hue-rotate(180deg); }}
& .js-plotly-plot .updatemenu-item-rect {{ fill: #3C4043 !important; }}
"""


def report_style() -> str:
    """Return the rules for a page in a browser: they count while the reader's system prefers dark pages."""
    return f"{OUTPUT_STYLE}@media (prefers-color-scheme: dark) {{ body {{ {_rules()} }} }}"


def site_style() -> str:
    """Return the rules for the pages of the documentation: they count while the reader has its dark scheme chosen."""
    return f'{OUTPUT_STYLE}[data-md-color-scheme="slate"] {{ {_rules()} }}'


@dataclass(frozen=True, slots=True)
class Themed:
    """A sentence in a notebook, which brings the rules along for all figures of the page."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        style = f"<style>{_SCOPE} {{ {_rules()} }}{OUTPUT_STYLE}{NOTEBOOK_STYLE}</style>"
        return f'{style}<p class="facelib-notebook">{isolated(html.escape(self.text))}</p>'


def themed(text: str) -> Themed:
    """Show a sentence in a notebook, and make its figures follow JupyterLab's theme, also when that is changed later.

    Figures keep their colours for paper and for a light page; on a dark page the browser replaces them by style rules.
    """
    return Themed(text)
