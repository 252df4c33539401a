"""Annotated films that show earlier names, and a button that draws them again."""

from __future__ import annotations

import html
from collections.abc import Mapping

import ipywidgets

from facelib.films.drawn import drawn_options, films_behind
from facelib.films.present import draw_films
from facelib.films.settle import Settled
from facelib.page import write_page
from facelib.project.wording import counted, isolated
from facelib.widgets.shared import ErrorArea, guarding


class DrawnFilms(ipywidgets.VBox):  # type: ignore[misc]
    """Says which annotated films show earlier names than their tables, with a button that draws them again.

    Each is drawn as it was before: blurred faces stay blurred. The project's page, if there is one, is written again.

    Args:
        settled: The films' tables as they are now.
        colours: As in `facelib.films.present.draw_films`.
        longest_gap: As in `facelib.page.write_page`.

    Attributes:
        films: The films that show earlier names; those without an annotated film are left alone.
        button: Draws them.
        status: What there is to do, or what was done.
    """

    def __init__(self, settled: Settled, colours: Mapping[str, str], *, longest_gap: float = 1.0) -> None:
        self._settled, self._colours, self._longest_gap = settled, colours, longest_gap
        self._project = settled.problems.project
        self.status, self._bars, self._error = ipywidgets.HTML(), ipywidgets.Output(), ErrorArea()
        self.button = ipywidgets.Button(description="Draw again", button_style="primary")
        self.button.on_click(self._draw)
        super().__init__([self.status, self.button, self._bars, self._error])
        self._update()

    def _update(self, done: str = "") -> None:
        drawn = [film for film in self._settled.films if self._project.film(film).annotated.is_file()]
        self.films = films_behind(self._project, drawn)
        lines = [done] if self.films else [done, "All annotated films show the current names."]
        for film in self.films:
            problem = self._settled.problems.found.get(film.name, "")
            lines.append(f"{film.name}: the annotated film shows earlier names" + (f"; {problem}" if problem else ""))
        self.status.value = "<br>".join(isolated(html.escape(line)) for line in lines if line)
        self.button.layout.display = "" if self.films else "none"

    def _draw(self, button: object) -> None:
        self.button.disabled = True
        drawn = 0
        try:
            with self._bars, guarding(self._error.show):  # in this order: the output would swallow an error
                for film in self.films:
                    options = drawn_options(self._project.film(film))
                    if options is None:
                        raise ValueError(
                            f"expected a record of how {film.name!r} was drawn, found none, and its faces may be "
                            f"blurred: run 05 again with its options"
                        )
                    drawn += len(draw_films(self._settled, self._colours, films=[film], **options))
                if self._project.page.is_file():
                    write_page(self._project, self._settled.films, longest_gap=self._longest_gap)
        finally:
            self._bars.clear_output()
            self._update(f"{counted(drawn, 'film')} drawn again." if drawn else "")
            self.button.disabled = False
