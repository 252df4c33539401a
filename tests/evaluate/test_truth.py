"""Readers of truth tables, and where they are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelib.evaluate import film_truth, find_truths, load_truth, read_mot, read_truth
from facelib.project import Project
from facelib.project.identities import merge

TABLE = "frame,left,top,right,bottom,person\n3,0,0,10,10,Ada\n5,0,0,10,10,unknown\n"
LINES = "1,7,10,20,30,40,1,-1,-1,-1\n2,7,11,20,30,40,0,1,0.5\n2,8,0,0,5,6,1,1,1\n"


@pytest.fixture
def write(tmp_path):
    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_a_table_alone_labels_every_frame(write):
    truth = load_truth(write("a.csv", TABLE))
    assert truth.faces["person"].tolist() == ["Ada", "unknown"]
    assert truth.faces["identity"].tolist() == ["Ada", ""]
    assert (truth.frames, truth.cuts) == (None, None)


def test_the_lists_beside_it_tell_frames_and_shots(write):
    path = write("a.csv", TABLE)
    write("a.frames", "3\n5\n\n9\n")
    write("a.shots", "0 3\n4 5\n6 12\n")
    truth = load_truth(path)
    assert truth.frames == {3, 5, 9}
    assert truth.cuts == (4, 6)


def test_an_identity_may_tell_strangers_apart(write):
    text = "frame,left,top,right,bottom,person,identity\n0,0,0,1,1,unknown,man in hat\n"
    assert load_truth(write("a.csv", text)).faces["identity"].tolist() == ["man in hat"]


def test_a_row_given_twice_is_one_face(write):
    rows = ["0,1,2,5,6,Ada", "0,1,2,5,6,Ada", "0,1,2,5,6, ada", "0,1,2,5,7,Ada", "1,1,2,5,6,Ada"]
    truth = load_truth(write("a.csv", "\n".join(["frame,left,top,right,bottom,person", *rows])))
    assert truth.faces[["frame", "bottom", "person"]].to_numpy().tolist() == [
        [0, 6, "Ada"],
        [0, 6, "ada"],
        [0, 7, "Ada"],
        [1, 6, "Ada"],
    ]


def test_an_empty_table_has_no_faces(write):
    truth = load_truth(write("a.csv", "frame,left,top,right,bottom,person\n"))
    assert truth.faces.empty
    assert truth.faces["frame"].dtype.kind == "i"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,left,top,right\n", "bottom"),
        ("frame,left,top,right,bottom,person\n0,0,0,1,1,Ada\n0,a,0,1,1,Ada\n", "column 'left' .* 'a' in row 2 "),
        ("frame,left,top,right,bottom,person\n0,0,0,1,1,Ada\n1,,0,1,1,Ada\n", "column 'left' .* '' in row 2 "),
        ("frame,left,top,right,bottom,person\n0,0,0,1,inf,Ada\n", "numbers in the column 'bottom'"),
        ("frame,left,top,right,bottom,person\n0.5,0,0,1,1,Ada\n", r"counted from 0, .* got 0\.5"),
        ("frame,left,top,right,bottom,person\n-1,0,0,1,1,Ada\n", "counted from 0, .* got -1"),
        ("frame,left,top,right,bottom,person\n7,9,0,1,1,Ada\n", "end after they begin .* in frame 7"),
        ("frame,left,top,right,bottom,person\n8,1,0,2,0,Ada\n", "end after they begin .* in frame 8"),
    ],
)
def test_a_table_of_another_form_is_refused(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_truth(write("truth.csv", text))


def test_reserved_names_in_any_form(write):
    names = ["UNKNOWN", "unknown ", "unknown  2", "Not a face", " Ada  Lovelace", "Rene\u0301e"]
    rows = "".join(f"{frame},0,0,1,1,{name}\n" for frame, name in enumerate(names))
    faces = load_truth(write("a.csv", "frame,left,top,right,bottom,person\n" + rows)).faces
    assert faces["person"].tolist() == ["unknown", "unknown", "unknown", "Ada Lovelace", "Ren\u00e9e"]
    assert faces["identity"].tolist() == ["", "", "Unknown 2", "Ada Lovelace", "Ren\u00e9e"]
    assert faces["frame"].tolist() == [0, 1, 2, 4, 5]


def test_lists_saved_with_a_byte_order_mark(write):
    path = write("a.csv", TABLE)
    write("a.frames", "\ufeff3\n5\n")
    write("a.shots", "\ufeff0 3\n4 5\n")
    truth = load_truth(path)
    assert (truth.frames, truth.cuts) == ({3, 5}, (4,))
    assert len(load_truth(write("b.txt", "\ufeff1,1,0,0,5,5\n")).faces) == 1


def test_people_are_called_as_the_project_calls_them(write, tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    for name in ("Ada Lovelace", "Ren\u00e9e", "Rene"):
        (project.people / name).mkdir(parents=True)
    merge(project, "Rene", "Ren\u00e9e")
    names = ["ADA lovelace", "Rene\u0301e", "rene", "unknown", "Somebody Else"]
    rows = "".join(f"{frame},0,0,1,1,{name}\n" for frame, name in enumerate(names))
    faces = film_truth(write("a.csv", "frame,left,top,right,bottom,person\n" + rows), project).faces
    assert faces["person"].tolist() == ["Ada Lovelace", "Ren\u00e9e", "Ren\u00e9e", "unknown", "Somebody Else"]
    assert faces["identity"].tolist() == ["Ada Lovelace", "Ren\u00e9e", "Ren\u00e9e", "", "Somebody Else"]


def test_faces_outside_the_labelled_frames_are_refused(write):
    path = write("a.csv", TABLE)
    write("a.frames", "3\n")
    with pytest.raises(ValueError, match=r"some in frames \[5\]"):
        load_truth(path)


def test_a_name_that_reads_as_missing_or_as_a_number_is_a_name(write):
    assert read_truth(write("a.csv", TABLE.replace("Ada", "NA")))["person"].tolist() == ["NA", "unknown"]
    faces = read_truth(write("a.csv", "frame,left,top,right,bottom,person\n3,0,0,1,1,0007\n4,0,0,1,1,1e5\n"))
    assert faces["person"].tolist() == faces["identity"].tolist() == ["0007", "1e5"]


class TestMot:
    def test_frames_count_from_one_and_rows_that_do_not_count_are_left_out(self, write):
        faces = read_mot(write("gt.txt", LINES)).faces
        assert faces["frame"].tolist() == [0, 1]
        assert faces.loc[0, ["left", "top", "right", "bottom"]].tolist() == [10, 20, 40, 60]
        assert faces["person"].tolist() == ["", ""]
        assert faces["identity"].tolist() == ["id 7", "id 8"]

    def test_names_stand_beside_it(self, write):
        path = write("a.txt", LINES)
        write("a_names.csv", "id,person\n7,Ada\n8,unknown\n")
        faces = load_truth(path).faces
        assert faces["person"].tolist() == ["Ada", "unknown"]
        assert faces["identity"].tolist() == ["Ada", "id 8"]

    def test_the_shortest_lines_count(self, write):
        assert len(read_mot(write("a.txt", "1,1,0,0,5,5\n")).faces) == 1

    def test_an_empty_file_has_no_faces(self, write):
        assert read_mot(write("a.txt", "")).faces.empty

    @pytest.mark.parametrize("text", ["1,2,3\n", "1,1,0,0,x,5\n", "1,1,0,0,5,5\n1,1\n"])
    def test_lines_of_another_form_are_refused(self, write, text):
        with pytest.raises(ValueError, match="expected lines"):
            read_mot(write("a.txt", text))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("0,1,0,0,5,5\n", "counted from 1, .* got 0"),
            ("nan,1,0,0,5,5\n", "expected numbers"),
            ("1e30,1,0,0,5,5\n", "counted from 1"),
            ("1,1,0,0,-5,5\n", "end after they begin"),
        ],
    )
    def test_what_is_no_frame_or_no_box_is_refused(self, write, text, message):
        with pytest.raises(ValueError, match=message):
            read_mot(write("a.txt", text))

    def test_names_of_another_form_are_refused(self, write):
        path = write("a.txt", LINES)
        write("a_names.csv", "number,name\n")
        with pytest.raises(ValueError, match="columns id and person"):
            read_mot(path)

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"none\.txt"):
            read_mot(tmp_path / "none.txt")


class TestFinding:
    def test_the_projects_own_folder_and_the_three_places(self, write, tmp_path):
        project = Project("p", tmp_path)
        films = [Path(f"{name}.mp4") for name in "abcd"]
        write("p/truth/a.csv", TABLE)
        write("p/truth/a.txt", LINES)
        write("p/truth/b.txt", LINES)
        write("p/truth/c/gt/gt.txt", LINES)
        truths = find_truths(project, films)
        assert {film.name: path.name for film, path in truths.of_film.items()} == {
            "a.mp4": "a.csv",
            "b.mp4": "b.txt",
            "c.mp4": "gt.txt",
        }
        assert truths.table["faces"].tolist() == [2, 2, 2, 0]
        assert truths.table["cast"].tolist() == [1, 0, 0, 0]
        assert truths.table["strangers"].tolist() == [1, 0, 0, 0]
        assert "3 of 4 films" in truths.message
        write("p/truth/a.csv", "frame\n")
        assert truths.table["frames"].tolist() == ["unreadable", "all", "all", ""]

    def test_another_folder(self, write, tmp_path):
        path = write("elsewhere/a.csv", TABLE)
        assert find_truths(Project("p", tmp_path), [Path("a.mp4")], folder=path.parent).of_film == {Path("a.mp4"): path}

    def test_a_given_folder_must_be_there(self, tmp_path):
        with pytest.raises(NotADirectoryError, match="nowhere"):
            find_truths(Project("p", tmp_path), [], folder=tmp_path / "nowhere")

    def test_none_says_what_can_be_measured_all_the_same(self, tmp_path):
        truths = find_truths(Project("p", tmp_path), [Path("a.mp4")])
        assert "No ground truth for any of 1 films" in truths.message and "gallery" in truths.message
        assert truths.table["truth"].tolist() == [""]


@pytest.mark.real_data
def test_the_labelled_scene(shared_data):
    truth = load_truth(shared_data / "sitcom/truth/scene_a.csv")
    assert (len(truth.faces), len(truth.frames), len(truth.cuts)) == (102, 48, 15)
