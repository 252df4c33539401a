"""Projects: listed, made, described."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from facelib.project import Project, text_of
from facelib.project.names import checked_name
from facelib.server.answers import Content, CurrentAnswers
from facelib.server.bodies import JsonBody
from facelib.server.dependencies import Anyone, CurrentProject, CurrentSettings, Owner, Page, Paged, Writing, page_of
from facelib.server.events import tell
from facelib.server.problems import Problem
from facelib.server.security.callers import EVERY_PROJECT, note
from facelib.server.settings import API, project_names, project_of

router = APIRouter(prefix="/projects", tags=["projects"])


class NewProject(JsonBody):
    """A project to make."""

    name: str = Field(min_length=1, max_length=200, examples=["sopranos"])


class ProjectSummary(BaseModel):
    """A project in short."""

    name: str = Field(examples=["demo"])
    people: int = Field(description="How many people are in the cast.")
    videos: int = Field(description="How many films there are.")
    has_recognizer: bool = Field(description="Whether the recognizer has been fitted.")
    problem: str = Field(default="", description="Why nothing can be said of it; empty where its folders can be read.")


@router.get("")
def list_projects(caller: Anyone, settings: CurrentSettings, paging: Paged) -> Page[ProjectSummary]:
    """List the projects that the caller may see, by name."""
    names = [name for name in project_names(settings) if caller.may("read", name)]
    page = page_of(names, paging)
    return page.shown_as([_summary(project_of(settings, name)) for name in page.items])


@router.post("", status_code=201)
def make_project(
    new: NewProject, caller: Owner, settings: CurrentSettings, session: Writing, response: Response
) -> ProjectSummary:
    """Make an empty project: the folders `people/` and `videos/` in the data folder."""
    name = checked_name(new.name)
    if name == EVERY_PROJECT:
        raise Problem(422, f"expected the name of one project, got {name!r}, which stands for all; choose another")
    if name.casefold() in {one.casefold() for one in project_names(settings)}:
        raise Problem(409, f"expected the name of a new project, got {name!r}, which exists already; choose another")
    project = project_of(settings, name)
    for folder in (project.people, project.videos):
        folder.mkdir(parents=True, exist_ok=True)
    note(session, caller, "project.make", name)
    tell(session, name, "project")
    response.headers["Location"] = f"{API}/projects/{quote(name)}"
    return _summary(project)


@router.get("/{project}", response_model=ProjectSummary)
def describe_project(request: Request, project: CurrentProject, answers: CurrentAnswers) -> Response:
    """Describe a project."""
    return answers.send(request, project, lambda: Content.of_model(_summary(project)))


def _summary(project: Project) -> ProjectSummary:
    name = text_of(project.name)
    try:
        return ProjectSummary(
            name=name,
            people=len(project.find_people(missing_ok=True)),
            videos=len(project.find_videos()),
            has_recognizer=project.recognizer.is_file(),
        )
    except OSError as error:  # such as folders without the right to read them
        problem = f"its folders cannot be read: {error.strerror}" if error.strerror else "its films cannot be read"
        return ProjectSummary(name=name, people=0, videos=0, has_recognizer=False, problem=problem)
