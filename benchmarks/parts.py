"""What each part of naming brings: the labelled films with each part switched off, faces in profile by themselves.

Usage: python benchmarks/parts.py [--sets sitcom ...] [--data ../shared/data] [--keep FOLDER] [--embedder dlib]
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import pandas as pd
from context import Film, FilmSet, ask, labelled_sets
from numpy.typing import NDArray

from facelib.embed import Embedder
from facelib.embed.pose import away
from facelib.embed.shapes import evidence_shape
from facelib.evaluate import Score, score_table
from facelib.evaluate.truth import UNNAMED
from facelib.films.naming import context, evidence, joint, tracks
from facelib.films.naming.likeness import HAIR
from facelib.nets.figures import EvidenceShape
from facelib.project.names import UNKNOWN

PROFILE = 55.0  # degrees away from the camera
OFF = 0.0


@dataclass(frozen=True)
class Part:
    """One part of naming, switched off."""

    name: str
    constants: tuple[tuple[object, str, object], ...] = ()
    pose: bool = True
    cut: bool = True
    context: bool = True

    @contextmanager
    def off(self, film: Film) -> Iterator[Film]:
        """Switch the part off, and hand out the film as it is seen without."""
        looks = film.looks.assign(**{"yaw": np.nan, "pitch": np.nan} if not self.pose else {})
        with ExitStack() as stack:
            for module, constant, value in self.constants:
                stack.enter_context(patch.object(module, constant, value))
            yield replace(film, looks=looks if self.cut else looks.assign(cut=OFF))


def _as_many(embedder: str, weights: str) -> tuple[EvidenceShape, bool]:
    shape, measured = evidence_shape(embedder, weights)
    return replace(shape, few=OFF), measured


def _as_family(embedder: str, weights: str) -> tuple[EvidenceShape, bool]:
    shape, measured = evidence_shape(embedder, weights)
    return replace(shape, strangers=(1.1, 1.4)), measured


def _sharp(tracks: evidence.Tracks) -> NDArray[np.float32]:
    return np.zeros(len(tracks.quality), np.float32)


BLUR = ((evidence, "dimness", _sharp),)
PRESENCE = ((evidence, "_ABSENT", OFF), (evidence, "_AMONG_THE_CAST", OFF))
PARTS = (
    Part("nothing"),
    Part("how far a face is turned", pose=False),
    Part("how blurred a face is", BLUR),
    Part("turn and blur", BLUR, pose=False),
    Part("faces cut by the edge of the picture", cut=False),
    Part("who is known to be in the scene", PRESENCE),
    Part("hair", ((joint, "HAIR", replace(HAIR, least=OFF)),)),
    Part("a name must be more probable against strangers than others", ((context, "_RISK", 1.0),)),
    Part("doubted names are not passed on", ((joint, "_DOUBTED", -9.0),)),
    Part("allowance for few pictures of a person", ((tracks, "evidence_shape", _as_many),)),
    Part("strangers at 1.2 thresholds and more", ((tracks, "evidence_shape", _as_family),)),
    Part("turn, edge, scene and doubt together", (*PRESENCE, (joint, "_DOUBTED", -9.0)), pose=False, cut=False),
    Part("all context: the face alone", context=False),
)


def scored(film: Film, tracks: pd.DataFrame, known: pd.DataFrame, *, profiles: bool) -> Score:
    """Compare names with the truth; of faces in profile alone, those whose nearest look is one."""
    faces = film.detections.merge(tracks[["track", "person"]], on="track")
    labels = film.truth.faces["person"]
    people = labels.where(labels.isin(known["person"]), UNKNOWN).mask(labels == "ignore", UNNAMED)
    truth = film.truth.faces.assign(person=people)
    if film.truth.frames is not None:
        faces = faces[faces["frame"].isin(film.truth.frames)]
    if profiles:
        degrees = away(film.looks[["yaw", "pitch", "yaw"]].to_numpy())
        turned = film.looks.assign(profile=degrees >= PROFILE).groupby("track")["profile"].mean() > 0.5
        faces = faces[faces["track"].map(turned).fillna(False).to_numpy(bool)]
    found = score_table(faces, truth)
    return replace(found, cast=found.right + found.wrong + _unnamed(faces, truth)) if profiles else found


def _unnamed(faces: pd.DataFrame, truth: pd.DataFrame) -> int:
    """Return how many labelled faces of the cast were found and left without a name."""
    all_named = score_table(faces.assign(person="anybody"), truth)
    given = score_table(faces, truth)
    return all_named.wrong - given.right - given.wrong


def main() -> None:
    """Print the table."""
    asked = ask(__doc__)
    print(
        "| films | switched off | cast named right | wrong | strangers named | on no face | profiles right | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, films in labelled_sets(asked):
        for part in PARTS:
            print(row(name, part, films, asked.embedder), flush=True)


def row(name: str, part: Part, films: FilmSet, embedder: Embedder) -> str:
    """Name the films of a set without one part, and return the line of the table."""
    total, profiles, seconds = Score(), Score(), 0.0
    for film in films.films:
        with part.off(film) as seen:
            start = time.perf_counter()
            tracks = seen.named(films.known, embedder, context=part.context)
            seconds += time.perf_counter() - start
        total += scored(film, tracks, films.known, profiles=False)
        profiles += scored(film, tracks, films.known, profiles=True)
    return (
        f"| {name} | {part.name} | {total.named_right:.3f} of {total.cast} | {total.wrong} | "
        f"{total.strangers_named} of {total.strangers} | {total.false_named} | "
        f"{profiles.right} of {profiles.cast} | {seconds:.2f} |"
    )


if __name__ == "__main__":
    main()
