"""A project on shared storage: fetched into a working copy on this machine, worked on there, and sent back.

Everything is compared by content: clocks of two machines are never compared. Each correction is an object of its own,
numbered by the storage, so that nobody's decision is lost however many people write at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facelib.archive.cluster.decisions import FOLDER, Known, merge_decisions, rewrite_decisions
from facelib.nets.cache import folders
from facelib.project import Project, atomic_write, digest, write_text
from facelib.project.content import VIDEO_SUFFIXES
from facelib.project.digests import drop_digests
from facelib.project.elsewhere import Elsewhere, give_place_back, hold_place, lies_elsewhere
from facelib.project.files import every_file, file_lock
from facelib.project.ranges import cache_limit, room_for_films
from facelib.project.store import Store, is_remote

_ADDRESSES = "shared.json"
_DECISIONS = f"output/{FOLDER}/"
# The index is each machine's own: files of two indexes, sent at the same moment, would make one that says wrong things.
_OWN = re.compile(r"digests\.json$|corrections\.csv$|corrections/|store/|archive/")
_Merge = Callable[[Store, Path, Known], Known]


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """The copy of a shared project on this machine.

    Attributes:
        project: The copy, to be worked on as any project.
        data: The address of the data folder, such as `s3://bucket/data`.
        output: The address of the output folder.
    """

    project: Project
    data: str
    output: str

    @classmethod
    def of(cls, name: str, data: str, output: str) -> WorkingCopy:
        """Return the working copy of a project in the user's cache folder; nothing is fetched yet.

        Raises:
            ValueError: When one of them is a folder of this machine, or the name is no name of a folder.
        """
        data, output = data.rstrip("/"), output.rstrip("/")
        if not (is_remote(data) and is_remote(output)):
            raise ValueError(
                f"expected the data and the output folder both on shared storage, got {data!r} and {output!r}"
            )
        folder = folders()[-1] / "shared" / digest(data, output)[:16]
        project = Project(name, folder / "data", folder / "output")
        write_text(json.dumps({"data": data, "output": output}), folder / _ADDRESSES)
        return cls(project, data, output)

    def fetch(self) -> None:
        """Bring the copy up to date: files whose content has changed there are fetched, those removed are removed.

        Films are fetched while there is room for them (`facelib.project.ranges.cache_limit`, and half of what is free
        on the disk); the others are read in place, and an empty file of the same size holds their place here.

        Raises:
            FileNotFoundError: When there is nothing of the project at the addresses.
            OSError: When the storage does not answer, or refuses.
        """
        with self._lock():
            there = {place: tag for place, tag in self._find() if not self._is_own(place)}
            if not any(place.startswith("data/") for place in there):
                raise FileNotFoundError(f"expected the project {self.project.name!r} in {self.data!r}, found nothing")
            with self._state() as state:
                gone = [place for place in _files_in(state) if place not in there]
                for place in gone:
                    path = self.project.path_at(place)
                    path.unlink(missing_ok=True)
                    give_place_back(path)
                    del state[place]
                drop_digests(gone, kept=self.project.output / "digests.json")
                left = self._room(state)
                for place, tag in there.items():
                    if state.get(place, ("", ""))[0] != tag or not self.project.path_at(place).is_file():
                        with suppress(FileNotFoundError):  # removed since, or an empty folder's object
                            content, left = self._bring(place, left)
                            state[place] = (tag, content)
                self._merge(state, merge_decisions)

    def _bring(self, place: str, left: int) -> tuple[str, int]:
        """Fetch a file, or hold the place of a film that there is no room for.

        Args:
            place: Of the file.
            left: How many more bytes of films may be kept here.

        Returns:
            The SHA-256 of its content, and how many bytes of films are left.
        """
        store, name, path = self._store(place), _name(place), self.project.path_at(place)
        if _is_film(place):
            path.parent.mkdir(parents=True, exist_ok=True)
            size = store.facts(name).size
            if size > min(left, room_for_films(path.parent)):
                content = store.sha256(name)
                hold_place(path, size, Elsewhere(f"{store.address}/{name}", content))
                return content, left
            left -= size
        with atomic_write(path) as temporary:
            content = store.fetch(name, temporary)
        give_place_back(path)
        return content, left

    def _room(self, state: Iterable[str]) -> int:
        """Return how many more bytes of films may be kept here."""
        films = (self.project.path_at(place) for place in state if _is_film(place))
        return cache_limit() - sum(path.stat().st_size for path in films if path.is_file() and not lies_elsewhere(path))

    def send(self, *, forgotten: bool = False) -> None:
        """Send back what was made, what was decided, and which files were removed; films are never removed there.

        A result that another run has made meanwhile is replaced: both are made from the same.

        Args:
            forgotten: After `facelib.archive.forget.forget_person`: decisions that were changed or removed here are
                changed and removed there, and so are the tables that workers left in the storage.

        Raises:
            OSError: When the storage does not answer, or refuses: what was sent stays, the rest is sent the next time.
                Before anything is sent, when a folder here cannot be read: its files were not removed.
        """
        project = self.project
        with self._lock():
            places = {project.place_of(path): path for path in every_file(project.data, project.output)}
            here = project.digests(path for place, path in places.items() if not self._is_own(place))
            here = {place: None if lies_elsewhere(places[place]) else content for place, content in here.items()}
            with self._state() as state:
                for place, content in here.items():
                    if content and state.get(place, ("", ""))[1] != content:
                        state[place] = (self._store(place).put(_name(place), places[place]), content)
                for place in [place for place in _files_in(state) if place not in here]:
                    if not _is_film(place):  # no step removes one: whoever empties a cache must not lose it
                        self._store(place).delete(_name(place))
                    del state[place]
                self._merge(state, rewrite_decisions if forgotten else merge_decisions)
                if forgotten:
                    store = self._store("output/")
                    # Earlier versions sent the index, too.
                    for name in [*store.find(project.store.name), *store.find(project.archive.name)]:
                        store.delete(name)

    def _merge(self, state: dict[str, tuple[str, str]], how: _Merge) -> None:
        """Bring the decisions here and those in the storage together."""
        known = {_name(place): state.pop(place) for place in list(state) if place.startswith(_DECISIONS)}
        merged = known
        try:
            merged = how(self._store("output/"), self.project.corrections, known)
        finally:
            state.update({f"output/{name}": one for name, one in merged.items()})

    def _find(self) -> Iterator[tuple[str, str]]:
        """Yield the place of each object of the project, and its ETag."""
        for kind in ("data", "output"):
            for name, tag in self._store(f"{kind}/").find().items():
                yield f"{kind}/{name}", tag

    def _is_own(self, place: str) -> bool:
        """Return whether a file is this machine's alone, or is kept in the storage in another way."""
        kind, _, name = place.partition("/")
        return any(part.startswith(".") for part in name.split("/")) or (kind == "output" and bool(_OWN.match(name)))

    def _store(self, place: str) -> Store:
        address = self.data if place.startswith("data/") else self.output
        return Store(f"{address}/{self.project.name}")

    @contextmanager
    def _state(self) -> Iterator[dict[str, tuple[str, str]]]:
        """Yield the ETag and the SHA-256 of each file as it was last fetched or sent; kept at the end of the block."""
        kept, state = _state_of(self.project), known_objects(self.project)
        try:
            yield state
        except BaseException:
            with suppress(OSError):  # the disk may be full; what is broken off goes on from here
                write_text(json.dumps(state), kept)
            raise
        write_text(json.dumps(state), kept)

    def _lock(self) -> AbstractContextManager[None]:
        return file_lock(self.project.output / ".locks" / "shared", what="other transfer of this project", wait=True)


def addresses_of(project: Project) -> dict[str, str]:
    """Return the addresses of a working copy's folders, by `data` and `output`; empty for any other project."""
    try:
        read = json.loads((project.data_dir.parent / _ADDRESSES).read_text(encoding="utf-8"))
        return {kind: f"{read[kind]}/{project.name}" for kind in ("data", "output")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def known_objects(project: Project) -> dict[str, tuple[str, str]]:
    """Return the ETag and the SHA-256 of each file of a working copy as it was last fetched or sent, by its place."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        read = json.loads(_state_of(project).read_text(encoding="utf-8"))
        return {str(place): (str(tag), str(content)) for place, (tag, content) in read.items()}
    return {}


def _state_of(project: Project) -> Path:
    return project.data_dir.parent / f"{project.name}.fetched.json"


def _name(place: str) -> str:
    return place.partition("/")[2]


def _is_film(place: str) -> bool:
    return place.startswith("data/videos/") and PurePosixPath(place).suffix.lower() in VIDEO_SUFFIXES


def _files_in(state: Iterable[str]) -> list[str]:
    return [place for place in state if not place.startswith(_DECISIONS)]
