import math
import warnings

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facelib.embed import InputForm, load_embedder
from facelib.faces import Faces
from facelib.images import read_image
from facelib.project.digests import sha256_of

SIDE = 16
FORM = InputForm(size=SIDE, mean=10, scale=0.5, alignment="margin", normalise=False)


@pytest.fixture
def make_file(tmp_path):
    """Return a factory of networks that give the mean of each of the three colours they see."""

    def make(*, batch="n", metadata=None, name="means.onnx"):
        axes = numpy_helper.from_array(np.array([2, 3]), "axes")
        node = helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0)
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])
        made = helper.make_tensor_value_info("means", TensorProto.FLOAT, [batch, 3])
        graph = helper.make_graph([node], "test", [given], [made], [axes])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, metadata or {})
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return make


def coloured(*colours):
    return np.stack([np.full((SIDE, SIDE, 3), colour, np.uint8) for colour in colours])


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("dlib")


FACE = Faces.of([[175, 76, 265, 166]])


def test_a_chip_enters_the_network_in_its_form(make_file):
    got = load_embedder(make_file(), form=FORM).embed_chips(coloured((20, 30, 50)))
    assert np.allclose(got, [[5, 10, 20]])


def test_colours_are_turned_for_a_network_that_wants_bgr(make_file):
    form = InputForm(size=SIDE, colour="BGR", alignment="margin", normalise=False)
    assert np.allclose(load_embedder(make_file(), form=form).embed_chips(coloured((1, 2, 3))), [[3, 2, 1]])


def test_vectors_have_length_one_where_the_form_says_so(make_file):
    form = InputForm(size=SIDE, alignment="margin")
    got = load_embedder(make_file(), form=form).embed_chips(coloured((3, 0, 4), (0, 0, 0)))
    assert np.allclose(got, [[0.6, 0, 0.8], [0, 0, 0]])  # and nothing is divided by nought


@pytest.mark.parametrize(("batch", "size"), [("n", 1), ("n", 3), ("n", 100), (1, 32), (4, 32)])
def test_batches_change_nothing(make_file, batch, size):
    embedder = load_embedder(make_file(batch=batch), form=FORM, batch_size=size)
    colours = [(10 + 2 * i, 12, 14) for i in range(10)]
    assert np.allclose(embedder.embed_chips(coloured(*colours))[:, 0], np.arange(10))
    assert embedder.embed_chips(np.empty((0, SIDE, SIDE, 3), np.uint8)).shape == (0, 3)


def test_a_file_says_itself_what_its_input_is(make_file):
    path = make_file(metadata=FORM.metadata() | {"facelib.threshold": "0.75"})
    embedder = load_embedder(path)
    assert (embedder.form, embedder.name, embedder.dimension) == (FORM, "means", 3)
    assert embedder.threshold == 0.75
    assert embedder.sha256 == sha256_of(path)
    assert np.allclose(embedder.embed_chips(coloured((20, 30, 50))), [[5, 10, 20]])


def test_what_is_passed_goes_before_what_the_file_says(make_file):
    path = make_file(metadata=FORM.metadata())
    other = InputForm(size=SIDE, alignment="margin", normalise=False)
    embedder = load_embedder(path, form=other, threshold=0.3)
    assert (embedder.form, embedder.threshold) == (other, 0.3)


def test_a_threshold_that_nobody_measured_is_not_a_number(make_file):
    assert math.isnan(load_embedder(make_file(), form=FORM).threshold)


def test_an_unknown_file_without_a_form_is_refused_with_the_remedy(make_file):
    with pytest.raises(ValueError, match=r"pass form=InputForm"):
        load_embedder(make_file())


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"size": "large"}, r"JSON .* 'facelib\.size', got 'large'"),
        ({"size": "1e3"}, r"whole number, got 1000\.0"),
        ({"size": "999999"}, "999999"),  # 3 TB a face
        ({"size": "16", "scale": "[1]"}, r"scale, got \[1\]"),
        ({"size": "16", "mean": "Infinity"}, "mean, got inf"),
        ({"size": "16", "threshold": "near"}, r"JSON .* 'facelib\.threshold', got 'near'"),
        ({"size": "16", "threshold": "-1"}, "distance .* got -1"),
        ({"size": "16", "threshold": "Infinity"}, "distance .* got inf"),
        ({"size": "16", "threshold": "true"}, "distance .* got True"),
        ({"size": "true"}, "whole number, got True"),
        ({"size": "16", "scale": "true"}, "scale, got True"),
        ({"size": "16", "mean": "1" + "0" * 400}, "mean, got 10"),  # more than a float holds
        ({"size": "16", "normalise": '"no"'}, "true or false as normalise, got 'no'"),
        ({"size": "[" * 100_000}, r"JSON .* 'facelib\.size'"),
    ],
)
def test_broken_metadata_is_refused(make_file, metadata, told):
    with pytest.raises(ValueError, match=told):
        load_embedder(make_file(metadata={f"facelib.{name}": value for name, value in metadata.items()}))


