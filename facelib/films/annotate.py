"""The annotated film: names drawn on it, or faces made unrecognisable."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd
import pyarrow.parquet as pq
from PIL import ImageColor
from tqdm.auto import tqdm

from facelib.films.draw import RGB, LabelledBox, blur_head, draw_marks
from facelib.films.fonts import font_problem
from facelib.films.media.decode import FilmFrame
from facelib.films.media.encode import WriteReport, write_film
from facelib.films.media.shown import Planes
from facelib.films.media.times import read_film_times
from facelib.films.tables import read_shot_table, told_by_name
from facelib.project import FilmFiles
from facelib.project.names import NOT_A_FACE, UNKNOWN

Blur = Literal["nobody", "strangers", "everyone"]
"""Whose heads are blurred: `strangers` are all tracks without a name of the cast."""

Boxes = Literal["everyone", "cast", "nobody"]
"""Who gets a box and a label."""

_GREY = "#6A6A6A"
_ROWS_AT_ONCE = 4096


def annotate_film(
    video: str | Path,
    files: FilmFiles,
    tracks: pd.DataFrame,
    colours: Mapping[str, str],
    *,
    boxes: Boxes = "everyone",
    labels: Mapping[str, str] | None = None,
    show_confidence: bool = False,
    show_clusters: bool = True,
    blur: Blur = "nobody",
    sharp: Collection[str] = (),
    linger: float = 0.4,
    quality: int = 23,
    progress: bool = True,
    report: WriteReport | None = None,
    cores: int | None = None,
    watch: Callable[[float], object] | None = None,
) -> Path:
    """Write `annotated.mp4`: the film as it is shown, with a box and a name on every face, its sound and times kept.

    Boxes are drawn on the picture's own Y, U and V planes: nothing else of it is converted, so
    that colours stay as they were. Memory is independent of the film's length. Tracks corrected
    to `not a face` are neither drawn nor blurred.

    Only faces that were detected are blurred, so watch the whole film before you give it away, and lower
    `seconds_between_samples` where one is missed. The sound is unchanged.

    Args:
        video: The film.
        files: Its results; `detections.parquet` is read a piece at a time, `shots.csv` where there is one.
        tracks: `track` and `person` of every track, and where shown `confidence` and `cluster`.
        colours: A colour such as `#0072B2` for every name; without one for `unknown` that is grey. The groups of
            unknown people may have their own.
        boxes: Who gets a box and a label.
        labels: What to write instead of a name; an empty text leaves the box without a label.
        show_confidence: Write after a name of the cast the probability that it is right: `Ada 97 %`.
        show_clusters: Write the group's name, such as `Unknown 1`, instead of `unknown` where there is one.
        blur: Whose heads are made unrecognisable.
        sharp: Who is not blurred nevertheless: names, or groups such as `Unknown 1`.
        linger: Seconds for which a head stays blurred before and after its track, for what the detector missed at
            its ends; never across a cut in `shots.csv`.
        quality: x264's constant rate factor: 18 looks like the source, 28 is small.
        progress: Show a progress bar with rate and time left.
        report: Receives what of the film could not be carried over, such as damaged sound, and which letters of names
            no font has.
        cores: How many cores to use; None takes all that this process may use.
        watch: Called before each frame with the share of the film that is drawn, 0 to 1; what it raises ends the
            drawing, and the film there was is kept.

    Raises:
        ValueError: When a choice is not known, a name has no colour, or a column asked for is missing.
        facelib.films.media.decode.UnreadableFilm: When the film cannot be decoded.
        OSError: When the result cannot be written.
    """
    check_choices(blur=blur, boxes=boxes)
    signs = _signs(tracks, colours, labels or {}, boxes, confidence=show_confidence, clusters=show_clusters)
    if report is not None and (problem := font_problem({label for label, _ in signs.values()})):
        report.problems.append(problem)
    left_sharp = _left_sharp(tracks, blur, sharp)
    times = read_film_times(video, files)
    faces = _Faces(files, 0.0 if blur == "nobody" else linger)

    def draw(frame: FilmFrame, planes: Planes) -> None:
        bar.update()
        if watch is not None:
            watch(frame.index / max(1, len(times.ticks)))
        here, near = faces.at(frame)
        blurred = [face for face in (*here, *near) if blur != "nobody" and face.track not in left_sharp]
        signed = [(face, signs[face.track]) for face in here if face.track in signs]
        for face in blurred:
            blur_head(planes, face.left, face.top, face.right, face.bottom)
        marks = [LabelledBox(f.left, f.top, f.right, f.bottom, *sign) for f, sign in signed]
        draw_marks(planes, marks, line=max(2, round(frame.height / 240) // 2 * 2))

    what = f"drawing {Path(video).name}"
    with tqdm(total=len(times.ticks), unit=" frames", desc=what, leave=False, disable=not progress) as bar:
        cuts = faces.cuts or None
        write_film(video, files.annotated, draw, quality=quality, times=times, cuts=cuts, report=report, cores=cores)
    return files.annotated


def check_choices(*, blur: str = "nobody", boxes: str = "everyone") -> None:
    """Check that the choices are of `Blur` and `Boxes`.

    Raises:
        ValueError: When a choice is not known.
    """
    for choice, known, what in ((blur, Blur, "blur"), (boxes, Boxes, "boxes")):
        if choice not in get_args(known):
            raise ValueError(f"expected {what} to be one of {list(get_args(known))!r}, got {choice!r}")


def _signs(
    tracks: pd.DataFrame,
    colours: Mapping[str, str],
    labels: Mapping[str, str],
    boxes: Boxes,
    *,
    confidence: bool,
    clusters: bool,
) -> dict[int, tuple[str, RGB]]:
    """Return the label and the colour of each drawn track."""
    cast = {name for name in tracks["person"] if name not in {UNKNOWN, NOT_A_FACE}}
    missing = sorted(cast - set(colours))
    if missing:
        raise ValueError(f"expected a colour for every name, got none for {missing!r}; facelib.plots.colours_of has")
    if confidence and "confidence" not in tracks:
        raise ValueError(f"expected a column 'confidence' to show, got {list(tracks.columns)!r}")
    groups = tracks["cluster"].fillna("") if clusters and "cluster" in tracks else [""] * len(tracks)
    sure = tracks["confidence"] if confidence else [0.0] * len(tracks)
    signs = {}
    for track, person, group, probability in zip(tracks["track"], tracks["person"], groups, sure, strict=True):
        if person == NOT_A_FACE or boxes == "nobody" or (boxes == "cast" and person not in cast):
            continue
        name = person if person in cast else group or UNKNOWN
        label = labels.get(name, name)
        if confidence and label and person in cast:
            label = f"{label} {int(100 * probability + 1e-6)} %"  # rounded down: only what is certain is 100 %
        colour = ImageColor.getrgb(colours.get(name, colours.get(UNKNOWN, _GREY)))
        signs[int(track)] = label, colour[:3]
    return signs


def _left_sharp(tracks: pd.DataFrame, blur: Blur, sharp: Collection[str]) -> set[int]:
    """Return the tracks not to blur; those not in the table are blurred."""
    names = [sharp] if isinstance(sharp, str) else list(sharp)
    kept = tracks["person"].isin([*names, NOT_A_FACE])
    if "cluster" in tracks:
        kept |= (tracks["person"] == UNKNOWN) & tracks["cluster"].isin(names)
    if blur == "strangers":
        kept |= tracks["person"] != UNKNOWN
    return {int(track) for track in tracks.loc[kept, "track"]}


class _Face(NamedTuple):
    """One row of `detections.parquet`."""

    frame: int
    time: float
    shot: int
    track: int
    left: float
    top: float
    right: float
    bottom: float


class _Faces:
    """The faces of a film, frame by frame, with those of the surrounding frames."""

    def __init__(self, files: FilmFiles, linger: float) -> None:
        self.linger = linger
        self.rows = _read_faces(files.detections)
        self.ahead: deque[_Face] = deque()
        self.before: dict[int, _Face] = {}
        # The first frame of each shot, ascending; without a table of shots there are none.
        self.cuts = (
            sorted(read_shot_table(files.shots, needs=["start_frame"])["start_frame"]) if files.shots.is_file() else []
        )

    def at(self, frame: FilmFrame) -> tuple[list[_Face], list[_Face]]:
        """Return the faces in a frame, and those that were or will be there within `linger` seconds."""
        while not self.ahead or self.ahead[-1].time <= frame.time + self.linger:
            row = next(self.rows, None)
            if row is None:
                break
            self.ahead.append(row)
        here: list[_Face] = []
        while self.ahead and self.ahead[0].frame <= frame.index:
            face = self.ahead.popleft()
            if face.frame == frame.index:
                here.append(face)
        near = self._near(frame, here) if self.linger else []
        if self.linger:
            self.before.update((face.track, face) for face in here)
        return here, near

    def _near(self, frame: FilmFrame, here: list[_Face]) -> list[_Face]:
        self.before = {track: face for track, face in self.before.items() if frame.time - face.time <= self.linger}
        shown, shots = {face.track for face in here}, {face.shot for face in here}
        after_cuts = bisect_right(self.cuts, frame.index)
        around: dict[int, _Face] = {}
        for face in (*self.before.values(), *self.ahead):
            if face.track in shown or abs(face.time - frame.time) > self.linger or shots - {face.shot}:
                continue
            if bisect_right(self.cuts, face.frame) == after_cuts:
                around.setdefault(face.track, face)
        return list(around.values())


def _read_faces(path: Path) -> Iterator[_Face]:
    with told_by_name(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(_Face._fields)):
            columns: Iterable[list[float]] = (batch[name].to_pylist() for name in _Face._fields)
            yield from map(_Face._make, zip(*columns, strict=True))
