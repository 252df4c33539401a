"""What was made of films for people to open."""

from __future__ import annotations

from facelib.films.present import list_results
from facelib.project import Project


def test_results_are_what_people_open_and_nothing_else(tmp_path):
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    made = ["annotated.mp4", "appearances.csv", "exports/people.srt", "exports/people.vtt"]
    files = project.film("a.mp4")
    for name in [*made, "tracks.parquet", "drawn.json"]:
        (files.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (files.folder / name).touch()
    found = list_results(project, [project.videos / "a.mp4", project.videos / "not yet named.mp4"])
    assert [path.relative_to(files.folder).as_posix() for path in found] == made
    assert list_results(project, []) == []
