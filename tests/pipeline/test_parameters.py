import ast
import json
from pathlib import Path
from typing import get_args

import pytest

from facelib.detect import DetectorName
from facelib.films.annotate import Blur
from facelib.films.exports import Format
from facelib.films.tracking import ShotMethod, TrackMethod
from facelib.gather.engines import SearchEngine
from facelib.nets.runtime import Provider
from facelib.pipeline.parameters import (
    NOTEBOOKS,
    AnnotateVideoParameters,
    GatherDataParameters,
    TuneThresholdParameters,
    parse_value,
)
from facelib.pipeline.parameters import base as base_module
from facelib.pipeline.parameters import films as films_module
from facelib.pipeline.parameters import people as people_module
from facelib.pipeline.parameters.reading import Parameter, model_of, read_parameters

FOLDER = Path(__file__).parents[2] / "notebooks"
MOST_SHOWN = 12
CELL = """
project: str = "demo"  # the project
k: int = 5  # neighbours, k >= 1
threshold: float | None = None
videos: list[str] = []
weights: "Literal['uniform', 'distance']" = "uniform"
query: str = "a=b"
seed = 0
print("not a parameter")
"""


def converted() -> list[Path]:
    """The notebooks whose cell says `options`."""
    return [path for path in sorted(FOLDER.glob("*.ipynb")) if "options" in read_parameters(path)]


@pytest.mark.parametrize("path", converted(), ids=lambda path: path.stem)
class TestNotebook:
    def test_its_cell_says_what_its_class_says(self, path):
        fields = NOTEBOOKS[path.stem].model_fields
        cell = next(c for c in json.loads(path.read_text())["cells"] if "parameters" in c["metadata"].get("tags", []))
        for line in "".join(cell["source"]).splitlines():
            statement = ast.parse(line).body[0]
            assert isinstance(statement, ast.AnnAssign) and statement.value is not None
            name, meaning = ast.unparse(statement.target), line.split("  # ")[1]
            if name != "options":
                default = fields[name].get_default(call_default_factory=True)
                assert (ast.literal_eval(statement.value), meaning) == (default, fields[name].description)

    def test_it_shows_twelve_at_most(self, path):
        assert len(read_parameters(path)) <= MOST_SHOWN

    def test_papermill_lists_every_parameter_that_it_shows(self, path):
        from papermill.inspection import _open_notebook
        from papermill.parameterize import find_first_tagged_cell_index
        from papermill.translators import PythonTranslator

        notebook = _open_notebook(str(path), {})
        cell = notebook.cells[find_first_tagged_cell_index(notebook, "parameters")]
        assert [one.name for one in PythonTranslator.inspect(cell)] == list(read_parameters(path))

    def test_it_checks_them_before_anything_else(self, path):
        code = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        assert f"parameters = {NOTEBOOKS[path.stem].__name__}.of(globals())" in "".join(code[1]["source"])


def test_every_notebook_has_a_class_whose_names_mean_the_same_everywhere():
    assert set(NOTEBOOKS) == {path.stem for path in FOLDER.glob("*.ipynb")}
    for name in ("project", "data_dir", "output_dir"):
        assert len({str(model.model_fields[name].default) for model in NOTEBOOKS.values()}) == 1
    for model in NOTEBOOKS.values():
        assert all(one.meaning and one.values for one in model.described())


def test_the_values_that_a_parameter_takes_are_named():
    described = {one.name: one for one in AnnotateVideoParameters.described()}
    assert described["confidence_threshold"].values == "number, 0 to 1"
    assert described["blur"].values == "nobody, strangers, everyone"
    assert described["score"].values == "number, 0 to 1 or None"
    assert described["working_size"].values == "whole number, more than 0"
    assert described["videos"].values == "list: text"
    others = {one.name: one.values for one in TuneThresholdParameters.described()}
    assert others["wanted_fpir"] == "number, at least 0, less than 1"
    assert (described["draw"].default, described["draw"].values) == ("true", "true or false")
    own = model_of({"text": Parameter("text", "str", "null"), "number": Parameter("number", "int | None", None)})
    assert [one.default for one in own.described()][-2:] == ['"null"', "None"]


def test_choices_are_those_of_the_library():
    assert get_args(films_module.ExportFormat) == get_args(Format)
    assert get_args(people_module._Engine) == get_args(SearchEngine)
    assert get_args(base_module.Provider) == get_args(Provider)
    assert get_args(DetectorName) == base_module.DETECTORS
    fields = AnnotateVideoParameters.model_fields
    assert get_args(fields["blur"].annotation) == get_args(Blur)
    assert get_args(fields["tracker"].annotation) == get_args(TrackMethod)
    assert get_args(fields["shot_method"].annotation) == get_args(ShotMethod)


