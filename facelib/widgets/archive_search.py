"""The search of many films in a notebook: people with and without, hits as pictures, and a click plays the moment."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import anywidget
import pandas as pd
import traitlets

from facelib.archive import Archive, Unit, find_moments, find_person, hit_pictures, list_people, write_hits
from facelib.archive.pictures import files_of, project_of
from facelib.films.appearances import timecode
from facelib.images import jpeg_uri
from facelib.page.bundle import bundle
from facelib.page.links import film_sources
from facelib.plots import Thumbnails
from facelib.project import path_of
from facelib.project.wording import counted, isolated
from facelib.widgets.project_page import serve_file
from facelib.widgets.shared import widget_style

_WIDTH = 200  # pixels of a hit's picture on the page


class ArchiveSearch(anywidget.AnyWidget):
    """A form for people who are seen and people who are not, and the hits in all films, page by page.

    A click on a hit plays it, from the film where browsers play it, else from the annotated film. The list of hits is
    written to a file by a button.

    Args:
        archive: The index; it stays open as long as the widget is used.
        people: Who is seen at first.
        without: Who is not seen.
        by: `moment`, `shot` or `scene`, see `facelib.archive.find_moments`.
        shortest: Seconds; shorter hits are left out.
        page_size: Hits on a page.
        export: The file that the button writes, see `facelib.archive.write_hits`.

    Attributes:
        people: Everybody who can be chosen, as `[name, in how many films]`.
        found: How many hits there are, in words.
        hits: Those of the page: `title`, `film`, `when` and `seconds`.
        pictures: A JPEG of each.
        error: What went wrong last, empty otherwise.
    """

    _esm = f"{bundle('archive_search.js')}\nexport default {{ render: renderSearch }};\n"
    _css = widget_style("panel.css", "archive_search.css")
    people: traitlets.List[list[Any]] = traitlets.List().tag(sync=True)
    wanted: traitlets.List[str] = traitlets.List().tag(sync=True)
    unwanted: traitlets.List[str] = traitlets.List().tag(sync=True)
    by: traitlets.Enum[Any] = traitlets.Enum(get_args(Unit), "moment").tag(sync=True)
    shortest = traitlets.Float(0.0).tag(sync=True)
    page = traitlets.Int(0).tag(sync=True)
    pages = traitlets.Int(0).tag(sync=True)
    found = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    hits: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    pictures = traitlets.List(traitlets.Bytes()).tag(sync=True)

    def __init__(
        self,
        archive: Archive,
        *,
        people: list[str] | None = None,
        without: list[str] | None = None,
        by: Unit = "moment",
        shortest: float = 0.0,
        page_size: int = 24,
        export: str | Path = "hits.csv",
    ) -> None:
        known = list_people(archive)
        self._archive, self._size, self._export = archive, page_size, Path(export)
        self._table = pd.DataFrame()
        chosen = ([find_person(archive, name) for name in names or []] for names in (people, without))
        wanted, unwanted = chosen
        rows = [[str(name), int(films)] for name, films in zip(known["person"], known["films"], strict=True)]
        super().__init__(people=rows, wanted=wanted, unwanted=unwanted, by=by, shortest=shortest)
        self._search()
        self.observe(self._search, names=["wanted", "unwanted", "by", "shortest"])
        self.observe(self._show, names="page")
        self.on_msg(self._answer)

    def _search(self, _: object = None) -> None:
        self.error, table = "", pd.DataFrame()
        try:
            if self.wanted:
                table = find_moments(
                    self._archive, self.wanted, without=self.unwanted, by=self.by, shortest=self.shortest
                )
        except (OSError, ValueError) as error:
            self.error = str(error)
        self._table = table
        self.pages = -(-len(table) // self._size)
        if len(table):
            self.found = f"{counted(len(table), self.by)} in {counted(table['film'].nunique(), 'film')}"
        else:
            none = f"No {self.by} found: take fewer people, or a shorter time."
            self.found = none if self.wanted else "Choose somebody."
        if self.page:
            self.page = 0  # which shows it
        else:
            self._show()

    def _show(self, _: object = None) -> None:
        own = self._table.iloc[self.page * self._size : (self.page + 1) * self._size]
        rows = own[["film", "start", "end"]].itertuples(index=False, name=None) if len(own) else ()
        with self.hold_sync():
            self.pictures = hit_pictures(self._archive, own) if len(own) else []
            self.hits = [
                {
                    "number": number,
                    "title": f"{film}, {timecode(start)}",
                    "film": str(film),
                    "when": timecode(start)[:-4],
                    "seconds": round(float(end - start), 1),
                }
                for number, (film, start, end) in enumerate(rows, self.page * self._size)
            ]

    def _answer(self, _: Any, question: dict[str, Any], __: Any) -> None:
        answer: dict[str, Any]
        try:
            if question["ask"] == "play":
                answer, buffers = self._play(int(question["hit"]))
            else:
                write_hits(self._table, self._export)
                answer, buffers = {"written": str(self._export)}, []
        except (OSError, ValueError, KeyError, IndexError) as error:
            answer, buffers = {"error": str(error)}, []
        self.send(answer | {"number": question.get("number")}, buffers=buffers)

    def _play(self, number: int) -> tuple[dict[str, Any], list[bytes]]:
        """Return where a hit can be played from, and from when to when, in the player's seconds."""
        hit = self._table.iloc[number]
        name, project = str(hit["film"]), project_of(self._archive, str(hit["project"]))
        try:
            film = project.find_videos([path_of(name)])[0]
        except FileNotFoundError:
            film = project.videos / path_of(name)  # the annotated film may be left
        sources = film_sources(film, files_of(self._archive, str(hit["project"]), name), project.output)
        if not sources:
            raise ValueError(
                f"expected a film that browsers play, or an annotated one, of {name!r}, found neither; "
                f"run notebook 05 with draw"
            )
        path = (project.output / unquote(sources[0].href)).resolve()
        answer, buffers = serve_file(path, instead=f"Open {str(path)!r} in a player instead.")
        times = {name: float(hit[name]) + sources[0].start for name in ("start", "end")}
        return answer | times, buffers


def hits_page(archive: Archive, hits: pd.DataFrame, *, most: int = 24) -> Thumbnails:
    """Show hits as a page of pictures, for reports and where widgets do not run.

    Hits are as `find_moments` or `find_face` returns them; the page says how many more than `most` there are.
    """
    if hits.empty:
        return Thumbnails("<p>Nothing was found.</p>")
    shown = hits.head(most)
    rows = zip(shown.to_dict("records"), hit_pictures(archive, shown), strict=True)
    tiles = (_tile(row, picture) for row, picture in rows)
    return Thumbnails.side_by_side(tiles, f"and {len(hits) - most} more." if len(hits) > most else "")


def _tile(row: dict[Any, Any], picture: bytes) -> str:
    film, when = html.escape(str(row["film"])), f"{timecode(row['start'])[:-4]}, {row['end'] - row['start']:.1f} s"
    person = f"<b>{html.escape(str(row['person']))}</b> at {row['distance']:.2f}<br>" if "distance" in row else ""
    image = f'<img src="{jpeg_uri(picture)}" alt="{film}" style="width:{_WIDTH}px">' if picture else "no picture"
    return (
        f'<figure style="margin:0;width:{_WIDTH}px;font-size:12px;line-height:1.35">{image}'
        f'<figcaption style="overflow-wrap:anywhere">{isolated(person + film)}<br>{when}</figcaption></figure>'
    )
