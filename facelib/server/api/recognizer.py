"""The recognizer: its threshold and figures, trained again, its threshold set by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from facelib.project import Project, text_of
from facelib.project.plain import plain
from facelib.server.api.jobs import JobDocument, NewJob, begin_job
from facelib.server.bodies import JsonBody
from facelib.server.dependencies import Admin, CurrentProject, CurrentSettings, Writing
from facelib.server.events import tell
from facelib.server.problems import Problem
from facelib.server.security.callers import note

if TYPE_CHECKING:  # scikit-learn takes a second to import
    from facelib.recognize import RecognizerInfo
    from facelib.recognize.tuning import Tuning

router = APIRouter(prefix="/projects/{project}/recognizer", tags=["recognizer"])

Rate = Annotated[float | None, Field(description="A fraction; null where nothing could be measured.")]


class Recognizer(BaseModel):
    """The recognizer that names the films, and its error rates."""

    kind: Literal["knn", "svm"]
    k: int = Field(description="How many of the nearest faces vote (knn).")
    threshold: float = Field(description="The largest distance (knn), or least probability (svm), given a name.")
    threshold_from: str = Field(description="`trials`, `embedder`, `parameter` or `hand`.")
    wanted_fpir: float = Field(description="The share of strangers that may be given a name.")
    fpir: Rate
    fnir: Rate
    fpir_interval: tuple[float | None, float | None] = Field(description="95 %.")
    fnir_interval: tuple[float | None, float | None] = Field(description="95 %.")
    impostor_trials: int
    genuine_trials: int
    detector: str
    embedder: str
    per_person: bool
    pictures: int = Field(description="How many pictures of the cast it knows.")
    text: str = Field(description="The same in a sentence.")
    warnings: list[str]


class Training(JsonBody):
    """How to train; what is left out is as the notebooks have it."""

    kind: Literal["knn", "svm"] | None = None
    k: int | None = Field(None, ge=1, le=1000)
    wanted_fpir: float | None = Field(None, gt=0, lt=1)
    threshold: float | None = Field(None, ge=0, le=10)
    per_person: bool | None = None


class NewThreshold(JsonBody):
    """A threshold set by hand; it stays until it is taken back."""

    threshold: float = Field(ge=0, le=10, allow_inf_nan=False)
    even_if_unnamed: bool = Field(False, description="Also where it leaves more than half of the cast without a name.")


@router.get("")
def get_recognizer(project: CurrentProject) -> Recognizer:
    """Describe the recognizer and its error rates."""
    from facelib.recognize import read_recognizer_info

    return _described(read_recognizer_info(project.recognizer))


@router.post("/train", status_code=202)
def train(
    wanted: Training,
    project: CurrentProject,
    caller: Admin,
    settings: CurrentSettings,
    session: Writing,
    response: Response,
) -> JobDocument:
    """Embed the pictures of the cast and fit the recognizer again, as a job: notebooks 02 and 04."""
    given: dict[str, Any] = wanted.model_dump(exclude_none=True)
    return begin_job(NewJob(kind="train", parameters=given), caller, project, settings, session, response)


@router.put("/threshold")
def set_threshold(new: NewThreshold, project: CurrentProject, caller: Admin, session: Writing) -> Recognizer:
    """Set the threshold by hand; it applies to films when they are named again."""
    tuning = _tuning(project)
    most = 1.0 if new.even_if_unnamed else 0.5
    refusal = tuning.refusal(new.threshold, most_unnamed=most)
    if refusal:
        raise Problem(409, f"expected a threshold that gives most of the cast their names: {refusal}")
    tuning.save(project.recognizer, new.threshold, most_unnamed=most, by_hand=True)
    return _changed(project, caller, session, "recognizer.threshold")


@router.delete("/threshold")
def fit_threshold(project: CurrentProject, caller: Admin, session: Writing) -> Recognizer:
    """Undo a threshold that was set by hand: the fitted one applies again."""
    tuning = _tuning(project)
    tuning.save(project.recognizer, tuning.fitted.threshold, most_unnamed=1.0)
    return _changed(project, caller, session, "recognizer.fit")


def _changed(project: Project, caller: Any, session: Any, what: str) -> Recognizer:
    note(session, caller, what, text_of(project.name))
    tell(session, text_of(project.name), "recognizer")
    return get_recognizer(project)


def _tuning(project: Project) -> Tuning:
    """Try the gallery against itself, with the options of the recognizer that there is."""
    from facelib.gallery import read_gallery
    from facelib.recognize import load_recognizer
    from facelib.recognize.tuning import tune_again

    recognizer, info = load_recognizer(project.recognizer)
    return tune_again(read_gallery(project.faces), project, recognizer, info)


def _described(info: RecognizerInfo) -> Recognizer:
    from facelib.recognize.report import describe_recognizer, recognizer_warnings

    fields = {name: getattr(info, name) for name in Recognizer.model_fields if hasattr(info, name)}
    for name in ("fpir", "fnir", "fpir_interval", "fnir_interval"):
        fields[name] = plain(fields[name])
    return Recognizer(
        **fields
        | {"pictures": len(info.pictures), "text": describe_recognizer(info), "warnings": recognizer_warnings(info)}
    )