def test_nothing_given_takes_the_defaults():
    parameters = AnnotateVideoParameters.of({})
    assert (parameters.project, parameters.videos, parameters.tracker) == ("", [], "bytetrack")


@pytest.mark.parametrize(
    ("scope", "name", "value"),
    [
        ({"videos": "film.mp4"}, "videos", ["film.mp4"]),  # one text is one film, not eight letters
        ({"videos": "a.mp4\n b.mp4 \n"}, "videos", ["a.mp4", "b.mp4"]),
        ({"sharp": None}, "sharp", []),
        ({"draw": "no"}, "draw", False),  # text of a YAML file or of papermill's -r
        ({"draw": "false"}, "draw", False),
        ({"options": {"tracker": "sort"}}, "tracker", "sort"),
        ({"tracker": "sort"}, "tracker", "sort"),  # as papermill puts it into the notebook
        ({"tracker": "ocsort", "options": {"tracker": "sort"}}, "tracker", "sort"),
        ({"score": 0.5}, "score", 0.5),
        ({"exports": "csv"}, "exports", ["csv"]),
        ({"something": "else", "videos": []}, "videos", []),  # other variables of the notebook do not count
    ],
)
def test_values_are_taken_from_the_notebook(scope, name, value):
    assert getattr(AnnotateVideoParameters.of(scope), name) == value


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ({"options": {"shot_treshold": 1}}, r"got 'shot_treshold'. Did you mean 'shot_threshold' or .*\? 'facelib"),
        ({"options": {"zzz": 1}}, "got 'zzz'. They take: adapt_to_film, .*'facelib run --help-parameters'"),
        ({"options": ["tracker"]}, "expected options as a dict"),
        ({"tracker": "bytetrak"}, "'ocsort' for the parameter 'tracker', got 'bytetrak'. Did you mean 'bytetrack'"),
        ({"draw": "perhaps"}, "expected true or false for the parameter 'draw', got 'perhaps'"),
        ({"confidence_threshold": 1.5}, "expected at most 1.0 for the parameter 'confidence_threshold', got 1.5"),
        ({"seconds_between_samples": 0}, "expected more than 0.0 for the parameter"),
        ({"seconds_between_samples": float("nan")}, "expected a finite number"),
        ({"seconds_between_samples": 1e308}, "expected at most 86400.0 for the parameter"),
        ({"detector": "centrface"}, "or the path of an ONNX file for the parameter 'detector'.*'centerface'"),
        ({"exports": ["cvs"]}, "Did you mean 'csv'"),
        ({"exports": "csv, srt"}, r"""got 'csv, srt'. A list is written -p exports='\["csv", "srt"\]'"""),
        (
            {"videos": 5},
            r"""expected a list for the parameter 'videos', got 5. A list is written -p videos='\["5"\]'""",
        ),
        ({"embedder": 2024}, """expected text .* -p embedder='"2024"'"""),
        ({"quality": True}, "expected anything but true or false for the parameter 'quality', got True"),
        ({"quality": 22.5}, "expected a whole number for the parameter 'quality', got 22.5"),
        ({"project": 5}, "expected text .* -p project='\"5\"'"),
    ],
)
def test_bad_values_are_refused_with_the_remedy(scope, message):
    with pytest.raises(ValueError, match=message):
        AnnotateVideoParameters.of(scope)


@pytest.mark.parametrize(
    ("notebook", "name", "value", "expected"),
    [
        ("01_gather_data", "image_size", 2049, "at most 2048"),
        ("01_gather_data", "margin", 6, "at most 5.0"),
        ("03_visualize_tsne", "perplexity", 0.5, "at least 1.0"),
        ("04_tune_threshold", "wanted_fpir", 1, "less than 1.0"),
        ("07_evaluate", "least_iou", 0, "more than 0.0"),
        ("08_train_embedding", "image_size", 31, "at least 32"),
        ("08_train_embedding", "dimension", 1, "at least 2"),
        ("08_train_embedding", "validation_share", 0, "more than 0.0"),
        ("08_train_embedding", "validation_share", 1, "less than 1.0"),
        ("02_embed_faces", "embedder", "dilb", r"one of \['arcface-r100', .* or the path of an ONNX file"),
        ("08_train_embedding", "reference", "yunet", r"one of \['arcface-r100', .* or the path of an ONNX file"),
    ],
)
def test_what_a_step_would_refuse_later_is_refused_at_once(notebook, name, value, expected):
    with pytest.raises(ValueError, match=f"expected {expected} for the parameter '{name}', got {value!r}"):
        NOTEBOOKS[notebook].check({name: value})


