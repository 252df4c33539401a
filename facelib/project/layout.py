"""The paths of every file of a project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from facelib.images import find_pictures_below
from facelib.project.cast import person_folders
from facelib.project.digests import file_digest, file_digests, state_of
from facelib.project.files import file_lock, numbered, path_of, short_name, text_of

_LONGEST = 255  # bytes of a folder's name


class Place:
    """A property: the path of a file or folder below one of the folders of a project or of a film."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name

    def __get__(self, owner: object, kind: type | None = None) -> Path:
        folder: Path = getattr(owner, self._folder)
        return folder / self._name


@dataclass(frozen=True, slots=True)
class Project:
    """The folders and files of one project: a cast, its films, and the results.

    Attributes:
        name: The folder's name under `data_dir` and `output_dir`.
        data_dir: Holds `<name>/people/<Person Name>/*` and `<name>/videos/*`.
        output_dir: Holds `<name>/`, made at the first write. A relative folder lies below the current one. Where that
            is called `notebooks` and has no such folder, it lies beside it: JupyterLab starts notebooks in theirs.

    Examples:
        >>> Project("demo").faces.as_posix()
        'output/demo/faces.parquet'
    """

    name: str
    data_dir: Path = Path("data")
    output_dir: Path = Path("output")

    def __post_init__(self) -> None:
        """Accept paths as text too, and refuse a name that would lead out of the folders.

        Raises:
            ValueError: When the name is empty or too long, starts with a dot, or holds a path separator; or when the
                results would lie among the user's own files, where they would be taken for films.
        """
        too_long = len(os.fsencode(self.name)) > _LONGEST
        if not self.name or too_long or self.name.startswith(".") or {"/", "\\", "\0"} & set(self.name):
            raise ValueError(f"expected the name of a project's folder, such as 'demo', got {self.name!r}")
        data, output = Path(self.data_dir), Path(self.output_dir)
        if Path.cwd().name == "notebooks" and not data.is_dir():
            data = ".." / data
            if not output.is_dir() or (".." / output).is_dir():
                output = ".." / output
        object.__setattr__(self, "data_dir", data)
        object.__setattr__(self, "output_dir", output)
        own, made = (Path(os.path.abspath(folder)) for folder in (self.data, self.output))
        if made == own or made.is_relative_to(own / "videos") or made.is_relative_to(own / "people"):
            raise ValueError(f"expected another folder for results than for pictures and films, got {str(output)!r}")

    @property
    def data(self) -> Path:
        """The folder of the user's files: `people/` and `videos/`."""
        return self.data_dir / self.name

    @property
    def output(self) -> Path:
        """The folder of everything facelib made."""
        return self.output_dir / self.name

    people = Place("data", "people")
    """One folder of pictures per person, named after the person."""

    videos = Place("data", "videos")
    """The films."""

    disabled = Place("data", "disabled.txt")
    """The list of pictures to leave out: one path relative to `data` per line; `#` begins a comment."""

    wikidata = Place("data", "wikidata.csv")
    """The user's list of Wikidata ids: a CSV file with the columns `person` and `id`."""

    faces = Place("output", "faces.parquet")
    """The table of known faces."""

    map = Place("output", "map.parquet")
    """The table of the t-SNE map."""

    recognizer = Place("output", "recognizer.skops")
    """The fitted recognizer; a `.json` file beside it says what it was made from."""

    runs = Place("output", "runs")
    """One folder per run of the pipeline."""

    film_summary = Place("output", "videos/summary.csv")
    """One row per film of the last run: what was found in it, or why it was left out."""

    corrections = Place("output", "corrections.csv")
    """The user's decisions, one per row, only ever appended to."""

    marks = Place("output", "marks.csv")
    """Which colour and symbol each person has, so that they stay the same."""

    archive = Place("output", "archive")
    """The folder of the index over all films, made and searched by `facelib.archive`."""

    store = Place("output", "store")
    """The folder in which many machines leave tables and attempts, see `facelib.archive.cluster`."""

    page = Place("output", "index.html")
    """The page of the whole project, opened in a browser."""

    page_data = Place("output", "page/project.js")
    """The page's data of all films together."""

    proposed = Place("output", "proposed")
    """The folder of people found in films, who only lack a name, see `facelib.gather.film_faces`."""

    unknowns = Place("output", "unknowns")
    """The folder of the groups of unknown people over all films."""

    def place_of(self, path: Path) -> str:
        """Return a file's name that stays when the project is moved: its path in the project's folders, if there."""
        for kind, folder in (("data", self.data), ("output", self.output)):
            if path.is_relative_to(folder):
                return text_of(f"{kind}/{path.relative_to(folder).as_posix()}")
        return text_of(path.absolute().as_posix())

    def path_at(self, place: str) -> Path:
        """Return the path that `place_of` gives this name."""
        kind, _, rest = path_of(place).partition("/")
        return {"data": self.data, "output": self.output}[kind] / rest if kind else Path(path_of(place))

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, read once for each state of the file.

        Raises:
            OSError: When the file cannot be read.
        """
        return file_digest(path, kept=self.output / "digests.json", name=self.place_of(path))

    def digests(self, paths: Iterable[Path]) -> dict[str, str | None]:
        """Return the SHA-256 of files by their `place_of`, read once for each state; None where one cannot be read."""
        return file_digests({self.place_of(path): path for path in paths}, kept=self.output / "digests.json")

    def film(self, video: str | Path) -> FilmFiles:
        """Return the files of one film's results; `video` is its path or file name.

        The folder is named after the film without its suffix; where that name belongs to another film, or to a table,
        after the whole file name. Once it has tables, a folder stays with its film.
        """
        name, places = Path(video).name, self.film_summary.parent
        plain = FilmFiles(places / Path(name).stem)
        owner = plain.film  # read once: another run may write it meanwhile
        if owner == text_of(name):
            return plain
        if (whole := FilmFiles(places / name)).film == text_of(name):
            return whole
        is_table = plain.folder.name.casefold() == self.film_summary.name
        if not is_table and not owner and self._heir(plain) in ("", name):
            return plain
        each = (FilmFiles(places / one) for one in numbered(name))
        return next(files for files in each if files.film in ("", text_of(name)))

    def all_results(self) -> list[FilmFiles]:
        """Return the files of all films' results, by folder, also of films that are gone or lie elsewhere."""
        places = self.film_summary.parent
        return [FilmFiles(folder) for folder in sorted(places.iterdir())] if places.is_dir() else []

    @contextmanager
    def hold(self, video: str | Path) -> Iterator[FilmFiles]:
        """Yield the files of one film's results, for one process at a time; other films can be worked on meanwhile.

        Raises:
            BlockingIOError: When another process works on the film.
            OSError: When the output folder cannot be written.
        """
        files = self.film(video)
        lock = self.output / ".locks" / f"{short_name(files.folder.name)}.lock"
        with file_lock(lock, what=f"other run on the film {Path(video).name!r}"):
            yield files

    def hold_all(self) -> AbstractContextManager[None]:
        """Wait for and hold the lock on what concerns all films, such as the groups of unknown people."""
        return file_lock(self.output / ".locks" / "project", what="other run that settles this project", wait=True)

    def _heir(self, files: FilmFiles) -> str:
        """Return which film a folder without `film.txt` is of: the one its tables were made from, else the first."""
        from facelib.project.content import why_no_film

        films = [film for film in self._files_called(files.folder.name) if not why_no_film(film)]
        try:
            made = json.loads(files.followed.read_text(encoding="utf-8"))["made"]
            own = [film for film in films if (made["size"], made["changed"]) == state_of(film)]
        except (OSError, ValueError, KeyError, TypeError):
            own = []
        return next((film.name for film in [*own, *films]), "")

    def find_people(self, *, missing_ok: bool = False) -> list[str]:
        """Return the names of the people, sorted: the folders in `people/`, without system folders.

        Raises:
            FileNotFoundError: When the project has no `people/` folder; with `missing_ok` it has nobody instead.
        """
        if not (missing_ok or self.people.is_dir()):
            raise FileNotFoundError(
                f"expected a folder with one folder of pictures per person at {str(self.people)!r}, found none; "
                "make it, or have step 1 gather pictures by name (-p names=...) or from films (-p faces_from=all); "
                "'facelib demo' makes a project to try"
            )
        return [text_of(folder.name) for folder in person_folders(self.people)]

    def check_person(self, person: str) -> None:
        """Check that somebody has a folder of this name.

        Raises:
            ValueError: When nobody has.
            FileNotFoundError: As in `find_people`.
        """
        people = self.find_people()
        if person not in people:
            raise ValueError(f"expected one of the people {people!r}, got {person!r}; make a folder for somebody new")

    def find_pictures(self, person: str) -> list[Path]:
        """Return the pictures of one person, those in nested folders too, sorted; none is decoded yet."""
        folder = self.people / path_of(person)
        return find_pictures_below(folder).pictures if folder.is_dir() else []

    def label(self, picture: Path) -> str:
        """Return a picture's name in tables: its path relative to the data folder, as text."""
        return text_of(picture.relative_to(self.data).as_posix())

    def picture(self, label: str) -> Path:
        """Return the path of a picture from its name in a table."""
        return self.data / path_of(label)

    def find_videos(self, names: list[str] | None = None) -> list[Path]:
        """Return the films to work on: those named, or all of the project when `names` is empty.

        Args:
            names: File names in the project's `videos/` folder or below, or paths to files anywhere.

        Raises:
            FileNotFoundError: When a named film is not there, or two of them in different folders share one name.
            PermissionError: When the folder of a named film's results cannot be read.
        """
        if not names:
            return [film for film, reason in self.list_videos() if not reason]
        locked = self._locked_results()
        there = [film for film, reason in self._listed(self._files_called(), locked) if not reason]
        films = list(dict.fromkeys(self._find_video(name, there, locked) for name in names))
        called = [film.name for film in films]
        twice = sorted({name for name in called if called.count(name) > 1})
        if twice:
            raise FileNotFoundError(f"expected films with different names, found several called {twice!r}; rename one")
        return films

    def list_videos(self) -> list[tuple[Path, str]]:
        """Return every file in `videos/` and below with the reason why it is skipped, empty for a film.

        Films are recognised by their content. Hidden and system files are not listed, numbered pictures are listed as
        one, and so is a folder that cannot be read.

        Raises:
            PermissionError: When `videos/` itself cannot be read.
        """
        files = self._files_called()
        return self._listed(files, self._locked_results() if files else set())  # which looks at each film's results

    def _listed(self, files: list[Path], locked: set[Path]) -> list[tuple[Path, str]]:
        from facelib.project.content import join_series, unreadable_folders, why_no_film

        listed: dict[str, tuple[Path, str]] = {}
        others = unreadable_folders(self.videos)
        if others and others[0][0] == self.videos:
            raise PermissionError(f"expected to read the films in {str(self.videos)!r}, which {others[0][1]}")
        for path in files:
            place = str(path.relative_to(self.videos))
            reason = "its name is not UTF-8: rename it" if text_of(place) != place else why_no_film(path)
            if not reason and path.name in listed:
                first = listed[path.name][0].relative_to(self.videos).as_posix()
                reason = f"called like the film {first!r}; rename one"
            if locked and not reason and (folder := self.film(path).folder) in locked:
                reason = f"the folder of its results {self.place_of(folder)!r} cannot be read"
            if reason:
                others.append((path, reason))
            else:
                listed[path.name] = path, ""
        return sorted([*listed.values(), *join_series(others)])

    def _locked_results(self) -> set[Path]:
        """Return the folders of films' results that this user may not read: nothing can be said of these films."""
        places = self.film_summary.parent
        if not os.access(places, os.R_OK | os.X_OK):
            return set()
        with os.scandir(places) as there:
            return {Path(one) for one in there if not os.access(one, os.R_OK | os.X_OK) and os.path.isdir(one)}

    def _files_called(self, stem: str | None = None) -> list[Path]:
        """Return the files of a stem, or all: of two films with one name, the one nearer to `videos/` is the first."""
        from facelib.project.content import files_below

        called = (path for path in files_below(self.videos, stem or "") if stem is None or path.stem == stem)
        return sorted(called, key=lambda one: (len(one.parts), one))

    def _find_video(self, name: str, films: list[Path], locked: set[Path]) -> Path:
        below = [film for film in films if film.name == name]
        for candidate in (self.videos / name, *below, Path(name)):
            if candidate.is_file():
                if locked and (folder := self.film(candidate).folder) in locked:
                    raise PermissionError(f"expected to read the results of {name!r} in {str(folder)!r}, may not")
                return candidate
        near = sorted((film.name for film in films), key=lambda other: -SequenceMatcher(None, name, other).ratio())[:10]
        raise FileNotFoundError(f"expected a film named {name!r} in {str(self.videos)!r}; the nearest are {near!r}")


