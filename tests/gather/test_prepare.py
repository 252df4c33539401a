"""Gathered pictures made ready: what has no face, repeats or is too much is set aside, and nothing of the user's is."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

from facelib.gallery import accepted, undo
from facelib.gather import PictureSearch, gather_pictures
from facelib.gather.cutting import Cutting
from facelib.gather.prepare import PREPARED_COLUMNS, _about_the_same, _surplus, prepare_pictures
from facelib.images import read_image
from facelib.project import Project

from .conftest import picture_bytes, sends

pytestmark = pytest.mark.real_data
PEOPLE = ["George_W_Bush", "Tony_Blair"]


def put_people(site, shared_data, counts):
    """Put pictures of real people on the site, and return their addresses by person."""
    addresses = {}
    for person, count in zip(PEOPLE, counts, strict=True):
        files = sorted((shared_data / "lfw" / "people" / person).iterdir())[:count]
        addresses[person] = [site.put(f"/{path.name}", sends(path.read_bytes())) for path in files]
    return addresses


def shrunk(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with PillowImage.open(io.BytesIO(content)) as picture:
        picture.resize((200, 200)).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()


@pytest.fixture
def gathered(site, project, limits, shared_data):
    """Six pictures of each of two people; of the first also a cat-like noise and a copy saved anew."""
    addresses = put_people(site, shared_data, [6, 6])
    first = sorted((shared_data / "lfw" / "people" / PEOPLE[0]).iterdir())[0]
    addresses[PEOPLE[0]] += [
        site.put("/noise.jpg", sends(picture_bytes(5, size=(160, 160)))),
        site.put("/copy.jpg", sends(shrunk(first.read_bytes()))),
    ]
    own = project.people / PEOPLE[1] / "own.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(picture_bytes(6, size=(160, 160)))
    return gather_pictures([], project, PictureSearch(limits=limits), addresses=addresses)


def prepare(project: Project, **options):
    return prepare_pictures(project, progress=False, **options)


def test_set_aside_with_a_reason_and_cut_out(gathered, project):
    files = {path: path.read_bytes() for path in project.people.rglob("*.jpg")}
    table = prepare(project, cutting=Cutting(image_size=96, margin=0.3))
    assert list(table.columns) == PREPARED_COLUMNS
    places = dict(zip(gathered["address"].str.rpartition("/")[2], gathered["picture"], strict=True))
    reasons = dict(zip(table["picture"], table["reason"], strict=True))
    assert reasons[places["noise.jpg"]] == "no face"
    assert sorted(reasons.values()) == [""] * 12 + ["near duplicate", "no face", "no face"]
    assert reasons[places["copy.jpg"]] == "near duplicate" or reasons[gathered["picture"][0]] == "near duplicate"
    assert reasons[f"people/{PEOPLE[1]}/own.jpg"] == "no face"
    assert accepted(project) == {
        picture for picture, reason in reasons.items() if reason and not picture.endswith("own.jpg")
    }
    assert "# facelib: near duplicate\n" in project.disabled.read_text()
    assert {path: path.read_bytes() for path in project.people.rglob("*.jpg")} == files  # no file is touched
    crops = sorted(path.relative_to(project.data).as_posix() for path in project.data.glob("aligned/*/*.png"))
    assert crops == sorted(crop for crop in table["crop"] if crop)
    assert len(crops) == 11  # one of the pictures shows another face too
    assert read_image(project.data / crops[0]).shape == (96, 96, 3)


def test_again_changes_nothing_and_the_users_word_stands(gathered, project):
    first = prepare(project)
    state = {path: path.stat().st_mtime_ns for path in project.data.rglob("*") if path.is_file()}
    pd.testing.assert_frame_equal(prepare(project), first)
    assert {path: path.stat().st_mtime_ns for path in project.data.rglob("*") if path.is_file()} == state
    repeated = first.loc[first["reason"] == "near duplicate", "picture"].item()
    undo(project, [repeated])
    for _ in range(2):  # and it stays so
        table = prepare(project).set_index("picture")
        assert table.at[repeated, "reason"] == "kept by its user"
        assert table.at[repeated, "crop"] != ""
        assert repeated not in accepted(project)


def test_balanced_and_balanced_anew(gathered, project):
    table = prepare(project, per_person=4)
    assert table[table["reason"] == ""]["person"].value_counts().to_dict() == dict.fromkeys(PEOPLE, 4)
    assert (table["reason"] == "more than others have").sum() == 4
    crops = set(project.data.glob("aligned/*/*.png"))
    assert len(crops) == 8
    more = prepare(project, per_person=5)
    assert more[more["reason"] == ""]["person"].value_counts().to_dict() == dict.fromkeys(PEOPLE, 5)
    prepare(project, per_person=4)
    assert set(project.data.glob("aligned/*/*.png")) == crops  # what is not wanted any more is removed


def test_a_users_own_pictures_are_never_set_aside(gathered, project):
    """The same picture twice, one of them the user's: the gathered one goes, however much better it is."""
    picture = gathered.loc[gathered["picture"] != "", "picture"].iloc[1]
    own = project.people / PEOPLE[0] / "zz own.jpg"
    own.write_bytes(shrunk((project.data / picture).read_bytes()))
    changed = project.data / gathered["picture"].iloc[2]
    changed.write_bytes(shrunk(changed.read_bytes()))  # edited by its user: gathered no more
    shutil.copy(changed, project.people / PEOPLE[0] / "zy own.jpg")
    table = prepare(project, per_person=1).set_index("picture")
    assert table.at[picture, "reason"] == "near duplicate"
    for mine in (own, changed):
        row = table.loc[mine.relative_to(project.data).as_posix()]
        assert not row["gathered"] and row["reason"] == ""
    assert not any("own" in picture for picture in accepted(project))


