import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facelib.detect import load_detector
from facelib.detect.anchors import any_size, grid
from facelib.faces import iou
from facelib.nets.runtime import open_network

SIDE = 64
PATTERNS = {
    "named": [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)],
    "numbered": ["448", "471", "494", "451", "474", "497", "454", "477", "500"],
}


@pytest.fixture
def make_file(tmp_path):
    """Return a factory of networks whose outputs are constants, but for the first score: the mean of the reds."""

    def make(constants: dict[str, np.ndarray], *, lit: str | None = None):
        nodes = [
            helper.make_node("Slice", ["x", "zero", "one", "one"], ["red"]),
            helper.make_node("ReduceMean", ["red"], ["mean"], keepdims=0),
        ]
        starts = [numpy_helper.from_array(np.array([value]), name) for name, value in (("zero", 0), ("one", 1))]
        values = []
        for name, value in constants.items():
            mask = np.zeros(value.shape, np.float32)
            if name == lit:
                mask.flat[0] = 1
            values += [
                numpy_helper.from_array(value.astype(np.float32), f"{name} value"),
                numpy_helper.from_array(mask, f"{name} mask"),
            ]
            nodes += [
                helper.make_node("Mul", [f"{name} mask", "mean"], [f"{name} part"]),
                helper.make_node("Add", [f"{name} value", f"{name} part"], [name]),
            ]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, v.shape) for name, v in constants.items()]
        picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        graph = helper.make_graph(nodes, "test", [picture], outputs, starts + values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        path = tmp_path / "made.onnx"
        onnx.save(model, path)
        return path

    return make


def scrfd_outputs(names):
    """One face at stride 16, column 2, row 1, second anchor: 20 pixels to each side of (32, 16), its nose there."""
    counts = {8: 128, 16: 32, 32: 8}
    width = {"score": 1, "bbox": 4, "kps": 10}
    shapes = [(counts[stride], width[kind]) for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]
    values = {name: np.zeros(shape) for name, shape in zip(names, shapes, strict=True)}
    anchor = 2 * (1 * 4 + 2) + 1
    values[names[1]][anchor] = 0.75
    values[names[4]][anchor] = (1.25, 0.75, 1.25, 1.0)
    values[names[7]][anchor] = (-0.5, -0.5, 0.5, -0.5, 0, 0, -0.5, 0.5, 0.5, 0.5)
    return values


@pytest.mark.parametrize("names", PATTERNS.values(), ids=PATTERNS)
def test_scrfds_outputs_become_faces(make_file, names):
    faces = load_detector(make_file(scrfd_outputs(names)), smallest_face=16).detect(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert faces.boxes.tolist() == [[12, 4, 52, 32]]
    assert faces.scores.tolist() == [0.75]
    assert faces.landmarks[0].tolist() == [[24, 8], [40, 8], [32, 16], [24, 24], [40, 24]]


def test_scrfd_takes_rgb_about_nought(make_file):
    names = PATTERNS["named"]
    outputs = scrfd_outputs(names)
    outputs["bbox_8"][0] = (0, 0, 4, 4)
    path = make_file(outputs, lit="score_8")
    red = np.full((SIDE, SIDE, 3), (255, 0, 0), np.uint8)
    sure = load_detector(path, smallest_face=16).detect(red)[0]
    assert sure.boxes.tolist() == [[0, 0, 32, 32]]
    assert sure.scores[0] == pytest.approx(127.5 / 128, abs=1e-4)
    assert len(load_detector(path, smallest_face=16).detect(red[..., ::-1])) == 1  # blue: only the other face


def test_a_large_picture_is_fitted_into_a_network_of_fixed_size(make_file):
    path = make_file(scrfd_outputs(PATTERNS["named"]))
    faces = load_detector(path, smallest_face=16).detect(np.zeros((SIDE, 4 * SIDE, 3), np.uint8))
    assert faces.boxes.tolist() == [[48, 16, 208, 64]]  # four times as large, cut off at the bottom


@pytest.mark.parametrize(
    "names",
    [
        ["output"],
        [*PATTERNS["named"][:6]],  # no landmarks
        [*PATTERNS["numbered"][:6]],
        [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in (8, 16, 32)],
    ],
)
def test_an_unknown_form_is_refused_with_what_was_found(make_file, names):
    path = make_file({name: np.zeros((4, 4)) for name in names})
    with pytest.raises(ValueError, match=names[0]):
        load_detector(path)


def test_a_file_with_other_grids_is_refused(make_file):
    outputs = scrfd_outputs(PATTERNS["named"])
    outputs["bbox_8"] = np.zeros((64, 4))  # one anchor a cell where two belong
    path = make_file(outputs)
    with pytest.raises(ValueError, match="128"):
        load_detector(path).detect(np.zeros((SIDE, SIDE, 3), np.uint8))


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("no network")
    with pytest.raises(ValueError, match=r"text\.onnx"):
        load_detector(path)


def test_a_grid_goes_row_by_row():
    assert grid(16, 24, 8, anchors=1).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    assert grid(8, 16, 8, anchors=2).tolist() == [[0, 0], [0, 0], [1, 0], [1, 0]]
    assert grid(0, 0, 8, anchors=2).shape == (0, 2)


YUNET = ("yunet_n_640_640.onnx", "face_detection_yunet_2023mar.onnx")


@pytest.mark.real_data
@pytest.mark.parametrize("name", YUNET)
def test_opencv_reads_the_same_faces_out_of_yunet(models_folder, portrait, name):
    faces = load_detector(models_folder / name, smallest_face=16).detect(portrait)
    reference = cv2.FaceDetectorYN.create(str(models_folder / name), "", (512, 512), 0.6, 0.3)
    found = reference.detect(np.ascontiguousarray(portrait[..., ::-1]))[1]
    boxes = np.hstack([found[:, :2], found[:, :2] + found[:, 2:4]])
    assert len(faces) == len(found) >= 1
    assert np.abs(faces.boxes - np.clip(boxes, 0, 512)).max() < 0.5
    assert np.abs(faces.landmarks.reshape(-1, 10) - found[:, 4:14]).max() < 0.5
    assert np.abs(faces.scores - found[:, 14]).max() < 1e-3


@pytest.mark.real_data
@pytest.mark.parametrize("name", YUNET)
def test_yunet_takes_pictures_of_any_size(models_folder, two_sizes, name):
    picture, boxes = two_sizes
    assert open_network(any_size(models_folder / name)).input_shape[2:] != (640, 640)
    faces = load_detector(models_folder / name).detect(picture)
    assert (iou(boxes, faces.boxes).max(axis=1, initial=0) > 0.5).all()
    assert len(load_detector(models_folder / name, smallest_face=90).detect(picture)) == 1
    assert len(load_detector(models_folder / name).detect(np.zeros((1, 1, 3), np.uint8))) == 0
