"""Pictures of the cast become the table of known faces, and it says what it left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skimage.data
from matplotlib import cbook
from PIL import Image as PillowImage

from facelib.detect import Detector, load_detector
from facelib.detect.portraits import find_portrait
from facelib.embed import Embedder, load_embedder
from facelib.faces import Faces, Image
from facelib.gallery import (
    Gallery,
    build_gallery,
    check_same_network,
    curate,
    describe_search,
    read_gallery,
    summary,
    warnings_for,
    write_gallery,
)
from facelib.gallery.curation import inliers
from facelib.gallery.files import partial_file
from facelib.gallery.records import face_table
from facelib.images import encode_jpeg, read_image
from facelib.project import Project
from facelib.recognize.thresholds import leave_one_out
from tests.counting import Counting

ADA, GRACE = "Élodie O'Brien 2", "グレース"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector("mtcnn", provider="cpu")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder("dlib", provider="cpu")


@pytest.fixture(scope="module")
def portraits() -> dict[str, Image]:
    """Two portraits that installed packages carry, cut to about 350 pixels around the face."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        grace = np.asarray(PillowImage.open(file).convert("RGB"))
    return {ADA: skimage.data.astronaut()[:300, 80:380], GRACE: grace[:420, 90:430]}


def varied(image: Image, number: int) -> Image:
    """Return the picture turned by a few degrees and relit, so that no two are one file."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * number - 6, 1.0)
    return np.clip(cv2.warpAffine(image, turn, (width, height)) * (0.85 + 0.07 * number), 0, 255).astype(np.uint8)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project("Ein Film", tmp_path / "data", tmp_path / "output")


@pytest.fixture
def put(project: Project) -> Callable[[str, str, Image | bytes], Path]:
    """Return a function that puts a picture, or bytes, into a person's folder."""

    def write(person: str, name: str, content: Image | bytes) -> Path:
        path = project.people / person / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else encode_jpeg(content))
        return path

    return write


@pytest.fixture
def cast(project: Project, put: Callable[..., Path], portraits: dict[str, Image]) -> Project:
    """Two people with four pictures each."""
    for person, image in portraits.items():
        for number in range(4):
            put(person, f"{number} ü.jpg", varied(image, number))
    return project


