"""Who is in a picture, and where in the films a face is seen."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from facelib.archive import find_face, open_archive, update_archive
from facelib.faces import Faces, Image
from facelib.gather.adding import LARGEST_PICTURE
from facelib.gather.sources.fetched import check_fetched
from facelib.images import UnreadablePicture, read_image
from facelib.project import Project
from facelib.server.api.search import FaceHit, face_hits
from facelib.server.bodies import FormFile, describe_form, read_form
from facelib.server.cached import rows_of
from facelib.server.dependencies import CurrentProject, Reader, held_by_app
from facelib.server.problems import Problem
from facelib.server.uploads.inspection import inspect_file

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

    def look_at(
        self, image: Image, embedder: str, weights: str, *, portrait: bool = False
    ) -> tuple[Faces, NDArray[np.float32]]:
        """Return the faces of a picture, and their embeddings by the network that a recognizer was fitted with.

        Args:
            image: RGB.
            embedder: The network's name.
            weights: SHA-256 of the weights that it must have.
            portrait: Turn a picture whose main face lies sideways; the boxes are those of the picture as it is turned.

        Raises:
            Problem: 409 when the network here has other weights.
        """
        from facelib.detect import load_detector
        from facelib.detect.portraits import find_portrait
        from facelib.embed import load_embedder

        with self._lock:
            if self._detector is None:
                self._detector = load_detector()
            if embedder not in self._embedders:
                self._embedders[embedder] = load_embedder(embedder)
            network = self._embedders[embedder]
            if network.sha256 != weights:
                raise Problem(409, f"expected the weights of {embedder!r} that the recognizer has; train it again")
            if portrait:
                found = find_portrait(image, self._detector)
                image, faces = found.image, found.faces
            else:
                faces = self._detector.detect(image)
            if not len(faces):
                return faces, np.empty((0, 0), np.float32)
            return faces, np.asarray(network.embed(image, faces), np.float32)


router = APIRouter(prefix="/projects/{project}", tags=["identify"])

_FORM = describe_form("picture", "JPEG, PNG, WebP, HEIC, TIFF, ...")
_MOST_CANDIDATES = 3


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


@router.post("/identify", openapi_extra=_FORM)
async def identify(_caller: Reader, project: CurrentProject, networks: CurrentNetworks, request: Request) -> Identified:
    """Say who is in a picture: all faces with names, probabilities and reasons; the picture is not kept."""
    file = await read_form(request, "picture", largest=LARGEST_PICTURE)
    return await run_in_threadpool(_identify, project, networks, file)


@router.post("/search/face", openapi_extra=_FORM)
async def search_face(
    _caller: Reader,
    project: CurrentProject,
    networks: CurrentNetworks,
    request: Request,
    most: Annotated[int, Query(ge=1, le=1000, description="How many tracks at most.")] = 20,
) -> list[FaceHit]:
    """Return the tracks of all films whose faces are nearest to the largest face of a picture, unknown people too."""
    file = await read_form(request, "picture", largest=LARGEST_PICTURE)
    return await run_in_threadpool(_search, project, networks, file, most)


def _identify(project: Project, networks: Networks, file: FormFile) -> Identified:
    from facelib.recognize import load_recognizer

    recognizer, info = load_recognizer(project.recognizer)
    image = _decode(file)
    faces, vectors = networks.look_at(image, info.embedder, info.weights_sha256)
    found = _named(recognizer, info, faces, vectors) if len(faces) else []
    return Identified(width=image.shape[1], height=image.shape[0], faces=sorted(found, key=lambda one: one.box[0]))


def _search(project: Project, networks: Networks, file: FormFile, most: int) -> list[FaceHit]:
    from facelib.recognize import read_recognizer_info

    info = read_recognizer_info(project.recognizer)
    faces, vectors = networks.look_at(_decode(file), info.embedder, info.weights_sha256, portrait=True)
    if not len(faces):
        raise Problem(422, f"expected a picture with a face, found none in {file.name!r}; cut it closer to the face")
    update_archive(project, progress=False)
    with open_archive(project) as archive:
        largest = int(np.argmax(faces.widths * faces.heights))
        table = find_face(archive, vectors[largest], most=most, weights=info.weights_sha256)
    return face_hits(project, table)


def _decode(file: FormFile) -> Image:
    """Return an uploaded picture, after a look at it; it lies on the disk only as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="facelib-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(file.content)
        inspect_file(path, "picture")
        try:
            check_fetched(file.content)
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