def test_a_network_that_gives_no_numbers_is_told(make_file):
    overflowing = InputForm(size=SIDE, scale=3e38, alignment="margin")
    with pytest.raises(RuntimeError, match=r"finite numbers from means\.onnx"):
        load_embedder(make_file(), form=overflowing).embed_chips(coloured((200, 200, 200)))


@pytest.mark.parametrize(
    ("nodes", "shape", "told"),
    [
        ([("ReduceSum", {"keepdims": 0})], [], r"float32 of shape \(\) for 1 face:"),
        ([("Flatten", {}), ("Transpose", {})], [3 * SIDE * SIDE, "n"], r"float32 of shape \(768, 1\) for 1 face:"),
        ([("ReduceMean", {"axes": [1, 2, 3], "keepdims": 0})], ["n"], r"float32 of shape \(1,\) for 1 face:"),  # an age
        (
            [("ReduceMean", {"axes": [0, 2, 3], "keepdims": 1})],
            [1, 3, 1, 1],
            r"float32 of shape \(1, 3, 1, 1\) for 2 faces:",
        ),
        ([("Flatten", {}), ("IsNaN", {})], None, "bool of shape"),
    ],
)
def test_a_network_that_gives_no_vector_for_each_face_is_refused(tmp_path, nodes, shape, told):
    names = ["x", *(kind for kind, _ in nodes)]
    chain = [helper.make_node(kind, [names[i]], [kind], **more) for i, (kind, more) in enumerate(nodes)]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    number = TensorProto.BOOL if shape is None else TensorProto.FLOAT
    graph = helper.make_graph(chain, "test", [given], [helper.make_tensor_value_info(names[-1], number, shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=rf"a vector for each face as the first output of other\.onnx, got {told}"):
        load_embedder(tmp_path / "other.onnx", form=FORM).embed_chips(coloured((1, 2, 3), (4, 5, 6)))


def test_a_network_of_a_single_number_is_refused(tmp_path):
    number = [helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "test", number[:1], number[1:])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 11)]), tmp_path / "n.onnx")
    with pytest.raises(ValueError, match=r"expected an array of shape \(\) for n.onnx, got \(1, 3, 16, 16\)"):
        load_embedder(tmp_path / "n.onnx", form=FORM)


@pytest.mark.parametrize(
    "form",
    [
        FORM,
        InputForm(size=112, mean=127.5, scale=1 / 128, colour="BGR"),
        InputForm(size=150, alignment="dlib", normalise=False),
    ],
)
def test_a_form_survives_being_written_into_a_file(form):
    assert InputForm.from_metadata(form.metadata()) == form


def test_a_file_without_a_form_has_none():
    assert InputForm.from_metadata({"author": "nobody"}) is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"size": 0}, "0"),
        ({"size": 8.5}, "8.5"),
        ({"size": 8, "mean": math.nan}, "nan"),
        ({"size": 8, "colour": "GRB"}, "GRB"),
        ({"size": 8, "alignment": "eyes"}, "eyes"),
    ],
)
def test_an_impossible_form_is_refused(values, told):
    with pytest.raises(ValueError, match=told):
        InputForm(**values)


@pytest.mark.parametrize(
    "chips",
    [
        np.zeros((2, 100, 100, 3), np.uint8),
        np.zeros((2, 150, 150, 3), np.float32),
        np.zeros((150, 150, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("engine", ["onnx", "dlib"])
def test_wrong_chips_are_refused(chips, engine):
    with pytest.raises(ValueError, match="150, 150, 3"):
        load_embedder("dlib", engine=engine).embed_chips(chips)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "no such network"}, "no such network"),
        ({"name": "mobilefacenet", "engine": "dlib"}, "mobilefacenet"),
        ({"engine": "torch"}, "torch"),
        ({"batch_size": 0}, "0"),
    ],
)
def test_an_unknown_choice_is_refused_by_name(arguments, told):
    with pytest.raises(ValueError, match=told):
        load_embedder(**arguments)


