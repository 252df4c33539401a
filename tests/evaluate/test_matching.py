"""Found faces laid beside labelled ones."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.evaluate import count, found_faces, join_films, match_faces
from facelib.evaluate.counting import Score, confusion
from facelib.project import FilmFiles, write_table


def test_every_labelled_and_every_false_face_has_a_row(found, truth):
    table = match_faces(found((0, 0, 1, "A"), (0, 50, 2, "B")), truth((0, 1, "A"), (1, 0, "A")))
    assert table[["frame", "label", "name"]].to_numpy().tolist() == [
        [0, "A", "A"],
        [0, "no face", "B"],
        [1, "A", ""],
    ]
    assert table["left"].tolist() == [1, 50, 0]  # of the truth; of the found face where there is none
    assert table["iou"].round(2).tolist() == [0.82, 0, 0]
    assert table["track"].tolist()[:2] == [1, 2] and np.isnan(table["track"].iloc[2])


def test_only_labelled_frames_count(found, truth):
    table = match_faces(found((0, 0, 1, "A"), (7, 0, 1, "A"), (8, 0, 1, "A")), truth((0, 0, "A"), frames={0, 8}))
    assert table["frame"].tolist() == [0, 8]
    assert count(table) == Score(labelled=1, found=1, cast=1, right=1, false=1, false_named=1)


def test_without_identities_in_the_truth_there_are_none(found, truth):
    table = match_faces(found((0, 0, 1, "A")), truth((0, 0, "A")).faces.drop(columns="identity"))
    assert table["identity"].tolist() == [""]


def test_faces_nobody_is_named_for_count_as_found_only(found, truth):
    matches = match_faces(found((0, 0, 1, "A")), truth((0, 0, "")))
    assert count(matches) == Score(labelled=1, found=1)
    assert confusion(matches).to_numpy().sum() == 0


@pytest.mark.parametrize("least_iou", [0, -0.1, 1.1])
def test_overlaps_out_of_range_are_refused(found, truth, least_iou):
    with pytest.raises(ValueError, match="least_iou"):
        match_faces(found(), truth(), least_iou=least_iou)


def test_films_are_put_under_one_another(found, truth):
    one = match_faces(found((0, 0, 1, "A")), truth((0, 0, "A")))
    joined = join_films([one, one], ["x.mp4", "y.mp4"])
    assert joined["film"].tolist() == ["x.mp4", "y.mp4"]
    assert count(joined).right == 2
    assert count(join_films([], [])) == Score()
    with pytest.raises(ValueError, match="zip"):
        join_films([one], ["x.mp4", "y.mp4"])


class TestFoundFaces:
    def write(self, folder, found):
        table = found((0, 0, 1, "A"), (0, 50, 2, "not a face"), (1, 0, 1, "A")).assign(second_person="")
        columns = ["track", "person", "cluster", "confidence", "distance", "second_person", "evidence"]
        files = FilmFiles(folder)
        write_table(table[columns].drop_duplicates(), files.tracks)
        write_table(table.drop(columns=columns[1:]), files.detections)
        return files

    def test_tracks_corrected_to_be_no_face_are_left_out(self, tmp_path, found):
        faces = found_faces(self.write(tmp_path, found))
        assert faces["person"].tolist() == ["A", "A"]
        assert faces["frame"].tolist() == [0, 1]

    def test_a_film_that_was_not_annotated(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="run 05_annotate_video"):
            found_faces(FilmFiles(tmp_path))


def test_confusion(found, truth):
    matches = match_faces(
        found((0, 0, 1, "A"), (1, 0, 1, "B"), (2, 0, 1, "unknown"), (4, 0, 2, "A"), (5, 0, 3, "A")),
        truth((0, 0, "A"), (1, 0, "A"), (2, 0, "A"), (3, 0, "A"), (4, 0, "unknown")),
    )
    table = confusion(matches)
    assert table.columns.tolist() == ["A", "B", "unknown", "not found"]
    assert table.index.tolist() == ["A", "unknown", "no face"]  # nobody is labelled B
    assert table.to_numpy().tolist() == [[1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert confusion(join_films([], [])).to_numpy().sum() == 0
