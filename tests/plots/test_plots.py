from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from facelib import plots
from facelib.images import UnreadablePicture
from facelib.plots.gallery import count_pictures

AWKWARD = '<script>alert("1")</script> & Öztürk'


def gallery(*rows: tuple[str, str, str], **columns: object) -> pd.DataFrame:
    """Rows of person, picture and reason; an empty reason is a face that is used."""
    table = pd.DataFrame(rows, columns=["person", "picture", "reason"])
    table["used"] = table["reason"] == ""
    table["face"] = 0
    return table.assign(left=np.nan, top=np.nan, right=np.nan, bottom=np.nan).assign(**columns)


# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISION = {
    "full": np.eye(3),
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def seen_as(colours: list[str], vision: str) -> np.ndarray:
    """Colours in CIE Lab as someone with this vision sees them."""
    values = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(VISION[vision]).T, 0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)[None])[0]


def test_62_people_and_strangers_are_told_apart():
    cast = [f"Person {i}" for i in range(62)]
    drawn = plots.marks([*cast, "unknown", "Unknown 3"])
    assert len({(drawn[name].colour, drawn[name].symbol) for name in cast}) == 62
    assert {drawn[name].colour for name in ("unknown", "Unknown 3")} == {plots.GREY}
    assert plots.GREY not in {drawn[name].colour for name in cast}


def test_a_person_keeps_their_mark_whatever_the_order_and_with_strangers_beside():
    assert plots.marks(["b", "a", "unknown", "a"])["b"] == plots.marks(["a", "b"])["b"]
    assert plots.marks([]) == {}


@pytest.mark.parametrize("vision", VISION)
def test_eight_people_and_strangers_are_told_apart_by_colour_with_any_vision(vision):
    drawn = plots.marks([*(f"P{i}" for i in range(8)), "unknown"])
    lab = seen_as([mark.colour for mark in drawn.values()], vision)
    apart = deltaE_ciede2000(np.repeat(lab, 9, axis=0), np.tile(lab, (9, 1))).reshape(9, 9)
    assert apart[~np.eye(9, dtype=bool)].min() > 10  # 1 is just to be seen side by side


@pytest.mark.parametrize(
    ("name", "width", "label"),
    [
        ("", 24, ""),
        ("Ada", 24, "Ada"),
        ("a b c", 1, "a<br>b<br>c"),
        ("<b>x</b>", 24, "&lt;b&gt;x&lt;/b&gt;"),
        ("&" * 30, 24, "&amp;" * 24 + "<br>" + "&amp;" * 6),  # broken between signs, never inside an entity
        ("山田太郎" * 7, 24, "山田太郎" * 6 + "<br>" + "山田太郎"),
        ("long " * 9, 0, "long " * 9),
    ],
)
def test_names_become_labels(name, width, label):
    assert plots.escaped(name, width=width) == label


def test_a_picture_counts_once_as_used_when_one_of_its_faces_is():
    counts = count_pictures(
        gallery(
            ("A", "1.jpg", "several faces"),
            ("A", "1.jpg", ""),
            ("A", "2.jpg", "no face"),
            ("B", "3.jpg", "made up"),  # a reason that this version does not know is shown nevertheless
        )
    )
    assert counts.loc["A"].to_dict() == {"used": 1, "no face": 1, "made up": 0}
    assert counts.loc["B", "made up"] == 1
    assert counts.index.tolist() == ["B", "A"]  # the largest last, which plotly draws on top


@pytest.mark.parametrize("people", [0, 1, 2, 62])
def test_the_gallery_is_drawn_for_casts_of_any_size(people):
    table = gallery(*((f"P{i}", f"{i}-{j}.jpg", "no face" if j == 0 else "") for i in range(people) for j in range(3)))
    figure = plots.draw_gallery(table)
    assert sum(sum(bar.x) for bar in figure.data) == 3 * people
    assert len(figure.layout.yaxis.ticktext) == people
    assert figure.layout.height > 20 * people
    legend = figure.layout.legend
    assert (legend.yref, legend.yanchor) == ("container", "top")
    assert 22 <= legend.y * figure.layout.height < figure.layout.margin.b  # below the axis; on a phone it hid the title


def test_the_reasons_of_the_gallery_are_told_apart_without_colours():
    reasons = ("", "several faces", "no face", "duplicate", "outlier", "unreadable", "sideways", "disabled")
    figure = plots.draw_gallery(gallery(*(("A", f"{reason}.jpg", reason) for reason in reasons)))
    assert len(figure.data) == len({bar.marker.pattern.shape for bar in figure.data}) == len(reasons)


def test_the_gallery_keeps_people_whose_names_start_alike_apart():
    figure = plots.draw_gallery(gallery((AWKWARD, "1.jpg", ""), (AWKWARD + " ", "2.jpg", "")))
    assert list(figure.data[0].y) == [0, 1]
    assert all("<script>" not in label for label in figure.layout.yaxis.ticktext)


def test_one_long_name_does_not_make_all_bars_of_the_gallery_tall():
    first, long = (
        plots.draw_gallery(gallery((name, "1.jpg", ""))) for name in ("Wolfeschlegelstein " * 2, "Wolfe " * 30)
    )
    assert long.layout.height <= first.layout.height + 2 * 17  # a line more in each of two rows


@pytest.mark.parametrize("people", [0, 1, 2, 62])
def test_the_map_has_one_trace_a_person_that_leads_back_to_the_rows(people):
    names = [f"P{i % max(people, 1):02d}" for i in range(2 * people)]
    points = pd.DataFrame({"picture": names, "face": 0, "person": names, "x": range(len(names)), "y": 0.0})
    figure = plots.draw_map(points)
    assert len(figure.data) == people
    for trace in figure.data:
        assert points.loc[list(trace.customdata), "person"].unique().tolist() == [trace.name]
        assert points.loc[list(trace.customdata), "x"].tolist() == list(trace.x)
    assert figure.layout.height - figure.layout.margin.b > 400