def reasons(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return each picture's reasons, face by face, by file name."""
    return {Path(picture).name: rows["reason"].to_list() for picture, rows in table.groupby("picture")}


def save(table: pd.DataFrame, project: Project, detector: Detector, embedder: Embedder) -> Gallery:
    write_gallery(
        table, project.faces, detector=describe_search(detector), embedder=embedder.name, weights_sha256=embedder.sha256
    )
    return read_gallery(project.faces)


def test_a_cast_becomes_a_table_and_comes_back_from_its_file(
    cast: Project, detector: Detector, embedder: Embedder
) -> None:
    table = build_gallery(cast, detector, embedder, progress=False)
    assert len(table) == 8 and table["used"].all() and (table["reason"] == "").all()
    assert table["picture"].iloc[0] == f"people/{ADA}/0 ü.jpg"
    gallery = save(table, cast, detector, embedder)
    pd.testing.assert_frame_equal(gallery.table, table, check_dtype=False)
    made = (gallery.detector, gallery.embedder, gallery.weights_sha256)
    assert made == (describe_search(detector), "dlib", embedder.sha256)
    assert gallery.vectors.shape == (8, embedder.dimension) and gallery.vectors.dtype == np.float32
    assert sorted(set(gallery.names)) == sorted([ADA, GRACE])
    schema = pq.read_schema(cast.faces)
    assert str(schema.field("embedding").type) == "fixed_size_list<element: float>[128]"
    assert str(schema.field("landmarks").type) == "fixed_size_list<element: float>[10]"
    assert {str(schema.field(side).type) for side in ("left", "top", "right", "bottom", "score")} == {"float"}
    assert leave_one_out(gallery.vectors, gallery.names)["nearest"] == 1
    row = gallery.table.iloc[0]
    image = read_image(cast.data / row["picture"])
    box = row[["left", "top", "right", "bottom"]].to_numpy(np.float32)
    faces = Faces.of([box], [row["score"]], [row["landmarks"]])
    np.testing.assert_allclose(embedder.embed(image, faces)[0], row["embedding"], atol=1e-5)


def test_faults_are_listed_and_never_used(
    cast: Project, put: Callable[..., Path], portraits: dict[str, Image], detector: Detector, embedder: Embedder
) -> None:
    ada, grace = portraits[ADA], portraits[GRACE]
    side = cv2.resize(grace, (round(grace.shape[1] * 300 / grace.shape[0]), 300))
    put(ADA, "both.jpg", np.hstack([ada, side]))
    put(ADA, "copy.jpg", (cast.people / ADA / "0 ü.jpg").read_bytes())
    put(ADA, "text.jpg", b"this is no picture")
    put(ADA, "empty.png", b"")
    put(ADA, "half.jpg", encode_jpeg(ada)[:4000])
    put(ADA, "one pixel.png", encode_jpeg(np.zeros((1, 1, 3), np.uint8)))
    put(ADA, "wall.jpg", np.full((200, 300, 3), 130, np.uint8))
    put(ADA, "twice.jpg", np.hstack([ada, ada]))
    put(ADA, "notes.txt", b"not a picture, and not said to be one")
    put(GRACE, "shared.jpg", varied(grace, 5))
    put(ADA, "shared too.jpg", varied(grace, 5))
    (cast.data / "disabled.txt").write_text(f"# not like her\n\npeople/{GRACE}/3 ü.jpg\n", encoding="utf-8")
    table = build_gallery(cast, detector, embedder, progress=False)
    assert reasons(table[table["person"] == GRACE]) == {
        "0 ü.jpg": [""], "1 ü.jpg": [""], "2 ü.jpg": [""], "3 ü.jpg": ["disabled"], "shared.jpg": ["duplicate"],
    }  # fmt: skip
    found = reasons(table[table["person"] == ADA])
    assert sorted(found.pop("both.jpg")) == ["", "several faces"]
    assert table.loc[table["used"] & table["picture"].str.endswith("both.jpg"), "left"].iloc[0] < 200  # Ada, not Grace
    assert found.pop("twice.jpg") == ["several faces"] * 2  # which of the two cannot be told
    assert found == {
        "0 ü.jpg": [""], "1 ü.jpg": [""], "2 ü.jpg": [""], "3 ü.jpg": [""],
        "copy.jpg": ["duplicate"], "text.jpg": ["unreadable"], "empty.png": ["unreadable"], "half.jpg": ["unreadable"],
        "one pixel.png": ["no face"], "wall.jpg": ["no face"], "shared too.jpg": ["duplicate"],
    }  # fmt: skip
    nothing = table[table["face"] == -1]
    assert nothing[["left", "score", "sharpness"]].isna().all(axis=None)
    assert all(np.isnan(vector).all() and len(vector) == 128 for vector in nothing["embedding"])
    again = save(table, cast, detector, embedder)
    assert len(again.names) == 4 + 1 + 3
    counts = summary(table).set_index("person")
    assert counts.loc[ADA].to_dict() == {
        "pictures": 13, "used": 5, "no face": 2, "several faces": 1, "duplicate": 2, "outlier": 0, "sideways": 0,
        "unreadable": 3, "disabled": 0,
    }  # fmt: skip
    texts = " ".join(warnings_for(table))
    assert "text.jpg" in texts and "several people" in texts and f"people/{GRACE}/shared.jpg" in texts


def test_only_new_pictures_are_looked_at(
    cast: Project, put: Callable[..., Path], portraits: dict[str, Image], detector: Detector, embedder: Embedder
) -> None:
    first = save(build_gallery(cast, detector, embedder, progress=False), cast, detector, embedder)
    put(GRACE, "new.jpg", varied(portraits[GRACE], 4))
    (cast.people / ADA / "0 ü.jpg").rename(cast.people / ADA / "renamed.jpg")
    counting = Counting(detector)
    table = build_gallery(cast, counting, embedder, known=first, progress=False)
    assert counting.count == 1
    fresh = build_gallery(cast, detector, embedder, progress=False)
    pd.testing.assert_frame_equal(table, fresh)
    bare = Counting(detector)
    build_gallery(cast, bare, embedder, known=first.table, progress=False)
    assert bare.count == 1


@pytest.mark.parametrize("change", [{"detector": "hog"}, {"embedder": "other"}, {"weights_sha256": "00"}])
def test_a_gallery_made_otherwise_is_not_taken_over(
    cast: Project, detector: Detector, embedder: Embedder, change: dict[str, str]
) -> None:
    made = {"detector": describe_search(detector), "embedder": embedder.name, "weights_sha256": embedder.sha256}
    known = Gallery(build_gallery(cast, detector, embedder, progress=False), **(made | change))
    counting = Counting(detector)
    build_gallery(cast, counting, embedder, known=known, progress=False)
    assert counting.count == 8


def test_other_options_are_another_detector(cast: Project, embedder: Embedder) -> None:
    finders = [load_detector("mtcnn", smallest_face=size) for size in (40, 60)]
    assert describe_search(finders[0]) == "mtcnn, smallest face 40, score 0.8, upright portraits at 1000"
    known = save(build_gallery(cast, finders[0], embedder, progress=False), cast, finders[0], embedder)
    for detector, size, calls in [(finders[0], 1000, 0), (finders[1], 1000, 8), (finders[0], 900, 8)]:
        counting = Counting(detector)
        build_gallery(cast, counting, embedder, known=known, working_size=size, progress=False)
        assert counting.count == calls


def test_a_killed_run_goes_on(
    cast: Project, detector: Detector, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facelib.gallery.build._SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        build_gallery(cast, Counting(detector, breaks_at=6), embedder, progress=False)
    assert partial_file(cast.faces).is_file() and not cast.faces.exists()
    counting = Counting(detector)
    table = build_gallery(cast, counting, embedder, progress=False)
    assert counting.count == 3
    assert table["used"].all()
    save(table, cast, detector, embedder)
    assert [file.name for file in cast.output.iterdir()] == ["faces.parquet"]


def test_a_broken_leftover_is_passed_over(cast: Project, detector: Detector, embedder: Embedder) -> None:
    cast.output.mkdir(parents=True)
    partial_file(cast.faces).write_bytes(b"PAR1 cut off")
    assert build_gallery(cast, detector, embedder, progress=False)["used"].all()


def test_a_large_picture_is_searched_small_and_told_in_its_own_pixels(
    put: Callable[..., Path], project: Project, portraits: dict[str, Image], detector: Detector, embedder: Embedder
) -> None:
    wide = np.full((4000, 12_000, 3), 90, np.uint8)
    wide[500:3500, 6000:9000] = cv2.resize(portraits[ADA], (3000, 3000))
    put(ADA, "wide.jpg", wide)
    row = build_gallery(project, detector, embedder, progress=False).iloc[0]
    assert row["used"] and 6000 < row["left"] < row["right"] < 9000 and row["right"] - row["left"] > 700


def test_a_small_face_is_searched_enlarged(portraits: dict[str, Image], detector: Detector) -> None:
    small = cv2.resize(portraits[ADA], (80, 80), interpolation=cv2.INTER_AREA)
    assert len(detector.detect(small)) == 0
    faces = find_portrait(small, detector).faces
    assert len(faces) == 1 and faces.boxes.min() > 0 and faces.boxes.max() < 80


def test_one_person_with_one_picture(
    put: Callable[..., Path], project: Project, portraits: dict[str, Image], detector: Detector, embedder: Embedder
) -> None:
    put(ADA, "only.jpg", portraits[ADA])
    table = build_gallery(project, detector, embedder, progress=False)
    assert table["used"].tolist() == [True]
    texts = warnings_for(table, people=[ADA, "Nobody Yet"])
    assert any("Nobody Yet: no usable face" in text for text in texts)
    assert any(text.startswith(f"Only {ADA}") for text in texts)
    assert any("Fewer than 50" in text and f"{ADA} (1)" in text for text in texts)


def no_people(project: Project) -> None:
    project.people.mkdir(parents=True)


def empty_folders(project: Project) -> None:
    (project.people / ADA).mkdir(parents=True)


def only_walls(project: Project) -> None:
    empty_folders(project)
    (project.people / ADA / "wall.jpg").write_bytes(encode_jpeg(np.full((90, 90, 3), 9, np.uint8)))
    (project.people / ADA / "text.jpg").write_bytes(b"text")


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (lambda project: None, FileNotFoundError, "facelib demo"),
        (no_people, ValueError, "an empty folder; put pictures into .*faces_from=all"),
        (empty_folders, ValueError, "1 folders without a picture"),
        (only_walls, ValueError, r"among 2 pictures \(.*no face: 1"),
    ],
)
def test_nothing_to_work_on(
    project: Project,
    detector: Detector,
    embedder: Embedder,
    prepare: Callable[[Project], None],
    error: type[Exception],
    message: str,
) -> None:
    prepare(project)
    with pytest.raises(error, match=message):
        build_gallery(project, detector, embedder, progress=False)


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (lambda path: None, FileNotFoundError, "02_embed_faces first"),
        (lambda path: path.write_bytes(b""), ValueError, "02_embed_faces again"),
        (lambda path: path.write_bytes(b"a,b\n1,2\n"), ValueError, "02_embed_faces again"),
        (lambda path: pd.DataFrame({"picture": ["a"]}).to_parquet(path), ValueError, "it lacks .*'embedding'"),
    ],
)
def test_what_is_no_gallery(
    tmp_path: Path, prepare: Callable[[Path], None], error: type[Exception], message: str
) -> None:
    path = tmp_path / "faces.parquet"
    prepare(path)
    with pytest.raises(error, match=message):
        read_gallery(path)


