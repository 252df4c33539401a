import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage
from typer.testing import CliRunner

import facelib
from facelib.cli import main
from facelib.detect.portraits import find_portrait
from facelib.embed.align import DlibAligner, five_point_chips, margin_chips
from facelib.gather.crops import FAILED_COLUMNS, align_pictures, align_tree, crop_names
from facelib.gather.cutting import DIED, IN_THE_WAY, NO_FACE, Cutting
from facelib.images import find_pictures_below
from facelib.nets.dlib import landmark_file
from facelib.project.digests import sha256_of
from tests.waiting import PATIENCE, kill_once


@pytest.fixture
def tree(tmp_path, portrait):
    """A tree of two people: three pictures with a face, one without, one broken, and what is no picture."""
    source = tmp_path / "pictures"
    for name, image in {
        "train/Eileen Collins/1.png": portrait,
        "train/Eileen Collins/2.png": portrait[:, ::-1],
        "test/Eileen Collins/1.jpg": portrait[:300, 80:400],
        "test/Nobody/wall.png": np.full((200, 160, 3), 128, np.uint8),
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(image).save(source / name, compress_level=0)  # to compress takes longer than the rest
    (source / "test/Nobody/broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    (source / "test/Nobody/list.txt").write_text("no picture")
    (source / ".hidden").mkdir()
    (source / ".hidden/3.png").write_bytes((source / "train/Eileen Collins/1.png").read_bytes())
    return source


def contents(folder):
    """Return every file below a folder that is not hidden, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and path.name[0] != "."
    }


def times(folder):
    """Return when each crop was written; one still being written, under a name with a dot, may go at any time."""
    return {path: path.stat().st_mtime_ns for path in sorted(Path(folder).rglob("*.png")) if path.name[0] != "."}


CROPS = ["test/Eileen Collins/1.png", "train/Eileen Collins/1.png", "train/Eileen Collins/2.png"]


def aligned(source, destination, **options):
    return align_tree(source, destination, processes=1, progress=False, **options)


def test_a_tree_becomes_a_tree_of_crops(tree, tmp_path, portrait):
    table = aligned(tree, tmp_path / "crops")
    assert list(table.columns) == ["picture", "crop", "reason"]
    assert table["picture"].tolist() == [
        "test/Eileen Collins/1.jpg",
        "test/Nobody/broken.jpg",
        "test/Nobody/wall.png",
        "train/Eileen Collins/1.png",
        "train/Eileen Collins/2.png",
    ]
    assert [crop for crop in table["crop"] if crop] == CROPS
    assert table["reason"].str.partition(":")[0].tolist() == ["", "unreadable", NO_FACE, "", ""]
    assert sorted(contents(tmp_path / "crops")) == ["failed.csv", *CROPS]
    crop = facelib.read_image(tmp_path / "crops" / CROPS[1])
    faces = find_portrait(portrait, facelib.load_detector()).faces
    assert np.array_equal(crop, margin_chips(portrait, faces.boxes[:1], size=160, margin=0.125)[0])


def test_the_failed_are_listed_with_their_reasons(tree, tmp_path):
    aligned(tree, tmp_path / "crops")
    failed = pd.read_csv(tmp_path / "crops" / "failed.csv")
    assert list(failed.columns) == FAILED_COLUMNS
    assert failed["picture"].tolist() == ["test/Nobody/broken.jpg", "test/Nobody/wall.png"]
    assert failed["sha256"].tolist() == [sha256_of(tree / name) for name in failed["picture"]]
    assert str(tmp_path) not in (tmp_path / "crops" / "failed.csv").read_text()
    (tree / "test/Nobody/wall.png").unlink()
    (tree / "test/Nobody/broken.jpg").write_bytes((tree / "train/Eileen Collins/1.png").read_bytes())
    assert aligned(tree, tmp_path / "crops").set_index("picture").loc["test/Nobody/broken.jpg", "reason"] == ""
    assert pd.read_csv(tmp_path / "crops" / "failed.csv")["picture"].tolist() == ["test/Nobody/wall.png"]


@pytest.mark.parametrize(
    ("method", "size"),
    [("margin", 96), ("five points", 112), ("dlib", 150)],
)
def test_crops_are_those_of_the_embedding_networks(portrait, tmp_path, method, size):
    picture = tmp_path / "in" / "1.png"
    picture.parent.mkdir()
    PillowImage.fromarray(portrait).save(picture)
    aligned(tmp_path / "in", tmp_path / "out", method=method, image_size=size, margin=0.3)
    face = find_portrait(portrait, facelib.load_detector()).faces[0]
    expected = {
        "margin": lambda: margin_chips(portrait, face.boxes, size=size, margin=0.3),
        "five points": lambda: five_point_chips(portrait, face.landmarks, size=size),
        "dlib": lambda: DlibAligner(landmark_file(), size=size).chips(portrait, face.boxes),
    }[method]()
    assert np.array_equal(facelib.read_image(tmp_path / "out" / "1.png"), expected[0])


def test_run_again_nothing_is_made_twice(tree, tmp_path):
    first = aligned(tree, tmp_path / "crops")
    before, files = times(tmp_path / "crops"), contents(tmp_path / "crops")
    again = aligned(tree, tmp_path / "crops")
    assert again.equals(first)
    assert times(tmp_path / "crops") == before
    assert contents(tmp_path / "crops") == files


def test_pictures_without_a_face_are_not_looked_at_again(tree, tmp_path, monkeypatch):
    aligned(tree, tmp_path / "crops")
    (tree / "test/Nobody/broken.jpg").unlink()  # it would be tried again: it may become readable
    monkeypatch.setattr("facelib.gather.cutting.find_portrait", None)
    assert aligned(tree, tmp_path / "crops")["reason"].tolist() == ["", NO_FACE, "", ""]


def test_other_parameters_make_new_crops(tree, tmp_path):
    aligned(tree, tmp_path / "crops")
    aligned(tree, tmp_path / "crops", image_size=64)
    assert {facelib.read_image(path).shape for path in times(tmp_path / "crops")} == {(64, 64, 3)}


def test_a_changed_picture_gets_a_new_crop_and_one_without_a_face_none(tree, tmp_path):
    aligned(tree, tmp_path / "crops")
    before = contents(tmp_path / "crops")
    wall = (tree / "test/Nobody/wall.png").read_bytes()
    (tree / "train/Eileen Collins/1.png").write_bytes((tree / "train/Eileen Collins/2.png").read_bytes())
    (tree / "train/Eileen Collins/2.png").write_bytes(wall)
    table = aligned(tree, tmp_path / "crops").set_index("picture")
    assert table.loc["train/Eileen Collins/2.png", "reason"] == NO_FACE
    after = contents(tmp_path / "crops")
    assert after[CROPS[1]] == before[CROPS[2]]
    assert CROPS[2] not in after


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", None])
def test_a_damaged_crop_is_made_again(tree, tmp_path, damage):
    aligned(tree, tmp_path / "crops")
    whole = contents(tmp_path / "crops")
    place = tmp_path / "crops" / CROPS[0]
    place.write_bytes(whole[CROPS[0]][:-100] if damage is None else damage)
    aligned(tree, tmp_path / "crops")
    assert contents(tmp_path / "crops") == whole


def test_a_picture_of_the_users_own_is_never_touched(tree, tmp_path, portrait):
    place = tmp_path / "crops" / CROPS[0]
    place.parent.mkdir(parents=True)
    PillowImage.fromarray(portrait[:50, :50]).save(place)
    before = place.read_bytes()
    table = aligned(tree, tmp_path / "crops").set_index("picture")
    assert table.loc["test/Eileen Collins/1.jpg", ["crop", "reason"]].tolist() == ["", IN_THE_WAY]
    assert place.read_bytes() == before


def test_several_processes_and_random_order_make_the_same(tree, tmp_path):
    one = aligned(tree, tmp_path / "one")
    two = align_tree(tree, tmp_path / "two", processes=2, random_order=True, seed=3, progress=False)
    assert two.equals(one)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


SCRIPT = """
import sys
from facelib.gather.crops import align_tree
if __name__ == "__main__":
    align_tree(sys.argv[1], sys.argv[2], processes=int(sys.argv[3]), random_order=True, progress=False)
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a run in a process of its own; what still runs at the end is killed."""
    script, started = tmp_path / "script.py", []
    script.write_text(SCRIPT)

    def begin(source, destination, processes=1):
        one = subprocess.Popen([sys.executable, script, source, destination, str(processes)])
        started.append(one)
        return one

    yield begin
    for one in started:
        one.kill()
        one.wait()


@pytest.fixture
def many(tmp_path, portrait):
    """A tree of forty pictures, each a little different."""
    for number in range(40):
        path = tmp_path / "many" / f"Person {number % 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(portrait[: 300 + number, 60:420]).save(path, compress_level=0)
    return tmp_path / "many"


def test_killed_and_run_again_it_leaves_what_an_unbroken_run_does(many, tmp_path, start):
    aligned(many, tmp_path / "whole")
    running = start(many, tmp_path / "broken", processes=2)
    kill_once(lambda: len(times(tmp_path / "broken")) >= 5, running, pause=0.005)
    made = times(tmp_path / "broken")
    assert len(made) < 40
    table = aligned(many, tmp_path / "broken")
    assert (table["reason"] == "").all()
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    after = times(tmp_path / "broken")
    assert all(after[path] == when for path, when in made.items())  # nothing was made twice


def test_two_runs_at_a_time_get_along(many, tmp_path, start):
    (many / "Person 0" / "wall.png").write_bytes(_png(np.full((90, 90, 3), 99, np.uint8), tmp_path))
    both = [start(many, tmp_path / "shared") for _ in range(2)]
    assert [one.wait(timeout=PATIENCE) for one in both] == [0, 0]
    aligned(many, tmp_path / "alone")
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def _png(image, folder):
    PillowImage.fromarray(image).save(folder / "made.png")
    return (folder / "made.png").read_bytes()


def test_a_picture_whose_process_died_is_listed_and_passed_over(tree, tmp_path, monkeypatch):
    def died(work, tasks, *, processes):
        yield from ((task, None) for task in tasks)

    monkeypatch.setattr("facelib.gather.crops.spread", died)
    assert set(aligned(tree, tmp_path / "crops")["reason"]) == {DIED}
    monkeypatch.undo()
    assert set(aligned(tree, tmp_path / "crops")["reason"]) == {DIED}
    (tmp_path / "crops" / "failed.csv").unlink()
    assert aligned(tree, tmp_path / "crops")["reason"].tolist().count("") == 3


def test_a_destination_that_cannot_be_written_ends_it(tree, tmp_path):
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "train").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="expected to make the folder"):
        aligned(tree, tmp_path / "crops")
    assert "test/Eileen Collins/1.png" in contents(tmp_path / "crops")  # what was done stays


def test_a_damaged_list_of_failures_is_made_anew(tree, tmp_path):
    aligned(tree, tmp_path / "crops")
    whole = (tmp_path / "crops" / "failed.csv").read_bytes()
    (tmp_path / "crops" / "failed.csv").write_bytes(b"\xff\xfe,,\n" + os.urandom(100))
    aligned(tree, tmp_path / "crops")
    assert (tmp_path / "crops" / "failed.csv").read_bytes() == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size of 1 to 2048 pixels, got 0"),
        ({"image_size": 2049}, "image_size of 1 to 2048 pixels, got 2049"),
        ({"margin": 32}, "0.125 on each side"),  # pixels, as FaceNet has them
        ({"margin": float("nan")}, "from 0 to 5, got nan"),
        ({"method": "nose"}, "'five points' or 'dlib', got 'nose'"),
        ({"processes": 0}, "at least one process"),
        ({"detector": "nothing"}, "'centerface'"),
        ({"smallest_face": 0}, "smallest_face above 0"),
    ],
)
def test_bad_parameters_are_refused(tree, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        align_tree(tree, tmp_path / "crops", **{"progress": False, "processes": 1, **options})
    assert not list(tmp_path.glob("crops/**/*.png"))


def test_folders_that_cannot_be_right_are_refused(tree, tmp_path):
    with pytest.raises(ValueError, match="destination outside"):
        aligned(tree, tree / "crops")
    with pytest.raises(ValueError, match="destination outside"):
        aligned(tree, tree)
    with pytest.raises(FileNotFoundError, match="expected a folder with pictures"):
        aligned(tmp_path / "nothing", tmp_path / "crops")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="expected a folder with pictures"):
        aligned(tmp_path / "empty", tmp_path / "crops")
    assert not (tmp_path / "crops").exists()


def test_links_are_followed_once(tree):
    (tree / "again").symlink_to(tree, target_is_directory=True)
    (tree / "more").mkdir()
    (tree / "more" / "linked").symlink_to(tree / "train" / "Eileen Collins", target_is_directory=True)
    assert len(find_pictures_below(tree).pictures) == 5


def test_each_picture_has_a_crop_of_its_own():
    pictures = [Path("in", name) for name in ("a (png).jpg", "a.jpg", "a.png", "A.PNG", "a.webp", "b/a.png")]
    names = crop_names("in", pictures)
    assert set(names) == set(pictures)
    assert len({name.as_posix().casefold() for name in names.values()}) == len(pictures)
    assert all(name.suffix == ".png" for name in names.values())
    assert crop_names("in", []) == {}


def test_chosen_pictures_go_where_they_are_told(tree, tmp_path):
    places = {
        tree / "train/Eileen Collins/1.png": tmp_path / "out/one.png",
        tree / "gone.png": tmp_path / "out/two.png",
    }
    table = align_pictures(places, cutting=Cutting(image_size=80), processes=1, progress=False)
    assert table["crop"].tolist() == ["", str(tmp_path / "out/one.png")]
    assert table["reason"].str.partition(":")[0].tolist() == ["unreadable", ""]
    assert sorted(contents(tmp_path / "out")) == ["one.png"]  # no list of failures was asked for
    assert align_pictures({}, processes=1, progress=False).empty


@pytest.mark.parametrize(
    ("places", "message"),
    [({"a.jpg": "a.jpg"}, ".png"), ({"a.jpg": "a.png", "b.jpg": "a.png"}, "crop of its own")],
)
def test_places_that_cannot_be_right_are_refused(places, message):
    with pytest.raises(ValueError, match=message):
        align_pictures({Path(picture): Path(crop) for picture, crop in places.items()}, progress=False)


def test_of_several_faces_the_main_one_is_cut_out(tmp_path, portrait):
    both = np.zeros((512, 1200, 3), np.uint8)
    both[:, 300:812] = portrait
    both[20:220, 950:1150] = portrait[20:220, 130:330]  # as large, and at the border
    (tmp_path / "in").mkdir()
    PillowImage.fromarray(both).save(tmp_path / "in" / "1.png")
    faces = find_portrait(both, facelib.load_detector()).faces
    central = faces[faces.boxes[:, 0] < 800]
    assert (len(faces), len(central)) == (2, 1)
    aligned(tmp_path / "in", tmp_path / "out")
    crop = facelib.read_image(tmp_path / "out" / "1.png")
    assert np.array_equal(crop, margin_chips(both, central.boxes, size=160, margin=0.125)[0])


def test_the_command_tells_what_it_did(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["align", str(tree), "crops", "--image-size", "64", "--margin", "0.2", "--processes", "1"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "3 of 5 pictures are aligned in crops",
        "1 without a crop: unreadable",
        "1 without a crop: no face",
        f"They are listed in {Path('crops', 'failed.csv')}",
    ]
    refused = CliRunner().invoke(main, [*arguments, "--method", "nose"])
    assert refused.exit_code == 1
    assert "got 'nose'" in refused.output


@pytest.mark.real_data
def test_faces_in_the_wild_are_nearly_all_aligned(shared_data, tmp_path):
    folder = shared_data / "lfw" / "people" / "Alvaro_Uribe"
    table = aligned(folder, tmp_path / "crops", image_size=112, method="five points")
    assert len(table) == len(list(folder.glob("*.jpg"))) > 20
    assert (table["reason"] == "").mean() > 0.95