@pytest.mark.parametrize(("people", "listed"), [(64, True), (65, False), (444, False)])
def test_more_people_than_there_are_marks_are_not_listed_below_the_map(people, listed):
    names = [f"P{i:03d}" for i in range(people)]
    figure = plots.draw_map(pd.DataFrame({"picture": names, "face": 0, "person": names, "x": 0.0, "y": 0.0}))
    assert figure.layout.showlegend == listed
    assert (figure.layout.title.subtitle.text or "").startswith("" if listed else f"{people} people")
    assert listed or figure.layout.height < 700  # it was as tall as all the names


def test_the_map_of_some_of_the_cast_keeps_the_colours_of_the_whole():
    points = pd.DataFrame({"picture": ["p"], "face": [0], "person": ["B"], "x": [0.0], "y": [0.0]})
    whole = plots.marks(["A", "B"])
    assert plots.draw_map(points, looks=whole).data[0].marker.color == whole["B"].colour
    assert plots.draw_map(points).data[0].marker.color != whole["B"].colour


def test_names_on_the_map_are_not_taken_for_markup():
    points = pd.DataFrame({"picture": [AWKWARD], "face": [0], "person": [AWKWARD], "x": [0.0], "y": [0.0]})
    trace = plots.draw_map(points).data[0]
    assert "<script>" not in trace.name + trace.hovertemplate + "".join(trace.text)


def test_outcomes_mark_the_threshold_and_can_be_told_apart_without_colour():
    curve = pd.DataFrame(
        {"threshold": [0.4, 0.5], "right": [0.8, 0.9], "wrong": [0, 0.01], "rejected": [0.2, 0.1], "fpir": [0, 0.02]}
    )
    figure = plots.draw_outcomes(curve, threshold=0.45)
    assert [list(line.y) for line in figure.data] == [[0.8, 0.9], [0, 0.01], [0.2, 0.1], [0, 0.02]]
    assert len({line.line.dash for line in figure.data}) == 4
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 0.45
    assert figure.layout.annotations[0].text == "chosen: 0.450"


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    at = np.linspace(0, 1, 30_000)
    curve = pd.DataFrame({"threshold": at, "right": at, "wrong": 0 * at, "rejected": 1 - at, "fpir": at})
    line = plots.draw_outcomes(curve, threshold=0.5).data[0]
    assert len(line.x) == 2000 and (line.x[0], line.x[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("genuine", "impostor", "counts"),
    [
        ([0.3, 0.4], [0.7], ["(2)", "(1)"]),
        ([0.3, np.nan], [np.inf], ["(1)", "(0)"]),  # a person's only face has no distance
        ([], [], ["(0)", "(0)"]),
    ],
)
def test_distances_are_drawn_over_the_same_bins(genuine, impostor, counts):
    figure = plots.draw_distances(genuine, impostor, threshold=0.5)
    assert [bars.name.split()[-1] for bars in figure.data] == counts
    assert figure.data[0].xbins == figure.data[1].xbins
    assert figure.data[0].xbins.end > 0.5


@pytest.fixture
def pictures(tmp_path):
    """A folder with a red picture, its lower right quarter blue, and a text file called .jpg."""
    image = np.zeros((40, 80, 3), np.uint8)
    image[:] = (255, 0, 0)
    image[20:, 40:] = (0, 0, 255)
    Image.fromarray(image).save(tmp_path / "red & blue.png")
    (tmp_path / "text.jpg").write_text("no picture")
    return tmp_path


def test_a_face_is_cut_from_its_picture_and_a_row_without_a_box_shows_all_of_it(pictures):
    row = gallery(("A", "red & blue.png", "")).iloc[0]
    assert plots.face_thumbnail(pictures, row, size=40).shape == (20, 40, 3)
    face = row.copy()
    face[["left", "top", "right", "bottom"]] = [50, 26, 58, 36]
    assert (plots.face_thumbnail(pictures, face, size=40)[..., 2] == 255).all()
    assert plots.face_thumbnail(pictures, row[["picture", "person"]], size=40).shape == (20, 40, 3)
    with pytest.raises(UnreadablePicture):
        plots.face_thumbnail(pictures, gallery(("A", "text.jpg", "")).iloc[0])


def test_the_page_of_thumbnails_shows_every_row_with_its_reason_and_escapes_names(pictures):
    table = gallery(
        (AWKWARD, "red & blue.png", ""),
        ("B", "text.jpg", "unreadable"),
        ("B", "gone.jpg", "no face"),
    )
    page = plots.thumbnails(table, pictures).html
    assert page == plots.thumbnails(table, pictures)._repr_html_()
    assert page.count("<figure") == 3 and page.count("data:image/jpeg;base64,") == 1
    assert "<b>unreadable</b>" in page and "<b>no face</b>" in page and "file gone" in page
    assert "<script>" not in page and "red &amp; blue.png" in page


def test_a_long_table_is_shown_in_part_and_the_page_says_so(pictures):
    table = gallery(*(("A", f"{i}.jpg", "no face") for i in range(100)))
    page = plots.thumbnails(table, pictures, most=10).html
    assert page.count("<figure") == 10 and "10 of 100" in page
    assert re.findall(r"(\d+)\.jpg", page)[0] == "0" and "99.jpg" in page  # from the whole table


def test_no_pictures_is_said(pictures):
    assert plots.thumbnails(gallery(), pictures).html == "<p>No pictures to show.</p>"