@pytest.mark.parametrize(
    ("vectors", "used", "lefts", "fine"),
    [
        ([[1.0, 2.0], [3.0, np.nan]], [True, True], [1.0, 1.0], False),
        ([[1.0, 2.0], [np.inf, 3.0]], [True, True], [1.0, 1.0], False),
        ([[1.0, 2.0], [3.0]], [True, True], [1.0, 1.0], False),
        ([[1.0, 2.0], None], [True, True], [1.0, 1.0], False),
        ([[1.0, 2.0], [3.0, 4.0]], [True, True], [1.0, np.nan], False),
        ([[1.0, 2.0], [3.0, 4.0]], ["yes", "yes"], [1.0, 1.0], False),
        ([[1.0, 2.0], [np.nan, np.nan]], [True, False], [1.0, np.nan], True),  # a picture without a face
        ([[np.nan, np.nan], [np.nan, np.nan]], [False, False], [1.0, 1.0], True),
    ],
)
def test_damaged_faces_are_told_with_the_remedy(
    tmp_path: Path, vectors: Any, used: Any, lefts: Any, fine: bool
) -> None:
    path = tmp_path / "faces.parquet"
    numbers = dict.fromkeys(["left", "top", "right", "bottom", "score", "sharpness"], 1.0)
    names = {"sha256": "", "person": "Ada", "reason": "", "face": 0, "landmarks": np.zeros(10), "embedding": np.ones(2)}
    table = face_table([names | numbers | {"picture": name} for name in ("a.jpg", "b.jpg")])
    write_gallery(table, path, detector="mtcnn", embedder="dlib", weights_sha256="")
    stored = pq.read_table(path)
    for name, values in (("embedding", vectors), ("used", used), ("left", lefts)):
        stored = stored.set_column(stored.column_names.index(name), name, pa.array(values))
    pq.write_table(stored, path)
    if fine:
        assert read_gallery(path).table["used"].tolist() == used
    else:
        with pytest.raises(ValueError, match=r"finite embeddings .*; run notebook 02_embed_faces again"):
            read_gallery(path)


