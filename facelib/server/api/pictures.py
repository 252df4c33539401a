"""Pictures of the cast: listed, shown, uploaded, left out, taken in again, moved to another person."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

import pandas as pd
from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field

from facelib.faces import BOX
from facelib.gallery import accept, accepted, move, undo
from facelib.gather.adding import add_picture
from facelib.images import crop, encode_jpeg, is_picture, read_image, thumbnail
from facelib.project import Project, path_of
from facelib.server.api.people import PersonName, known_person
from facelib.server.bodies import PICTURE_FORM, FormFile, JsonBody, read_picture
from facelib.server.cached import Kept, rows_of, table_of, tag_of
from facelib.server.dependencies import Corrector, CurrentProject, Page, Paged, Turns, Writing, held_by_app, page_of
from facelib.server.middleware import is_named
from facelib.server.problems import Problem
from facelib.server.reviews import cast_changed
from facelib.server.security.callers import note
from facelib.server.uploads.inspection import inspected_picture

router = APIRouter(prefix="/projects/{project}/people/{person}", tags=["pictures"])

PictureName = Annotated[
    str, Path(max_length=1000, description="The file's name in the person's folder.", examples=["portrait.jpg"])
]
Box = tuple[float, float, float, float]


class Picture(BaseModel):
    """A picture of one of the cast."""

    name: str = Field(description="The file's name in the person's folder.", examples=["portrait.jpg"])
    person: str = Field(description="Whose folder it is in.")
    disabled: bool = Field(description="Left out by the user.")
    used: bool | None = Field(description="Used by the gallery; null where notebook 02 has not seen it yet.")
    reason: str = Field(description="Why it is not used, such as `no face` or `duplicate`; empty for one that is.")
    box: Box | None = Field(description="The face: left, top, right, bottom, pixels of the upright picture.")
    sharpness: float | None = Field(description="Of the face; about 50 looks blurred, 300 crisp.")


class AddedPicture(Picture):
    """A picture after its upload."""

    new: bool = Field(description="False where the person had a picture with the same bytes, which this is.")


class ChangedPicture(JsonBody):
    """What to change of a picture; what is left out stays."""

    disabled: bool | None = Field(None, description="Leave it out, or take it in again.")
    person: str | None = Field(None, max_length=400, description="Move it to this person of the cast.")


@router.get("/pictures")
def list_pictures(person: PersonName, project: CurrentProject, paging: Paged) -> Page[Picture]:
    """List a person's pictures, by name."""
    folder = project.people / path_of(known_person(project, person))
    paths = page_of(project.find_pictures(person), paging)
    faces, out = _faces(project), accepted(project)
    items = [_picture(person, path.relative_to(folder).as_posix(), faces, out) for path in paths.items]
    return paths.shown_as(items)


@router.post("/pictures", status_code=201, openapi_extra=PICTURE_FORM)
async def upload_picture(
    person: PersonName, project: CurrentProject, caller: Corrector, session: Writing, turns: Turns, request: Request
) -> AddedPicture:
    """Add a picture to a person, from a form (multipart/form-data) with the file as `picture`."""
    file = await read_picture(request)

    def add(file: FormFile) -> AddedPicture:
        known_person(project, person)
        with inspected_picture(file.content):
            label, new = add_picture(project, person, file.content, name=file.name)
        if new:
            note(session, caller, "picture.add", project.name)
            cast_changed(session, project)
        name = label.removeprefix(f"people/{person}/")
        picture = _picture(person, name, _faces(project), accepted(project))
        return AddedPicture(**picture.model_dump(), new=new)

    return await to_thread.run_sync(add, file, limiter=turns)


@router.get("/pictures/{picture:path}")
def get_picture(person: PersonName, picture: PictureName, project: CurrentProject) -> Picture:
    """Describe a picture."""
    _path(project, person, picture)
    return _picture(person, picture, _faces(project), accepted(project))


