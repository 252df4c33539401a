import copy
import csv
import pickle
from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import numpy as np
import pytest

from facelib.detect import load_detector
from facelib.faces import Faces, iou
from facelib.images import read_image

BUILT_IN = ("haar", "hog", "cnn", "mtcnn", "centerface")


@pytest.fixture(scope="module", params=BUILT_IN)
def detector(request):
    return load_detector(request.param)


def test_the_default_needs_no_download():
    assert load_detector().name in BUILT_IN


def test_a_portraits_face_is_found(detector, portrait):
    faces = detector.detect(portrait)
    assert iou([[180, 66, 266, 172]], faces[0].boxes)[0, 0] > 0.5
    assert faces.scores.tolist() == sorted(faces.scores.tolist(), reverse=True)


def test_landmarks_come_in_the_documented_order(detector, portrait):
    left_eye, right_eye, nose, left_mouth, right_mouth = detector.detect(portrait)[0].landmarks[0]
    for point, place in ((left_eye, (205, 102)), (right_eye, (246, 103)), (nose, (225, 127))):
        assert np.linalg.norm(point - place) < 6
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert min(left_mouth[1], right_mouth[1]) > nose[1]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda detector: pickle.loads(pickle.dumps(detector))])
def test_a_copy_finds_the_same(detector, portrait, copied):
    own = detector.at_score(detector.score + 0.1)
    other = copied(own)
    assert (other.description, other.detect(portrait).boxes.tolist()) == (
        own.description,
        own.detect(portrait).boxes.tolist(),
    )
    assert len(pickle.dumps(own)) < 10_000  # the networks stay where they are


@pytest.mark.parametrize("name", ["haar", "hog"])  # their libraries keep a picture's values in the detector
def test_several_threads_find_the_same(name, portrait):
    pictures = [np.ascontiguousarray(portrait[:, shift : shift + 400]) for shift in range(0, 96, 12)]
    detectors = [load_detector(name, working_size=200, smallest_face=60) for _ in range(2)]
    alone = [detectors[0].detect(picture).boxes.tolist() for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda detector, picture: detector.detect(picture), detectors * 8, pictures * 2)
        assert [faces.boxes.tolist() for faces in together] == alone * 2


@pytest.mark.parametrize(("smallest", "count"), [(40, 2), (90, 1), (250, 0)])
def test_smallest_face_is_the_size_of_the_smallest_face_given(detector, two_sizes, smallest, count):
    picture, boxes = two_sizes
    faces = load_detector(detector.name, smallest_face=smallest).detect(picture)
    assert (iou(boxes, faces.boxes).max(axis=1, initial=0) > 0.3).tolist() == [count >= 1, count == 2]
    assert (np.maximum(faces.widths, faces.heights) > 0.85 * smallest).all()


def test_boxes_are_in_pixels_of_the_picture_at_any_working_size(detector, portrait):
    large = cv2.resize(portrait, (1101, 1103), interpolation=cv2.INTER_LINEAR)  # no whole multiple
    faces = load_detector(detector.name, working_size=500, smallest_face=150).detect(large)
    truth = np.array([180, 66, 266, 172]) * (1102 / 512)
    assert iou([truth], faces[0].boxes)[0, 0] > 0.5
    assert np.linalg.norm(faces.landmarks[0, 2] - np.array([225, 127]) * (1102 / 512)) < 12


def test_a_higher_score_leaves_no_face(detector, portrait):
    assert len(load_detector(detector.name, score=100).detect(portrait)) == 0


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.full((2, 3, 3), 255, np.uint8),
        np.zeros((240, 320, 3), np.uint8),  # black
        np.full((100, 12_000, 3), 128, np.uint8),  # as wide as a strip
        np.full((2000, 5, 3), 60, np.uint8),
        np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8),  # noise
        np.repeat(np.random.default_rng(2).integers(0, 256, (150, 150, 1), np.uint8), 3, axis=2),  # grey noise
    ],
    ids=lambda picture: f"{picture.shape[1]}x{picture.shape[0]}",
)
def test_any_picture_is_survived(detector, picture):
    faces = detector.detect(picture)
    assert isinstance(faces, Faces)
    height, width = picture.shape[:2]
    assert (faces.boxes >= 0).all()
    assert (faces.boxes <= np.array([width, height, width, height])).all()


def test_a_face_cut_off_by_the_border_keeps_its_box_inside(portrait):
    cut = np.ascontiguousarray(portrait[:, 205:])  # half of the left eye is missing
    faces = load_detector("mtcnn", score=0.5).detect(cut)
    assert len(faces) >= 1
    assert faces.boxes.min() >= 0