def test_another_networks_gallery_is_refused(embedder: Embedder) -> None:
    check_same_network(Gallery(pd.DataFrame(), "mtcnn", "dlib", embedder.sha256), embedder)
    with pytest.raises(ValueError, match="one by 'facenet'"):
        check_same_network(Gallery(pd.DataFrame(), "mtcnn", "facenet", "0" * 64), embedder)


def test_a_read_only_output_folder_loses_nothing_and_says_so(
    cast: Project,
    detector: Detector,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cast.output_dir.write_text("a file where the folder should be")  # root writes to read-only folders all the same
    monkeypatch.setattr("facelib.gallery.build._SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    table = build_gallery(cast, detector, embedder, progress=False)
    assert table["used"].all() and "cannot be kept" in caplog.text
    with pytest.raises(OSError, match="expected to make the folder"):
        save(table, cast, detector, embedder)


# --- the rules alone, on made-up embeddings ---


def scattered(count: int, *, axis: int = 0, seed: int = 0) -> np.ndarray:
    """Return faces of one person: 0.35 from their mean, so about 0.5 from each other, as dlib's are."""
    centre = np.eye(128)[axis] * 0.9
    return (centre + np.random.default_rng(seed + axis).normal(0, 0.35 / np.sqrt(128), (count, 128))).astype(np.float32)


def rows_of(faces: list[tuple[str, str, np.ndarray]]) -> pd.DataFrame:
    """Return a table of (person, picture, embedding)."""
    table = pd.DataFrame(faces, columns=pd.Index(["person", "picture", "embedding"]))
    return table.assign(sha256=table["picture"], reason="", used=False, face=table.groupby("picture").cumcount())


@pytest.mark.parametrize(
    ("own", "strangers", "dropped"),
    [
        (0, 0, 0),
        (20, 0, 0),
        (20, 1, 1),
        (20, 8, 8),  # of different people
        (4, 1, 1),
        (3, 1, 0),  # too few to tell which one is wrong
        (1, 1, 0),
    ],
)
def test_outliers(own: int, strangers: int, dropped: int) -> None:
    others = [scattered(1, axis=axis + 1) for axis in range(strangers)]
    keep = inliers(np.concatenate([scattered(own), *others]), threshold=0.5)
    assert keep[:own].all()
    assert (~keep[own:]).sum() == dropped


def test_without_a_measured_threshold_nothing_is_dropped() -> None:
    mixed = np.concatenate([scattered(9), scattered(3, axis=1)])
    assert inliers(mixed, threshold=float("nan")).all()


def test_a_stranger_beside_the_person_is_not_enrolled() -> None:
    alone = [("Ada", f"{number}.jpg", vector) for number, vector in enumerate(scattered(6))]
    stranger, ada = scattered(1, axis=3)[0], scattered(1, seed=9)[0]
    table = curate(rows_of([*alone, ("Ada", "two.jpg", stranger), ("Ada", "two.jpg", ada)]), threshold=0.5)
    assert table["reason"].to_list() == [""] * 6 + ["several faces", ""]
    strangers = curate(rows_of([*alone, ("Ada", "two.jpg", stranger), ("Ada", "two.jpg", -stranger)]), threshold=0.5)
    assert strangers["reason"].to_list() == [""] * 6 + ["several faces"] * 2
    few = curate(rows_of([*alone[:2], ("Ada", "two.jpg", stranger), ("Ada", "two.jpg", ada)]), threshold=0.5)
    assert few["reason"].to_list() == [""] * 2 + ["several faces"] * 2


def test_no_rows_at_all() -> None:
    table = curate(rows_of([]), threshold=0.5)
    assert len(table) == 0 and {"used", "reason"} <= set(table)
    assert summary(table).empty and warnings_for(table) == []


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"Ada": 60, "Grace": 55}, None),
        ({"Ada": 60, "Grace": 49}, "Fewer than 50 usable pictures of Grace (49)"),
        ({"Ada": 200, "Grace": 60}, "out of balance: 200 pictures of Ada, 60 of Grace"),
    ],
)
def test_warnings(counts: dict[str, int], words: str | None) -> None:
    faces = [
        (person, f"{person}{number}.jpg", np.eye(4)[row])
        for row, (person, count) in enumerate(counts.items())
        for number in range(count)
    ]
    texts = warnings_for(curate(rows_of(faces), threshold=0.5))
    assert texts == [] if words is None else any(words in text for text in texts)