@router.patch("/pictures/{picture:path}")
def change_picture(
    person: PersonName,
    picture: PictureName,
    changed: ChangedPicture,
    project: CurrentProject,
    caller: Corrector,
    session: Writing,
) -> Picture:
    """Leave a picture out, take it in again, or move it to another person; no file is ever deleted."""
    path = _path(project, person, picture)
    label = project.label(path)
    if changed.person is not None and known_person(project, changed.person) != person:
        label = move(project, label, changed.person, by=caller.name)
        note(session, caller, "picture.move", project.name)
    if changed.disabled is not None:
        if changed.disabled:
            accept(project, pd.DataFrame({"picture": [label]}))
        else:
            undo(project, [label])
        note(session, caller, "picture.disable" if changed.disabled else "picture.enable", project.name)
    cast_changed(session, project)
    owner, name = label.split("/", 2)[1:]
    return _picture(owner, name, _faces(project), accepted(project))


@router.get("/thumbnails/{picture:path}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(
    person: PersonName,
    picture: PictureName,
    project: CurrentProject,
    thumbnails: Annotated[Kept[bytes], held_by_app("thumbnails")],
    size: Annotated[int, Query(ge=16, le=1600, description="Pixels of the longer side.")] = 160,
    whole: Annotated[bool, Query(description="The whole picture instead of the face in it.")] = False,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Return the face in a picture as a JPEG; the whole picture where no face is known."""
    path = _path(project, person, picture)
    row = _faces(project).get(project.label(path), {})
    box = None if whole else _box(row)
    tag = tag_of(path, also=(box, size))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_named(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    content = thumbnails.find((path, box, size), tag, lambda: _thumbnail(path, box, size))
    return Response(content, media_type="image/jpeg", headers=headers)


def _path(project: Project, person: str, picture: str) -> FilePath:
    """Return the file of a picture.

    Raises:
        Problem: 404 when the person has none of this name; no name leads out of the person's folder.
    """
    known_person(project, person)
    folder, parts = project.people / path_of(person), path_of(picture).split("/")
    plain = all(parts) and not {".", ".."} & set(parts) and "\0" not in picture
    path = folder.joinpath(*parts) if plain else folder
    # On Windows a backslash leads on as well: the path must be what was asked for.
    if path.relative_to(folder).as_posix() != path_of(picture) or not path.is_file() or not is_picture(path):
        raise Problem(404, f"expected a picture of {person!r}, got {picture!r}; GET .../pictures lists them")
    return path


def _faces(project: Project) -> dict[str, dict[str, Any]]:
    """Return the row of each picture in `faces.parquet`, the used face first."""
    table = table_of(project.faces)
    if table is None:
        return {}
    best = table.sort_values("used", ascending=False, kind="stable").drop_duplicates("picture")
    return {str(row["picture"]): row for row in rows_of(best)}


def _picture(person: str, name: str, faces: dict[str, dict[str, Any]], out: set[str]) -> Picture:
    label = f"people/{person}/{name}"
    row = faces.get(label)
    disabled = label in out
    sharpness = None if row is None or pd.isna(row["sharpness"]) else round(float(row["sharpness"]), 1)
    return Picture(
        name=name,
        person=person,
        disabled=disabled,
        used=None if row is None else bool(row["used"]),
        reason="disabled" if disabled else str(row["reason"]) if row is not None else "",
        box=_box(row or {}),
        sharpness=sharpness,
    )


def _box(row: dict[str, Any]) -> Box | None:
    sides = [float(row.get(side, float("nan"))) for side in BOX]
    return None if any(pd.isna(side) for side in sides) else (sides[0], sides[1], sides[2], sides[3])


def _thumbnail(path: FilePath, box: Box | None, size: int) -> bytes:
    image = read_image(path)
    return encode_jpeg(thumbnail(image if box is None else crop(image, box, margin=0.3), size=size), quality=82)
