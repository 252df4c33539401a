"""The main job for all films of a project: who is on screen, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.film import find_tracks
from facelib.naming import Recognizer, name_tracks
from facelib.project import Project, write_table
from facelib.recognize import UNKNOWN, RecognizerInfo
from facelib.timeline import appearances
from facelib.video import UnreadableFilm


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """What came of several films.

    Attributes:
        films: The films that could be read, in order.
        summary: one row a film: `film`, `shots with faces`, `tracks`, `named`, `unknown`, `people`, `problem` (why it
            was left out, or not read to its end).
    """

    films: list[Path]
    summary: pd.DataFrame


def identify_films(
    films: Iterable[Path],
    project: Project,
    finder: Detector,
    net: Embedder,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    seconds_between_samples: float = 0.2,
    longest_gap: float = 1.0,
    shot_threshold: float = 3.0,
    progress: bool = True,
) -> Identified:
    """Find, follow and name the faces of films; write `detections`, `tracks` and `appearances` of each, and a summary.

    A film that cannot be read is left out and stands in the summary with the reason; the others go on.

    Args:
        films: Paths.
        project: Where the results go.
        finder: Finds the faces.
        net: Embeds them; the network the recognizer was fitted for.
        recognizer: Names them.
        info: What the recognizer was made from.
        seconds_between_samples: 0 looks at every frame; raising it is faster and loses short appearances.
        longest_gap: Stretches of one person at most so many seconds apart become one appearance.
        shot_threshold: Raising it finds fewer cuts.
        progress: Show a bar for each film, with rate and time left.

    Raises:
        ValueError: When there is no film, when none of them could be read, or when `net` is not the network
            that the recognizer was fitted for.
    """
    films = list(films)
    if not films:
        raise ValueError(f"expected at least one film in {str(project.videos)!r}, found none; put one there")
    if net.sha256 != info.weights_sha256:
        raise ValueError(
            f"expected the embeddings of {info.embedder!r}, on which the recognizer was fitted, got {net.name!r}; "
            f"run 02 and 04 again with this embedder, or choose the other one here"
        )
    done, rows = [], []
    for film in films:
        files = project.film(film)
        try:
            followed = find_tracks(
                film,
                files,
                finder,
                net,
                seconds_between_samples=seconds_between_samples,
                shot_threshold=shot_threshold,
                progress=progress,
            )
        except UnreadableFilm as error:
            rows.append([film.name, 0, 0, 0, 0, "", str(error)])
            continue
        tracks = name_tracks(followed.tracks, recognizer, info)
        write_table(tracks, files.tracks)
        write_table(appearances(tracks, longest_gap=longest_gap), files.appearances)
        done.append(film)
        rows.append([film.name, *_counts(tracks), followed.problem])
    columns = ["film", "shots with faces", "tracks", "named", "unknown", "people", "problem"]
    summary = pd.DataFrame(rows, columns=pd.Index(columns))
    write_table(summary, project.film_summary)
    if not done:
        raise ValueError(f"none of the films could be read: {'; '.join(summary['problem'])}")
    return Identified(done, summary)


def _counts(tracks: pd.DataFrame) -> list[object]:
    unknown = int((tracks["person"] == UNKNOWN).sum())
    people = sorted(set(tracks["person"]) - {UNKNOWN})
    return [tracks["shot"].nunique(), len(tracks), len(tracks) - unknown, unknown, ", ".join(people)]
