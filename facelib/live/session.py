"""A live session: a source is played, its faces are detected, tracked and named."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image as PillowImage

from facelib.detect import Detector
from facelib.films.naming import NamingSettings
from facelib.live.enrolment import learn, new_file, save_portrait
from facelib.live.player import Player
from facelib.live.recognition import open_recognition
from facelib.live.records import Change, ChangeLog
from facelib.live.source import read_source
from facelib.plots import project_colours
from facelib.project import Project, atomic_write
from facelib.project.identities import merged
from facelib.project.names import known_name

_SNAPSHOT_SUFFIXES = (".jpg", ".jpeg", ".png")


class LiveSession(Player):
    """Plays a camera, a stream or a film, and says who is in the newest picture.

    Nothing is opened before `start`, but everything that can be checked is checked when the session is made. All
    methods may be called from any thread; none waits for a picture.

    Args:
        source: The number of a camera (0 is the first, as text too), an address (`rtsp://`, `http://` ...), or the path
            of a film, which plays at its own speed.
        project: Its recognizer names the faces; its `people/` takes the enrolled ones.
        detector: Finds the faces: a name, the path of an ONNX file, or an open detector.
        embedder: Name or path of the embedding network; empty takes the one the recognizer was fitted for.
        naming: When a face is given a name; None takes the defaults. Only the face counts, not its context.
        seconds_between_recognitions: From the beginning of one to the next; 0 is as often as the machine can. Raising
            it uses less of the machine; in between, faces are followed.
        loop: Whether a film starts again at its end.
        patience: Seconds without a picture after which the session gives up its source as failed; infinite never
            gives up.
        record: Where to record the annotated picture from the beginning; None does not.
        on_change: Called with every change, from the session's own threads; must be quick.

    Attributes:
        source: What is played, as it may be shown: without a password.
        project: Whose people are named.

    Raises:
        ValueError: When the source is none, a number is out of its range, or the embedder is not the recognizer's.
        FileNotFoundError: When there is no such film, or the project has no recognizer yet.
    """

    def __init__(
        self,
        source: str | int | Path,
        project: Project,
        *,
        detector: str | Path | Detector = "centerface",
        embedder: str | Path = "",
        naming: NamingSettings | None = None,
        seconds_between_recognitions: float = 0.0,
        loop: bool = False,
        patience: float = math.inf,
        record: str | Path | None = None,
        on_change: Callable[[Change], None] | None = None,
    ) -> None:
        if not seconds_between_recognitions >= 0 or not patience > 0:
            raise ValueError(
                f"expected seconds_between_recognitions of 0 or more and patience above 0, "
                f"got {seconds_between_recognitions!r} and {patience!r}"
            )
        played = read_source(source)
        self.project = project
        recognition = open_recognition(
            project, detector, embedder, naming=naming or NamingSettings(), seconds=seconds_between_recognitions
        )
        super().__init__(
            played,
            recognition,
            ChangeLog(on_change),
            seconds=seconds_between_recognitions,
            loop=loop,
            patience=patience,
            colours=project_colours(project, recognition.people),
        )
        if record is not None:
            self.record(record)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    @property
    def recording(self) -> Path | None:
        """The file that is recorded to, None where none is."""
        recorder = self._recorder
        return recorder.path if recorder and not recorder.problem else None

    @property
    def people(self) -> list[str]:
        """The people the recognizer knows, sorted."""
        return self.recognition.people

    def changes(self) -> list[Change]:
        """Return what has changed since the last call, oldest first."""
        return self._log.take()

    def enrol(self, track: int, person: str) -> Path:
        """Make a face that is followed, or was within the last minute, known as a person.

        Its best face is saved as a picture below `people/<person>/`, embedded, and added to `faces.parquet` and to the
        recognizer, here and on disk. No file is overwritten. The track carries the name from the next picture on.

        Args:
            track: As in `LiveFace.track`.
            person: A name of the cast, or a new one.

        Returns:
            The picture's path.

        Raises:
            ValueError: When no such track is remembered, no face of it was large and clear enough, or the name cannot
                be that of a person.
            FileNotFoundError: When the project has no gallery.
            OSError: When a file cannot be written.
        """
        person = known_name(person, self.project.find_people(missing_ok=True))
        person = merged(self.project).get(person, person)
        with self.machine:
            evidence = self.recognition.evidence(track)
            portrait = evidence.portrait
        path = save_portrait(portrait, self.project, person, track=track)
        assert portrait is not None  # or nothing would have been saved
        taught = learn(path, portrait, self.project, person, self.recognition.embedder)
        with self.machine:
            self.recognition.renew(*taught)
            evidence.enrolled = person
        self.colours = project_colours(self.project, [*self.people, person])
        self._log.tell("enrolled", at=self.time, track=track, person=person, confidence=1.0, message=path.name)
        return path

    def snapshot(self, path: str | Path | None = None) -> Path:
        """Save the newest picture with its names drawn, as JPEG or PNG; by default below `output/<project>/live/`.

        Raises:
            RuntimeError: When there is no picture yet.
            ValueError: When the suffix is none of these.
            OSError: When it cannot be written.
        """
        target = self._new_file(".jpg") if path is None else Path(path)
        if target.suffix.lower() not in _SNAPSHOT_SUFFIXES:
            raise ValueError(f"expected a picture's name to end in one of {_SNAPSHOT_SUFFIXES!r}, got {str(path)!r}")
        view = self.view()
        if view is None:
            raise RuntimeError(f"expected a picture of {self.source} to save, none has come yet; wait until it plays")
        with atomic_write(target) as temporary:
            PillowImage.fromarray(view.annotated()).save(temporary, quality=92)
        return target

    def record(self, path: str | Path | None = None) -> Path:
        """Record the annotated picture from now on as MP4, every picture at its own time; playable at any moment.

        Args:
            path: Where, ending in `.mp4`; None takes a new name below `output/<project>/live/`.

        Returns:
            The file. It appears with the next picture.

        Raises:
            RuntimeError: When it records already, or the session has ended.
            FileExistsError: When there is such a file.
            ValueError: When the suffix is another.
            OSError: When the folder cannot be made.
        """
        target = self._new_file(".mp4") if path is None else Path(path)
        self._record(target)
        return target

    def _new_file(self, suffix: str) -> Path:
        return new_file(self.project.output / "live", f"{datetime.now(UTC):%Y-%m-%d %H%M%S}", suffix)