def test_dlibs_network_gives_dlibs_vectors(embedder, portrait):
    reference = load_embedder("dlib", engine="dlib")
    faces = Faces.of([*FACE.boxes, [160, 60, 280, 180], [-30, -30, 90, 90], [600, 600, 700, 700]])
    got, wanted = embedder.embed(portrait, faces), reference.embed(portrait, faces)
    assert got.shape == (4, 128) == (4, embedder.dimension)
    assert np.abs(got - wanted).max() < 1e-5
    assert (embedder.name, embedder.sha256, embedder.threshold) == (
        reference.name,
        reference.sha256,
        reference.threshold,
    )


@pytest.mark.parametrize("engine", ["onnx", "dlib"])
def test_no_faces_give_no_vectors(portrait, engine):
    got = load_embedder("dlib", engine=engine).embed(portrait, Faces.empty())
    assert got.shape == (0, 128)
    assert got.dtype == np.float32


def test_a_picture_of_one_pixel_is_survived(embedder):
    assert np.isfinite(embedder.embed(np.zeros((1, 1, 3), np.uint8), Faces.of([[0, 0, 1, 1]]))).all()


def test_what_is_no_picture_is_refused(embedder):
    with pytest.raises(ValueError, match="float64"):
        embedder.embed(np.zeros((40, 40, 3)), FACE)


@pytest.mark.parametrize("engine", ["onnx", "dlib"])
def test_boxes_alone_are_no_faces(portrait, engine):
    with pytest.raises(TypeError, match=r"Faces\.of\(boxes\) give them, got ndarray"):
        load_embedder("dlib", engine=engine).embed(portrait, FACE.boxes)


@pytest.mark.real_data
def test_vectors_equal_face_recognitions_on_a_hundred_faces(shared_data, embedder):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*pkg_resources", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*pkg_resources", category=DeprecationWarning)
        import face_recognition
    worst, count = 0.0, 0
    for path in sorted((shared_data / "lfw/strangers").glob("*/*.jpg"))[:110]:
        image = read_image(path)
        places = face_recognition.face_locations(image, number_of_times_to_upsample=0)
        if not places or count == 100:
            continue
        count += 1
        wanted = face_recognition.face_encodings(image, places[:1], model="small")
        top, right, bottom, left = places[0]
        worst = max(worst, np.abs(embedder.embed(image, Faces.of([[left, top, right, bottom]])) - wanted).max())
    assert count == 100
    assert worst <= 1e-5


@pytest.mark.real_data
def test_mobilefacenet_tells_people_apart(shared_data, models_folder):
    from facelib.detect import load_detector

    embedder, detector = load_embedder(models_folder / "mobilefacenet.onnx"), load_detector("mtcnn")
    vectors, names = [], []
    for folder in sorted((shared_data / "lfw/people").iterdir())[:10]:
        for path in sorted(folder.glob("*.jpg"))[:4]:
            image = read_image(path)
            faces = detector.detect(image)
            central = int(np.abs(faces.boxes.reshape(-1, 2, 2).mean(axis=1) - 125).sum(axis=1).argmin())
            vectors.append(embedder.embed(image, faces[central])[0])
            names.append(folder.name)
    distances = np.linalg.norm(np.array(vectors)[:, None] - np.array(vectors)[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    same = np.array(names)[distances.argmin(axis=1)] == np.array(names)
    assert embedder.name == "mobilefacenet"
    assert same.mean() >= 0.95
    other = np.array(names)[:, None] != np.array(names)[None]
    assert (distances[other] < embedder.threshold).mean() < 0.01


def test_a_mirrored_face_has_the_same_vector_of_length_one(embedder, portrait):
    mirrored = load_embedder("dlib-mirrored")
    chips = mirrored.chips(portrait, FACE)
    vectors = mirrored.embed_chips(chips)
    np.testing.assert_allclose(vectors, mirrored.embed_chips(np.ascontiguousarray(chips[:, :, ::-1])), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    both = embedder.embed_chips(chips) + embedder.embed_chips(np.ascontiguousarray(chips[:, :, ::-1]))
    np.testing.assert_allclose(vectors, both / np.linalg.norm(both, axis=1, keepdims=True), atol=1e-5)
    assert mirrored.name == "dlib-mirrored"
    assert mirrored.sha256 != embedder.sha256
    assert mirrored.threshold < embedder.threshold