@pytest.mark.parametrize("name", ["", "dlib", "dlib-mirrored", "sface", "mine", "elsewhere/net.onnx", "net.onnx"])
def test_embedders_are_taken_by_name_by_path_and_from_the_folder_of_weights(name, tmp_path, monkeypatch):
    (tmp_path / "mine.onnx").write_bytes(b"a network")
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    assert TuneThresholdParameters.check({"embedder": name}).embedder == name


def test_a_seed_is_one_that_all_generators_take():
    assert TuneThresholdParameters.of({"options": {"seed": 2**32 - 1}}).seed == 2**32 - 1
    with pytest.raises(ValueError, match="expected at most 4294967295 for the parameter 'seed'"):
        TuneThresholdParameters.of({"options": {"seed": 2**32}})


def test_an_optional_number_may_be_none_and_lists_of_names_are_lines():
    assert TuneThresholdParameters.of({"threshold": None}).threshold is None
    assert GatherDataParameters.of({"names": "Amy Adams\nTom Hanks"}).names == ["Amy Adams", "Tom Hanks"]


def test_parameters_of_a_cell_are_read_even_with_two_equals_signs_on_a_line(tmp_path, make_notebook):
    found = read_parameters(make_notebook(tmp_path / "01_a.ipynb", CELL))
    assert list(found) == ["project", "k", "threshold", "videos", "weights", "query", "seed"]
    assert found["k"] == Parameter("k", "int", 5)
    assert found["query"].default == "a=b"
    assert found["weights"].annotation == "Literal['uniform', 'distance']"


def test_a_notebook_without_parameters_takes_none(tmp_path):
    path = tmp_path / "01_a.ipynb"
    path.write_text('{"cells": [{"cell_type": "code", "metadata": {}, "source": ["a = 1"]}]}')
    assert read_parameters(path) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", "nothing", '{"cells": [{"metadata": {"tags": ["parameters"]}}]}'])
def test_a_file_that_is_not_a_notebook_is_refused(tmp_path, text):
    path = tmp_path / "01_a.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"expected a Jupyter notebook.*01_a"):
        read_parameters(path)


def test_a_parameters_cell_that_is_not_python_is_refused(tmp_path, make_notebook):
    with pytest.raises(ValueError, match="expected Python in the cell tagged 'parameters'"):
        read_parameters(make_notebook(tmp_path / "01_a.ipynb", "k: = 5"))


@pytest.mark.parametrize(
    ("annotation", "default", "value", "good"),
    [
        ("int", 5, 3, True),
        ("int", 5, True, False),
        ("int", 5, 2.5, False),
        ("float", 0.5, 1, True),
        ("float", 0.5, "one", False),
        ("bool", True, False, True),
        ("str", "", "", True),
        ("float | None", None, None, True),
        ("float | None", None, "auto", False),
        ("list[str]", [], ["a.mp4"], True),
        ("list[str]", [], ["a.mp4", 5], False),
        ("Literal['a', 'b']", "a", "b", True),
        ("Literal['a', 'b']", "a", "c", False),
        ("Path", None, 5, True),  # not known here: the notebook itself will say
        ("", 0, 7, True),
        ("", 0, "seven", False),
        ("", None, "anything", True),
    ],
)
def test_a_notebook_of_ones_own_is_checked_by_its_annotations(annotation, default, value, good):
    model = model_of({"p": Parameter("p", annotation, default)})
    if good:
        assert model.check({"p": value}).model_dump()["p"] == value
    else:
        with pytest.raises(ValueError, match="for the parameter 'p'"):
            model.check({"p": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("5", 5),
        ("-1", -1),
        ("1e-3", 0.001),
        ("True", True),
        ("None", None),
        ("[]", []),
        ('["a b.mp4", "c"]', ["a b.mp4", "c"]),
        ('"5"', "5"),
        ("my film.mp4", "my film.mp4"),
    ],
)
def test_values_are_read_from_text(text, value):
    read = parse_value(text)
    assert (read, type(read)) == (value, type(value))


def test_a_list_that_is_not_whole_is_refused():
    with pytest.raises(ValueError, match="expected JSON"):
        parse_value("[a.mp4]")


def test_a_name_that_papermill_passed_and_does_not_know_is_refused():
    """Papermill only warns of it; what it was given stands in a cell of its own."""
    cells = ["", "threshold: float = None", '# Parameters\nproject = "demo"\ntreshold = 0.4\n', "import textwrap"]
    with pytest.raises(ValueError, match=r"got 'treshold'. Did you mean 'threshold'\?"):
        TuneThresholdParameters.of({"threshold": None, "treshold": 0.4, "In": cells})
    known = [*cells, '# Parameters\nthreshold = 0.4\noptions = {"seed": 1}\n']  # the last run counts
    given = TuneThresholdParameters.of({"threshold": 0.4, "options": {"seed": 1}, "In": known})
    assert (given.threshold, given.seed) == (0.4, 1)