@dataclass(frozen=True, slots=True)
class FilmFiles:
    """The files that facelib makes of one film, all in `folder`."""

    folder: Path

    source = Place("folder", "film.txt")
    """The file that holds the film's file name."""

    @property
    def film(self) -> str:
        """The file name of the film, empty where it is not known."""
        try:
            # Not as text: a carriage return may be part of a name.
            return self.source.read_bytes().decode("utf-8").replace(os.linesep, "\n").removesuffix("\n")
        except (OSError, ValueError):
            return ""

    detections = Place("folder", "detections.parquet")
    """The table of every face in every frame."""

    found = Place("folder", "found.parquet")
    """The table of tracks before naming."""

    named = Place("folder", "named.parquet")
    """The table of tracks as named by face and context, before groups and decisions."""

    @property
    def is_named(self) -> bool:
        """Whether the film's tracks have been found and named."""
        return self.named.is_file() or self.tracks.is_file()

    tracks = Place("folder", "tracks.parquet")
    """The table of tracks, one name each."""

    looks = Place("folder", "looks.parquet")
    """The table of the best faces of each track."""

    followed = Place("folder", "followed.json")
    """What the tables were made from, so that a film can be named again without being decoded."""

    shots = Place("folder", "shots.csv")
    """The table of shots."""

    times = Place("folder", "times.parquet")
    """The table of when each frame is shown, with the map from the times of the film's file."""

    keyframes = Place("folder", "keyframes.parquet")
    """One picture per shot."""

    @property
    def index(self) -> tuple[Path, ...]:
        """The tables that a pass over the film writes, in the order in which they are looked at."""
        return (self.found, self.detections, self.looks, self.shots, self.keyframes, self.times)

    exports = Place("folder", "exports")
    """The folder of subtitles, timelines and tables for other programs."""

    reel = Place("folder", "select_reel.mp4")
    """The appearances of chosen people, cut together."""

    appearances = Place("folder", "appearances.csv")
    """Who is on screen from when to when."""

    annotated = Place("folder", "annotated.mp4")
    """The film with names drawn on it."""

    drawn = Place("folder", "drawn.json")
    """What the annotated film shows, by content."""

    page_data = Place("folder", "page/film.js")
    """The page's data of this film; the faces of its tracks are beside it."""
