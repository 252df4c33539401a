import logging
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from facelib.nets.graph import Graph
from facelib.nets.runtime import available_providers, open_network

WITHOUT_CUDA = pytest.mark.skipif("CUDA" in available_providers(), reason="onnxruntime offers CUDA here")


@pytest.fixture
def network_file(tmp_path):
    graph = Graph("double", "x", ("n", 3))
    graph.add("Add", graph.input, graph.input, output="twice")
    graph.add("Mul", graph.input, graph.constant(3.0), output="thrice")
    path = tmp_path / "double.onnx"
    onnx.save(graph.model({"twice": ("n", 3), "thrice": ("n", 3)}, {"size": "3", "colour": "RGB"}), str(path))
    return path


def test_a_network_says_what_it_is(network_file):
    network = open_network(network_file)
    assert network.path == network_file
    assert network.provider in available_providers()
    assert network.input_shape == ("n", 3)
    assert network.output_names == ("twice", "thrice")
    assert network.metadata == {"size": "3", "colour": "RGB"}


@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_runs_batches_of_any_number(count, network_file):
    given = np.arange(3 * count).reshape(count, 3)
    twice, thrice = open_network(network_file).run(given)
    np.testing.assert_array_equal(twice, 2 * given)
    np.testing.assert_array_equal(thrice, 3 * given)
    assert twice.dtype == np.float32


def test_arrays_of_other_types_and_orders_are_taken(network_file):
    network = open_network(network_file, provider="cpu")
    given = np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(4, 3))[::2]
    np.testing.assert_array_equal(network.run(given, ["thrice"])[0], 3.0 * given)


def test_only_the_outputs_wanted_are_given(network_file):
    network = open_network(network_file)
    (thrice,) = network.run(np.ones((1, 3)), ["thrice"])
    assert thrice.tolist() == [[3, 3, 3]]


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 2, 3), ()])
def test_an_array_of_another_shape_is_refused(shape, network_file):
    with pytest.raises(ValueError, match=r"expected an array of shape \('n', 3\) for double.onnx, got"):
        open_network(network_file).run(np.zeros(shape, np.float32))


def test_one_network_serves_several_threads(network_file):
    network = open_network(network_file)
    given = [np.full((10, 3), value, np.float32) for value in range(50)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda array: network.run(array)[0], given))
    for array, answer in zip(given, answers, strict=True):
        np.testing.assert_array_equal(answer, 2 * array)


def test_pictures_of_many_sizes_take_the_memory_of_the_largest(tmp_path):
    graph = Graph("wide", "x", (1, 3, "height", "width"))
    wide = graph.add("Conv", graph.input, graph.constant(np.ones((64, 3, 1, 1))))
    wide = graph.add("Conv", wide, graph.constant(np.ones((64, 64, 1, 1))))
    graph.add("Conv", wide, graph.constant(np.ones((1, 64, 1, 1))), output="y")
    path = tmp_path / "wide.onnx"
    onnx.save(graph.model({"y": (1, 1, "height", "width")}, {}), str(path))
    network, process = open_network(path, provider="cpu"), psutil.Process()
    before = process.memory_info().rss
    for side in (256, 240, 224, 248, 232) * 2:
        network.run(np.zeros((1, 3, side, side)))
    assert process.memory_info().rss - before < 50e6  # the outputs of the first two layers have 17 MB each


def test_a_pickled_network_is_opened_anew_from_its_file(network_file):
    pickled = pickle.dumps(open_network(network_file))
    assert pickle.loads(pickled).run(np.ones((1, 3)))[1].tolist() == [[3, 3, 3]]
    network_file.unlink()
    with pytest.raises(FileNotFoundError, match=r"expected an ONNX file, found none at .*double\.onnx"):
        pickle.loads(pickled)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no-such\.onnx"):
        open_network(tmp_path / "no-such.onnx")