def test_pictures_that_the_user_disabled_stay_disabled(gathered, project):
    picture = gathered["picture"].iloc[0]
    project.disabled.write_text(f"{picture}\n")
    table = prepare(project).set_index("picture")
    assert table.at[picture, "reason"] == "disabled"
    assert project.disabled.read_text().startswith(f"{picture}\n")


@pytest.mark.parametrize("moment", ["accept", "undo", "align_pictures", "_remove_stale"])
def test_killed_and_run_again_it_ends_as_an_unbroken_run(moment, gathered, project, monkeypatch):
    """Balancing twice would take more than balancing once, so that what was done before has to be known."""

    class Killed(BaseException):
        pass

    def killed(*_, **__):
        raise Killed

    monkeypatch.setattr("facelib.gather.prepare._ENOUGH_TO_BALANCE", 2)
    extra = [name for name in gathered["picture"] if name.startswith(f"people/{PEOPLE[1]}")][2:]
    for picture in extra:
        (project.data / picture).unlink()
    saved = shutil.copytree(project.data, project.data_dir / "whole")
    whole = Project("whole", project.data_dir, project.output_dir)
    unbroken = prepare(whole)
    assert (unbroken["reason"] == "more than others have").any()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(f"facelib.gather.prepare.{moment}", killed)
        prepare(project)
    pd.testing.assert_frame_equal(prepare(project), unbroken)
    assert project.disabled.read_text() == whole.disabled.read_text()
    crops = {path.relative_to(saved): path.read_bytes() for path in saved.glob("aligned/*/*.png")}
    assert {path.relative_to(project.data): path.read_bytes() for path in project.data.glob("aligned/*/*.png")} == crops
    assert not (project.output / "prepared.partial.csv").exists()


def test_nothing_gathered(project):
    (project.people / "Ada").mkdir(parents=True)
    (project.people / "Ada" / "own.jpg").write_bytes(picture_bytes(0))
    assert prepare(project).empty
    assert not project.output.exists() and not (project.data / "aligned").exists()


def test_not_one_face(site, project, limits):
    gather_pictures(
        [], project, PictureSearch(limits=limits), addresses={"Ada": [site.put("/a.jpg", sends(picture_bytes(0)))]}
    )
    assert prepare(project)["reason"].tolist() == ["no face"]


def test_a_broken_record_is_made_anew(gathered, project):
    first = prepare(project)
    (project.output / "prepared.csv").write_text('a,"b')
    # The lines in disabled.txt count as the user's then, and nothing else changes.
    again = prepare(project)
    assert again["crop"].tolist() == first["crop"].tolist()


def test_out_of_range(project):
    with pytest.raises(ValueError, match="per_person"):
        prepare(project, per_person=-1)


@pytest.mark.parametrize(
    ("counts", "most"),
    [
        ([50, 48, 45, 12], 36),  # three times the fewest
        ([50, 48, 45], 48),  # the median
        ([50, 1], 20),  # one with hardly any does not cost the others theirs
        ([7], 20),
    ],
)
def test_about_the_same(counts, most):
    assert _about_the_same(pd.Series(counts)) == most


def test_the_best_and_most_varied_stay():
    angles = np.radians([0, 1, 2, 90, 91, 180])
    rows = pd.DataFrame(
        {
            "picture": list("abcdef"),
            "embedding": list(np.column_stack([np.cos(angles), np.sin(angles)])),
            "worth": [0.9, 0.8, 0.7, 0.5, 0.6, 0.4],
            "own": False,
        }
    )
    assert _surplus(rows, 3) == ["b", "c", "d"]
    assert _surplus(rows.assign(own=rows["picture"].isin(["b", "c"])), 2) == ["a", "d", "e", "f"]
    assert _surplus(rows, 6) == []
