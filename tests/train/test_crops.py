"""Faces cut out once: what is kept, what is left out, and what a break or a change leaves."""

import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import facelib
from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import InputForm
from facelib.embed.align import align
from facelib.images import encode_jpeg, read_image
from facelib.train.crops import FaceStore, crop_faces
from facelib.train.data import read_people
from tests.counting import Counting

FORM = InputForm(size=64)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return facelib.load_detector("centerface")


@pytest.fixture
def folder(shared_data, tmp_path) -> Path:
    people = tmp_path / "people"
    for name in ("Ryan Gosling", "Harrison Ford"):
        (people / name).mkdir(parents=True)
        for path in sorted((shared_data / "film_clips" / "people" / name).iterdir())[:4]:
            shutil.copy(path, people / name)
    return people


@pytest.mark.real_data
def test_faces_are_cut_out_once(folder, detector, tmp_path):
    counting = Counting(detector)
    people = read_people(folder, least_pictures=2)
    crops = crop_faces(people, tmp_path / "cache", counting, form=FORM, progress=False)
    assert len(crops) == 8 and crops.images.shape[1:] == (64, 64, 3) and crops.left_out.empty
    assert crops.faces([0]).std() > 20
    looked = counting.count
    again = crop_faces(people, tmp_path / "cache", counting, form=FORM, progress=False)
    assert counting.count == looked and again.fingerprint == crops.fingerprint
    np.testing.assert_array_equal(again.faces(range(8)), crops.faces(range(8)))
    other = crop_faces(
        people, tmp_path / "cache", counting, form=InputForm(size=48, alignment="margin"), progress=False
    )
    assert other.images.shape[1] == 48 and counting.count == 2 * looked


@pytest.mark.real_data
def test_equal_to_what_the_package_cuts_out(folder, detector, tmp_path):
    """A trained network is later given faces by `facelib.embedder`; it must have learnt from the same ones."""
    people = read_people(folder, least_pictures=2)
    crops = crop_faces(people, tmp_path / "cache", detector, form=FORM, progress=False)
    image = read_image(folder / crops.table["picture"][0])
    chips = align(image, find_portrait(image, detector).faces, "five points", size=64)
    assert any(np.array_equal(chip, crops.faces([0])[0]) for chip in chips)


@pytest.mark.real_data
def test_gone_on_with_after_a_break(folder, detector, tmp_path):
    people = read_people(folder, least_pictures=2)
    whole = crop_faces(people, tmp_path / "whole", detector, form=FORM, progress=False)
    with pytest.raises(KeyboardInterrupt):
        crop_faces(people, tmp_path / "broken", Counting(detector, breaks_at=4), form=FORM, progress=False)
    place = next((tmp_path / "broken").iterdir())
    for name in ("faces.raw", "index.csv"):  # as if it had been killed in the middle of writing
        with open(place / name, "ab") as file:
            file.write(b"half a lin")
    counting = Counting(detector)
    again = crop_faces(people, tmp_path / "broken", counting, form=FORM, progress=False)
    assert 0 < counting.count <= 6
    assert again.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(again.faces(range(8)), whole.faces(range(8)))


@pytest.mark.real_data
def test_what_is_left_out_and_why(folder, detector, tmp_path):
    ford, gosling = folder / "Harrison Ford", folder / "Ryan Gosling"
    shutil.copy(sorted(ford.iterdir())[0], ford / "z.jpg")
    shutil.copy(sorted(ford.iterdir())[1], gosling / "z.jpg")
    (ford / "broken.jpg").write_bytes(b"no picture")
    wall = np.full((80, 80, 3), 90, np.uint8)
    (folder / "Nobody").mkdir()
    for number in range(2):
        (folder / "Nobody" / f"{number}.jpg").write_bytes(encode_jpeg(wall))
    (folder / "Once").mkdir()
    shutil.copy(sorted(gosling.iterdir())[0], folder / "Once" / "1.jpg")
    (folder / "Once" / "2.jpg").write_bytes(b"")
    sorted(gosling.iterdir())[0].unlink()
    people = read_people(folder, least_pictures=2)
    crops = crop_faces(people, tmp_path / "cache", detector, form=FORM, progress=False)
    reasons = crops.left_out.groupby("reason")["picture"].apply(list).to_dict()
    assert reasons["unreadable"] == ["Harrison Ford/broken.jpg", "Once/2.jpg"]
    assert reasons["no face"] == ["Nobody/0.jpg", "Nobody/1.jpg"]
    assert reasons["duplicate"] == ["Harrison Ford/z.jpg"]
    assert len(reasons["two people"]) == 2 and reasons["too few faces"] == ["Once/1.jpg"]
    assert crops.names == ["Harrison Ford", "Ryan Gosling"]
    assert len(crops) + len(crops.left_out) == len(people.table)


