import pytest

from facelib.pipeline.parameters import Parameter, check_parameters, parse_value, read_parameters

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


def test_parameters_are_read_even_with_two_equals_signs_on_a_line(tmp_path, make_notebook):
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
def test_what_is_no_notebook_is_told(tmp_path, text):
    path = tmp_path / "01_a.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"expected a Jupyter notebook.*01_a"):
        read_parameters(path)


def test_a_parameters_cell_that_is_not_python_is_told(tmp_path, make_notebook):
    with pytest.raises(ValueError, match="expected Python in the cell tagged 'parameters'"):
        read_parameters(make_notebook(tmp_path / "01_a.ipynb", "k: = 5"))


@pytest.mark.parametrize(
    ("annotation", "default", "value", "good"),
    [
        ("int", 5, 3, True),
        ("int", 5, True, False),  # bool is an int in Python, but no number of neighbours
        ("int", 5, 2.5, False),
        ("float", 0.5, 1, True),
        ("float", 0.5, "1", False),
        ("bool", True, False, True),
        ("bool", True, 1, False),
        ("str", "", "", True),
        ("float | None", None, None, True),
        ("float | None", None, "auto", False),
        ("list[str]", [], [], True),
        ("list[str]", [], ["a.mp4"], True),
        ("list[str]", [], ["a.mp4", 5], False),
        ("list[str]", [], "a.mp4", False),
        ("Literal['a', 'b']", "a", "b", True),
        ("Literal['a', 'b']", "a", "c", False),
        ("Literal['a']", "a", "a", True),
        ("Path", None, 5, True),  # not simple: the notebook itself will say
        ("", 0, 7, True),
        ("", 0, "seven", False),
        ("", None, "anything", True),
    ],
)
def test_types_are_checked_where_they_are_simple(annotation, default, value, good):
    assert Parameter("p", annotation, default).accepts(value) is good


KNN = {"k": Parameter("k", "int", 5), "threshold": Parameter("threshold", "float | None", None)}
FILM = {"videos": Parameter("videos", "list[str]", []), "detector": Parameter("detector", "str", "cnn")}


@pytest.mark.parametrize(
    "given", [{}, {"k": 3}, {"threshold": 0.5, "videos": ["a.mp4"]}], ids=["none", "one", "of different notebooks"]
)
def test_good_parameters_pass(given):
    check_parameters(given, [KNN, FILM])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"treshold": 0.5}, "got 'treshold'. Did you mean 'threshold'. They take: detector, k, threshold, videos"),
        ({"zzz": 1}, "got 'zzz'. They take"),
        ({"k": "five"}, "expected int for the parameter 'k', got 'five'"),
        ({"videos": "a.mp4"}, r"""-p videos='\["a.mp4"\]'"""),
        ({"detector": 2024}, """-p detector='"2024"'"""),
    ],
)
def test_bad_parameters_are_told_with_the_remedy(given, message):
    with pytest.raises(ValueError, match=message):
        check_parameters(given, [KNN, FILM])


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


def test_a_list_that_is_not_whole_is_told():
    with pytest.raises(ValueError, match="expected JSON"):
        parse_value("[a.mp4]")