def test_what_is_no_picture_is_refused(detector):
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        detector.detect(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "retina"}, "retina"),
        ({"name": "weights.pt"}, "weights.pt"),
        ({"name": ""}, "''"),
        ({"name": "mtcnn", "engine": "dlib"}, "mtcnn"),
        ({"name": "cnn", "engine": "caffe"}, "caffe"),
        ({"name": "cnn", "smallest_face": 0}, "smallest_face"),
    ],
)
def test_an_unknown_choice_is_refused_by_name(arguments, told):
    with pytest.raises(ValueError, match=told):
        load_detector(**arguments)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.onnx"):
        load_detector(tmp_path / "none.onnx")


def test_hog_gives_face_recognitions_boxes(portrait):
    dlib = pytest.importorskip("dlib")
    faces = load_detector("hog").detect(portrait)
    found = dlib.get_frontal_face_detector()(portrait, 1)
    expected = {(face.left(), face.top(), face.right(), face.bottom()) for face in found}
    assert {tuple(box) for box in faces.boxes.astype(int).tolist()} == expected


def truth_and_frames(table, film, wanted):
    truth = {}
    with table.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if wanted(int(row["frame"])):
                box = [float(row[side]) for side in ("left", "top", "right", "bottom")]
                truth.setdefault(int(row["frame"]), []).append(box)
    with av.open(str(film)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index > max(truth):
                return
            if index in truth:
                yield frame.to_ndarray(format="rgb24"), np.array(truth[index])


@pytest.fixture(scope="module")
def clips(shared_data):
    """Every fortieth frame of the film clips that has a face, and the boxes there."""
    return [
        picture
        for film in sorted((shared_data / "film_clips/videos").glob("*.mp4"))
        for picture in truth_and_frames(
            shared_data / f"film_clips/truth/{film.stem}.csv", film, lambda frame: frame % 40 == 0
        )
    ]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "smallest", "working", "least"),
    [
        ("centerface", 32, 640, 0.99),
        ("mtcnn", 40, 640, 0.97),
        ("cnn", 80, 640, 0.97),
        ("hog", 80, 640, 0.8),
        ("haar", 80, 640, 0.6),
    ],
)
def test_faces_of_films_are_found(clips, name, smallest, working, least):
    detector = load_detector(name, smallest_face=smallest, working_size=working)
    hits = []
    for image, boxes in clips:
        hits += (iou(boxes, detector.detect(image).boxes).max(axis=1, initial=0) >= 0.3).tolist()
    assert len(hits) > 30
    assert np.mean(hits) >= least


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "smallest", "least", "large", "most_false"), [("mtcnn", 20, 0.72, 0.9, 8), ("centerface", 16, 0.97, 1, 8)]
)
def test_small_faces_of_a_sitcom_are_found(shared_data, name, smallest, least, large, most_false):
    detector = load_detector(name, smallest_face=smallest)
    frames = truth_and_frames(
        shared_data / "sitcom/truth/scene_a.csv", shared_data / "sitcom/videos/scene_a.mp4", lambda frame: True
    )
    hits, sides, false = [], [], 0
    for image, boxes in frames:
        overlap = iou(boxes, detector.detect(image).boxes)
        hits += (overlap.max(axis=1, initial=0) >= 0.3).tolist()
        sides += ((boxes[:, 2] - boxes[:, 0] + boxes[:, 3] - boxes[:, 1]) / 2).tolist()
        false += int((overlap.max(axis=0, initial=0) < 0.3).sum())
    assert len(hits) == 102
    assert np.mean(hits) >= least
    assert np.mean(np.array(hits)[np.array(sides) >= 30]) >= large
    assert false <= most_false


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["cnn", "hog", "haar", "mtcnn", "centerface"])
def test_landmarks_agree_with_yunets(shared_data, models_folder, name):
    detector, reference = load_detector(name, smallest_face=60), load_detector(models_folder / "yunet_n_640_640.onnx")
    errors = []
    for path in sorted((shared_data / "lfw/strangers").glob("*/*.jpg"))[:20]:
        image = read_image(path)
        faces, wanted = detector.detect(image), reference.detect(image)[0]
        overlap = iou(wanted.boxes, faces.boxes)[0]
        if overlap.max(initial=0) > 0.3:
            five, other = wanted.landmarks[0], faces.landmarks[overlap.argmax()]
            errors.append(np.linalg.norm(five - other, axis=1).mean() / np.linalg.norm(five[1] - five[0]))
    assert len(errors) >= 17
    assert np.mean(errors) < 0.12