@pytest.mark.real_data
def test_a_changed_picture_is_cut_out_anew(folder, detector, tmp_path):
    people = read_people(folder, least_pictures=2)
    before = crop_faces(people, tmp_path / "cache", detector, form=FORM, progress=False)
    first, last = folder / people.table["picture"].iloc[0], folder / people.table["picture"].iloc[-1]
    last_face = before.faces([len(before) - 1])[0]
    shutil.copy(last, first)
    last.unlink()
    people = read_people(folder, least_pictures=2)
    counting = Counting(detector)
    after = crop_faces(people, tmp_path / "cache", counting, form=FORM, progress=False)
    assert 1 <= counting.count <= 2 and len(after) == 7
    np.testing.assert_array_equal(after.faces([0])[0], last_face)


def test_no_face_at_all(tmp_path, detector):
    for name in ("a", "b"):
        (tmp_path / "people" / name).mkdir(parents=True)
        (tmp_path / "people" / name / "1.jpg").write_bytes(encode_jpeg(np.full((64, 64, 3), 80, np.uint8)))
    people = read_people(tmp_path / "people", least_pictures=1)
    with pytest.raises(ValueError, match=r"expected a usable face in .*, found none \(no face: 2\)"):
        crop_faces(people, tmp_path / "cache", detector, form=FORM, progress=False)


def fill(store: FaceStore, folder: Path, count: int) -> None:
    with store.appending() as add:
        for number in range(count):
            (folder / f"{number}").touch()
            add(f'odd, "name" {number}', folder / f"{number}", np.full((4, 4, 3), number, np.uint8), "")


def test_the_store_survives_losing_pixels_or_lines(tmp_path):
    fill(FaceStore(tmp_path, size=4), tmp_path, 5)
    assert [int(face[0, 0, 0]) for face in FaceStore(tmp_path, size=4).images()] == [0, 1, 2, 3, 4]
    with open(tmp_path / "faces.raw", "r+b") as file:
        file.truncate(3 * 48 + 5)
    store = FaceStore(tmp_path, size=4)
    assert len(store.images()) == 3 and len(store.entries) == 3
    assert store.knows('odd, "name" 2', tmp_path / "2") and not store.knows('odd, "name" 3', tmp_path / "3")
    (tmp_path / "index.csv").write_bytes(b"\xff\xfe garbage\n1,2\n")
    assert len(FaceStore(tmp_path, size=4).entries) == 0
    fill(FaceStore(tmp_path, size=4), tmp_path, 2)
    assert len(FaceStore(tmp_path, size=4).images()) == 2


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "faces.raw").touch()
    (tmp_path / "index.csv").touch()
    store = FaceStore(tmp_path, size=4)
    with store.appending() as add:
        add("first", tmp_path / "x", np.zeros((4, 4, 3), np.uint8), "")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="expected to write faces into"), store.appending() as add:
            for number in range(4):
                add(f"{number}", tmp_path / "x", np.zeros((4, 4, 3), np.uint8), "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    again = FaceStore(tmp_path, size=4)
    assert len(again.images()) == len(again.entries) >= 1
    fill(again, tmp_path, 2)
    assert len(FaceStore(tmp_path, size=4).images()) == len(again.entries)
