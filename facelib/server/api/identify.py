"""Who is in a picture, and where in the films a face is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from facelib.archive import find_face, open_archive, update_archive
from facelib.faces import Faces, Image
from facelib.gather.sources.fetched import check_fetched
from facelib.images import UnreadablePicture, read_image
from facelib.images.large import LARGEST_WHOLE
from facelib.project import Project
from facelib.server.api.search import FaceHit, face_hits
from facelib.server.bodies import PICTURE_FORM, FormFile, read_picture
from facelib.server.cached import rows_of
from facelib.server.dependencies import CurrentProject, Reader, Turns, held_by_app
from facelib.server.problems import Problem
from facelib.server.uploads.inspection import inspected_picture

if TYPE_CHECKING:
    from facelib.detect import Detector
    from facelib.embed import Embedder
    from facelib.recognize import OpenSetKNN, OpenSetSVM, RecognizerInfo


class Networks:
    """One detector and the embedders that projects use; one for each server."""

    def __init__(self) -> None:
        self._detector: Detector | None = None
        self._embedders: dict[str, Embedder] = {}
        self._lock = Lock()

    @contextmanager
    def of(self, info: RecognizerInfo) -> Iterator[tuple[Detector, Embedder]]:
        """Yield the detector, and the embedder that a recognizer was fitted with, to one thread at a time.

        Raises:
            Problem: 409 when the embedder here has other weights.
        """
        from facelib.detect import load_detector
        from facelib.embed import load_embedder

        name = info.embedder
        with self._lock:
            if self._detector is None:
                self._detector = load_detector(working_size=_WORKING_SIZE)
            if name not in self._embedders:
                self._embedders[name] = load_embedder(name)
            if self._embedders[name].sha256 != info.weights_sha256:
                raise Problem(409, f"expected the weights of {name!r} that the recognizer has; train it again")
            yield self._detector, self._embedders[name]


router = APIRouter(prefix="/projects/{project}", tags=["identify"])

_MOST_CANDIDATES = 3
_WORKING_SIZE = 2000  # pixels: at its full size, a picture of 100 million takes five gigabytes and minutes


CurrentNetworks = Annotated[Networks, held_by_app("networks")]


class PossibleName(BaseModel):
    """One of the cast whom a face may show."""

    person: str
    probability: float = Field(description="From 0 to 1; what all lack to 1 is that it is somebody else.")


class IdentifiedFace(BaseModel):
    """A face in a picture, and whose it is."""

    box: tuple[float, float, float, float] = Field(
        description="Left, top, right, bottom, pixels of the upright picture."
    )
    score: float = Field(description="The detector's.")
    person: str = Field(description="One of the cast, or `unknown`.")
    probability: float = Field(description="That the nearest name is right, 0 to 1.")
    distance: float = Field(description="To the nearest face of the gallery with the nearest name.")
    evidence: str = Field(description="The picture of the gallery that is nearest.")
    reason: str = Field(examples=["0.31 from people/Ada/1.jpg; at most 0.45 gives a name"])
    candidates: list[PossibleName]


class Identified(BaseModel):
    """The faces in a picture, from left to right."""

    width: int
    height: int
    faces: list[IdentifiedFace]


@router.post("/identify", openapi_extra=PICTURE_FORM)
async def identify(
    _caller: Reader, project: CurrentProject, networks: CurrentNetworks, turns: Turns, request: Request
) -> Identified:
    """Say who is in a picture: all faces with names, probabilities and reasons; the picture is not kept."""
    file = await read_picture(request)
    return await to_thread.run_sync(_identify, project, networks, file, limiter=turns)


@router.post("/search/face", openapi_extra=PICTURE_FORM)
async def search_face(
    _caller: Reader,
    project: CurrentProject,
    networks: CurrentNetworks,
    turns: Turns,
    request: Request,
    most: Annotated[int, Query(ge=1, le=1000, description="How many tracks at most.")] = 20,
) -> list[FaceHit]:
    """Return the tracks of all films whose faces are nearest to the largest face of a picture, unknown people too."""
    file = await read_picture(request)
    return await to_thread.run_sync(_search, project, networks, file, most, limiter=turns)


def _identify(project: Project, networks: Networks, file: FormFile) -> Identified:
    from facelib.recognize import load_recognizer

    recognizer, info = load_recognizer(project.recognizer)
    image = _decode(file)
    with networks.of(info) as (detector, embedder):
        faces = detector.detect(image)
        vectors = embedder.embed(image, faces)
    found = _named(recognizer, info, faces, vectors) if len(faces) else []
    return Identified(width=image.shape[1], height=image.shape[0], faces=sorted(found, key=lambda one: one.box[0]))


def _search(project: Project, networks: Networks, file: FormFile, most: int) -> list[FaceHit]:
    from facelib.archive.picture_face import embed_largest
    from facelib.recognize import read_recognizer_info

    info = read_recognizer_info(project.recognizer)
    image = _decode(file)
    with networks.of(info) as (detector, embedder):
        vector = embed_largest(image, detector, embedder, name=file.name)
    update_archive(project, progress=False)
    with open_archive(project) as archive:
        table = find_face(archive, vector, most=most, weights=info.weights_sha256)
    return face_hits(project, table)


def _decode(file: FormFile) -> Image:
    with inspected_picture(file.content) as path:
        try:
            check_fetched(file.content, most_pixels=LARGEST_WHOLE)
        except UnreadablePicture as error:
            raise Problem(422, f"expected a picture, could not take {file.name!r}: {error}") from error
        return read_image(path)


def _named(
    recognizer: OpenSetKNN | OpenSetSVM, info: RecognizerInfo, faces: Faces, vectors: np.ndarray[Any, Any]
) -> list[IdentifiedFace]:
    decided = recognizer.decide(vectors)
    shares = recognizer.predict_proba(vectors)
    confidence = info.confidence(decided["distance"].to_numpy())
    found = []
    for place, row in enumerate(rows_of(decided)):
        evidence = info.pictures[int(row["neighbour"])]
        left, top, right, bottom = (float(side) for side in faces.boxes[place])
        found.append(
            IdentifiedFace(
                box=(left, top, right, bottom),
                score=float(faces.scores[place]),
                person=str(row["person"]),
                probability=float(confidence[place]),
                distance=float(row["distance"]),
                evidence=evidence,
                reason=_reason(row, info, evidence),
                candidates=_candidates(recognizer.classes_, shares[place]),
            )
        )
    return found


def _reason(row: dict[str, Any], info: RecognizerInfo, evidence: str) -> str:
    near = f"{row['distance']:.2f} from {evidence}"
    if info.kind == "svm":
        return f"{near}; a probability of at least {info.threshold:.2f} gives a name"
    whose = "" if row["person"] == row["best_person"] else f", the nearest of {row['best_person']}"
    return f"{near}{whose}; at most {info.threshold:.2f} gives a name"


def _candidates(people: Any, shares: Any) -> list[PossibleName]:
    best = np.argsort(-shares, kind="stable")[:_MOST_CANDIDATES]
    return [PossibleName(person=str(people[one]), probability=float(shares[one])) for one in best if shares[one] > 0]