# --- real pictures ---


@pytest.mark.real_data
def test_the_stranger_beside_linus_is_not_enrolled(
    shared_data: Path, tmp_path: Path, detector: Detector, embedder: Embedder
) -> None:
    project = Project("film_clips", tmp_path / "data", tmp_path)
    for person in ("Linus Sebastian", "Steve Harvey"):
        shutil.copytree(shared_data / "film_clips" / "people" / person, project.people / person)
    table = build_gallery(project, detector, embedder, progress=False)
    pair = table[table["picture"].str.endswith("Linus Sebastian/maxresdefault.jpg")].sort_values("left")
    assert pair["reason"].to_list() == ["", "several faces"]  # Linus sits on the left of it
    linus = table[table["used"] & (table["person"] == "Linus Sebastian")]
    vectors = np.stack(linus["embedding"].to_list())
    assert len(linus) >= 9
    assert np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max() < 0.5


@pytest.mark.real_data
def test_right_pictures_are_kept(shared_data: Path, tmp_path: Path, detector: Detector, embedder: Embedder) -> None:
    table = build_gallery(Project("himym", shared_data, tmp_path), detector, embedder, progress=False)
    counts = summary(table).sum(numeric_only=True)
    assert counts["pictures"] == 223 and counts["no face"] <= 2
    assert counts["outlier"] <= 3 and counts["used"] >= 215


def test_a_gallery_without_a_face_in_use_says_where_the_reasons_are() -> None:
    table = pd.DataFrame({"used": [False], "embedding": [np.full(4, np.nan)]})
    with pytest.raises(ValueError, match="at least one face in use, got none; notebook 02_embed_faces lists"):
        _ = Gallery(table, "mtcnn", "dlib", "").vectors