@pytest.mark.parametrize("content", [b"", b"this is a text and no network", bytes(1000)])
def test_what_is_no_network_is_refused_quietly(content, tmp_path, capfd):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"expected an ONNX network in .*broken.onnx' \({len(content)} bytes\)"):
        open_network(path)
    assert capfd.readouterr() == ("", "")


def test_a_network_cut_short_is_refused(network_file):
    network_file.write_bytes(network_file.read_bytes()[:-40])
    with pytest.raises(ValueError, match="put a whole file in its place"):
        open_network(network_file)


def save_with_inputs(path, *types) -> None:
    inputs = [helper.make_tensor_value_info(f"x{i}", kind, ["n"]) for i, kind in enumerate(types)]
    output = helper.make_tensor_value_info("y", types[0], ["n"])
    graph = helper.make_graph([helper.make_node("Identity", ["x0"], ["y"])], "g", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(path))


@pytest.mark.parametrize("types", [(TensorProto.FLOAT, TensorProto.FLOAT), (TensorProto.STRING,)])
def test_networks_with_several_inputs_or_of_texts_are_refused(types, tmp_path):
    path = tmp_path / "odd.onnx"
    save_with_inputs(path, *types)
    with pytest.raises(ValueError, match="expected a network with one input of numbers"):
        open_network(path)


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.FLOAT16])
def test_networks_of_other_numbers_get_them(kind, tmp_path):
    path = tmp_path / "other.onnx"
    save_with_inputs(path, kind)
    assert open_network(path).run(np.array([1.0, 7.0]))[0].tolist() == [1, 7]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"provider": "tpu"}, "got 'tpu'"), ({"provider": "CPU"}, "got 'CPU'")],
)
def test_unknown_options_are_refused(options, message, network_file):
    with pytest.raises(ValueError, match=message):
        open_network(network_file, **options)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_does_not_change_the_answer(threads, network_file, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert open_network(network_file).run(np.ones((1, 3)))[0].tolist() == [[2, 2, 2]]


@WITHOUT_CUDA
def test_cuda_that_is_not_there_is_an_error_with_a_remedy(network_file):
    with pytest.raises(RuntimeError, match=r"expected onnxruntime to offer CUDA.*\('CPU',\).*onnxruntime-gpu"):
        open_network(network_file, provider="cuda")


@WITHOUT_CUDA
def test_auto_takes_the_cpu_and_says_so(network_file, caplog):
    with caplog.at_level(logging.INFO):
        assert open_network(network_file, provider="auto").provider == "CPU"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "double.onnx runs on CPU")
    ]


@pytest.mark.skipif("CUDA" not in available_providers(), reason="onnxruntime does not offer CUDA here")
def test_cuda_is_used_or_refused_but_never_replaced_in_silence(network_file, caplog):
    chosen = open_network(network_file, provider="auto").provider
    if chosen == "CUDA":
        assert open_network(network_file, provider="cuda").provider == "CUDA"
    else:
        assert "runs on the CPU" in caplog.text
        with pytest.raises(RuntimeError, match="could not use it"):
            open_network(network_file, provider="cuda")


def test_opening_and_running_writes_nothing_to_the_error_stream(network_file):
    code = "import sys, numpy; from facelib.nets.runtime import open_network; "
    code += "open_network(sys.argv[1]).run(numpy.ones((1, 3)))"
    done = subprocess.run([sys.executable, "-c", code, str(network_file)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_network_that_fails_on_what_its_input_allows_is_told(tmp_path):
    weights = numpy_helper.from_array(np.zeros((12, 2), np.float32), "weights")
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "height", "width"])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "weights"], ["y"])]
    graph = helper.make_graph(nodes, "g", [given], [made], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "n.onnx")
    network = open_network(tmp_path / "n.onnx")
    assert network.run(np.zeros((1, 3, 2, 2), np.float32))[0].shape == (1, 2)
    with pytest.raises(RuntimeError, match=r"n\.onnx to run on \(1, 3, 4, 4\)"):
        network.run(np.zeros((1, 3, 4, 4), np.float32))
