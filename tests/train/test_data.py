"""Folders of people read in the forms they come in, and people kept apart."""

from pathlib import Path

import numpy as np
import pytest

from facelib.project import Project
from facelib.project.identities import merge
from facelib.train.data import Crops, read_cast, read_people, split_people


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


LAYOUTS = [
    # LFW, and a project's own people
    (["Ada Lovelace/Ada_0001.jpg", "Ada Lovelace/Ada_0002.jpg", "Bo/1.PNG", "Bo/2.webp"], None, ["Ada Lovelace", "Bo"]),
    # FaceScrub: two sides, faces and whole pictures
    (["men/faces/Al/1.jpg", "men/images/Al/1.jpg", "women/faces/Bo/1.jpg", "women/faces/Bo/2.jpg"], None, ["Al", "Bo"]),
    # MS-Celeb
    (["m.01abc/0-FaceId-0.jpg", "m.01abc/1-FaceId-0.jpg", "m.0d_e/0.jpg", "m.0d_e/1.jpg"], None, ["m.01abc", "m.0d_e"]),
    # a folder a year below each person
    (["Ada/2001/1.jpg", "Ada/2002/1.jpg", "Grace/2001/1.jpg", "Grace/2001/2.jpg"], 1, ["Ada", "Grace"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "level", "people"), LAYOUTS)
def test_layouts(tmp_path, files, level, people):
    touch(tmp_path, *files)
    found = read_people(tmp_path, least_pictures=2, level=level)
    assert sorted(found.table["person"].unique()) == people
    assert sorted(found.table["picture"]) == sorted(files)
    assert found.left_out.empty


def test_what_is_passed_over_and_who_is_left_out(tmp_path):
    touch(tmp_path, "Ada/1.jpg", "Ada/2.jpg", "Bo/1.jpg", ".cache/1.jpg", ".cache/2.jpg", "Ada/.3.jpg", "Ada/notes.txt")
    touch(tmp_path, "loose.jpg", "another.jpg")
    found = read_people(tmp_path, least_pictures=2)
    assert found.table["picture"].tolist() == ["Ada/1.jpg", "Ada/2.jpg"]
    assert found.left_out.to_dict("records") == [{"person": "Bo", "pictures": 1}]


def test_a_folder_linked_into_itself_ends(tmp_path):
    touch(tmp_path, "Ada/1.jpg", "Ada/2.jpg")
    (tmp_path / "Ada" / "again").symlink_to(tmp_path / "Ada")
    assert len(read_people(tmp_path, least_pictures=1).table) == 2


def test_people_linked_from_elsewhere_are_read(tmp_path):
    touch(tmp_path, "store/Ada/1.jpg", "store/Ada/2.jpg")
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "Ada").symlink_to(tmp_path / "store" / "Ada")
    assert read_people(tmp_path / "some", least_pictures=2).table["person"].tolist() == ["Ada", "Ada"]


def test_of_a_project_the_decisions_count(tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    files = ["Ada/1.jpg", "Ada/2001/2.jpg", "Tob/1.jpg", "Bo/1.jpg", "Bo/2.jpg", "Bo/3.jpg"]
    touch(project.people, *files)
    merge(project, "Tob", "Ada")
    project.disabled.write_text("# wrong\npeople/Bo/2.jpg\n")
    found = read_cast(project.people, project, least_pictures=2)
    assert list(found.table.itertuples(index=False, name=None)) == [
        ("Ada/1.jpg", "Ada"), ("Ada/2001/2.jpg", "Ada"), ("Tob/1.jpg", "Ada"), ("Bo/1.jpg", "Bo"), ("Bo/3.jpg", "Bo"),
    ]  # fmt: skip
    assert read_cast(project.people, project, least_pictures=3).left_out["person"].tolist() == ["Bo"]
    touch(tmp_path / "others", *files)
    others = read_cast(tmp_path / "others", project, least_pictures=1).table["person"]
    assert sorted(set(others)) == ["2001", "Ada", "Bo", "Tob"]


def test_nobody_to_read(tmp_path):
    with pytest.raises(ValueError, match="expected people with at least 5 pictures each"):
        read_people(tmp_path)
    with pytest.raises(FileNotFoundError, match="found none at"):
        read_people(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="got 0 and None"):
        read_people(tmp_path, least_pictures=0)


@pytest.mark.real_data
def test_real_people(shared_data):
    found = read_people(shared_data / "lfw" / "people", least_pictures=40)
    assert found.table["person"].nunique() == 19
    assert len(found.left_out) == 43 and found.left_out["pictures"].max() < 40


def test_nobody_is_on_both_sides(make_crops):
    crops = make_crops(range(20), pictures=2)
    first, second = split_people(crops, share=0.25, seed=1)
    assert len(second.names) == 5 and len(first.names) == 15
    assert not set(first.names) & set(second.names)
    assert len(first) + len(second) == len(crops)
    shown = second.faces([0])[0]
    np.testing.assert_array_equal(shown, crops.faces(np.flatnonzero(crops.table["person"] == second.names[0]))[0])


def test_the_lot_hangs_on_the_seed_and_most_people_stay_when_others_join(make_crops):
    few, more = make_crops(range(20), pictures=1), make_crops(range(22), pictures=1)
    drawn = [set(split_people(few, people=6, seed=seed)[1].names) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0] & set(split_people(more, people=6, seed=0)[1].names)) >= 4


def test_people_chosen_by_name(make_crops):
    crops = make_crops(range(5), pictures=1)
    assert split_people(crops, people=["person 03", "person 01"])[1].names == ["person 01", "person 03"]
    with pytest.raises(ValueError, match="got \\['Ada'\\] as well"):
        split_people(crops, people=["Ada", "person 01"])
    with pytest.raises(ValueError, match="got the text 'Ada'"):
        split_people(crops, people="Ada")


@pytest.mark.parametrize("people", [0, 1, 4, 5, 9, -1])
def test_two_people_a_side_are_needed(make_crops, people):
    with pytest.raises(ValueError, match="expected at least two people to train on and two to validate with"):
        split_people(make_crops(range(5), pictures=1), people=people)


def test_labels_and_fingerprint(make_crops):
    crops = make_crops(range(3), pictures=2)
    assert crops.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert crops.fingerprint == make_crops(range(3), pictures=2).fingerprint
    changed = crops.images.copy()
    changed[0, 0, 0, 0] ^= 1
    assert Crops.of(changed, crops.table["person"].tolist()).fingerprint != crops.fingerprint


def test_bad_crops():
    with pytest.raises(ValueError, match=r"expected faces of shape \(n, size, size, 3\)"):
        Crops.of(np.zeros((2, 8, 9, 3), np.uint8), ["a", "b"])
    with pytest.raises(ValueError, match="got 1 names and 2 faces"):
        Crops.of(np.zeros((2, 8, 8, 3), np.uint8), ["a"])
    assert len(Crops.of(np.zeros((0, 8, 8, 3), np.uint8), [])) == 0
