"""The page opened from the disk in a real browser, without a network."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from facelib.films.exports import exact_appearances, read_clock
from facelib.page import write_page
from facelib.page.bundle import bundle
from facelib.project import Project
from tests.pages import find_barriers, until

from .conftest import HEIGHT, WIDTH, Square

pytestmark = pytest.mark.browser
VARIABLE = np.cumsum([0.04, 0.04, 0.12, 0.02, 0.08] * 20).tolist()
LATE = [0.6 + i / 25 for i in range(100)]  # sound alone comes first
MARKUP = "<img src=x onerror=alert(1)>"

FILM = [
    Square("Ada", 0, 99, (10, 20), (250, 20)),
    Square("Bo", 30, 59, (40, 160), (200, 170), confidence=0.6, colour=(40, 200, 60)),
    Square("unknown", 70, 89, (250, 170), (20, 150), cluster="Unknown 1", colour=(60, 80, 230)),
    Square("Bo", 95, 98, (240, 160), (200, 160), confidence=0.6, colour=(40, 200, 60)),
]
OTHER = [
    Square("Cy", 0, 49),
    Square("Ada", 20, 79, (120, 20), (160, 30)),
    Square(MARKUP, 10, 99, (220, 160), (220, 160)),
]
SETTLED = "app().view.player.video.readyState >= 2 && !app().view.player.video.seeking && !app().view.player.left.size"
VIEWS = ["", "film=first&t=1.5", "person=Ada", "view=search&with=Ada&without=Cy", "view=together", "view=files"]


@pytest.fixture
def project(make_once, make_squares, tmp_path) -> Project:
    """Two films: everybody but Cy is in the first, everybody but Bo in the second."""

    def fill(folder: Path) -> None:
        made = make_squares({"first.mp4": FILM, "second.mp4": OTHER}, cast=["Dee"])
        write_page(made, progress=False)
        for part in (made.data_dir, made.output_dir):
            shutil.copytree(part, folder / part.name)

    shutil.copytree(make_once("films of squares", fill), tmp_path, dirs_exist_ok=True)
    return Project("squares", tmp_path / "data", tmp_path / "output")


@pytest.fixture
def show(page) -> Callable[..., Page]:
    """Return a function that opens a project's page from the disk at an address behind #, without a network."""
    page.context.set_offline(True)

    def show(project: Project, words: str = "") -> Page:
        page.goto("about:blank")
        page.goto(f"{project.page.absolute().as_uri()}#{words}")
        page.wait_for_selector(".facelib-page h1")
        if "film=" in words and "view=" not in words:
            until(page, SETTLED)
        return page

    page.add_init_script("globalThis.app = () => document.querySelector('#facelib-page').app")
    return show


def drawn(page: Page) -> dict[str, list[float]]:
    """Return the boxes that are drawn, in pixels of the film, by the name that stands at them."""
    boxes = page.evaluate("app().view.player.drawn.map(d => [d.look.label, d.left, d.top, d.right, d.bottom])")
    return {name: box for name, *box in boxes}


def go_to(page: Page, frame: int) -> None:
    """Seek to a frame, and wait until the browser shows it."""
    page.evaluate("frame => { app().view.player.video.pause(); app().view.player.seekFrame(frame); }", frame)
    until(page, SETTLED)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def squares_seen(page: Page, colour: tuple[int, int, int]) -> list[float] | None:
    """Return the box of a square's colour in a picture of the stage, in pixels of the film."""
    stage = np.asarray(Image.open(io.BytesIO(page.locator(".stage").screenshot())).convert("RGB"), int)
    rows, columns = np.nonzero(np.abs(stage - colour).max(axis=2) < 60)
    if not len(rows):
        return None
    scale = stage.shape[1] / WIDTH
    # Single pixels of other things may have the colour; a square has many in each row and column.
    kept = [np.flatnonzero(np.bincount(at) > 12 * scale) for at in (columns, rows)]
    return [side / scale for side in (kept[0][0], kept[1][0], kept[0][-1] + 1, kept[1][-1] + 1)]


@pytest.mark.parametrize("times", [None, VARIABLE, LATE], ids=["steady", "variable", "late"])
def test_ten_seeks_have_the_boxes_on_the_right_faces(make_squares, show, times):
    project = make_squares({"first.mp4": FILM}, times=times)
    write_page(project, progress=False)
    page = show(project, "film=first")
    table = pd.read_parquet(project.film("first.mp4").detections)
    for frame in [57, 3, 98, 0, 31, 88, 71, 44, 99, 13]:
        go_to(page, frame)
        assert page.evaluate("app().view.player.frame") == frame
        expected = {
            square.person if square.cluster == "" else square.cluster: list(row[2:])
            for number, square in enumerate(FILM)
            for row in table.loc[
                (table["track"] == number) & (table["frame"] == frame),
                ["frame", "track", "left", "top", "right", "bottom"],
            ].itertuples(index=False)
        }
        found = drawn(page)
        assert set(found) == set(expected)
        for name, box in expected.items():
            assert np.abs(np.subtract(found[name], box)).max() <= 0.5
        # And the film itself shows the square there: the picture is of this very frame.
        seen = squares_seen(page, (220, 40, 40))
        assert np.abs(np.subtract(seen, expected["Ada"])).max() <= 3.5, (frame, seen, expected["Ada"])


def test_a_click_on_a_bar_plays_from_there(project, show):
    page = show(project, "film=first")
    page.evaluate(
        """() => {
            const { video } = app().view.player;
            video.muted = true;
            globalThis.seeks = [];
            globalThis.frames = [];
            video.addEventListener('seeking', () => seeks.push(video.currentTime), { once: true });
            const look = (_, { mediaTime }) => { frames.push(mediaTime); video.requestVideoFrameCallback(look); };
            video.requestVideoFrameCallback(look);
        }"""
    )
    place = page.evaluate("[app().view.lanes.xOf(2.0), 28 + 17]")
    page.locator(".lanes-canvas").click(position={"x": place[0], "y": place[1]})
    until(page, "seeks.length > 0 && app().view.player.playing && frames.some(time => time > 2.2)")
    # A busy machine may drop the first frames, but none before the moment is shown once the film's first has been.
    assert abs(page.evaluate("seeks[0]") - 2.0) <= 0.045
    assert min(page.evaluate("frames.filter(time => time > 0)")) >= 2.0 - 0.04
    page.keyboard.press("k")
    until(page, "!app().view.player.playing")


def test_while_playing_the_boxes_are_of_the_frame_on_screen(project, show):
    page = show(project, "film=first")
    late = page.evaluate(
        """() => new Promise(done => {
            const { player } = app().view;
            const late = [];
            const look = (_, { mediaTime }) => {
                // This runs behind the player's own callback for the same frame.
                late.push(Math.abs(Math.round(mediaTime * 25) - player.frame));
                player.video.requestVideoFrameCallback(look);
            };
            // A busy machine shows a few of the hundred frames only.
            player.video.addEventListener('ended', () => done(late));
            player.video.muted = true;
            player.video.requestVideoFrameCallback(look);
            player.play();
        })"""
    )
    assert len(late) >= 3
    assert max(late) <= 1


# Draws the picture of the player anew, and returns the grounds of the labels as they are drawn.
DRAWN_LABELS = """const drawnLabels = (player) => {
    const context = player.canvas.getContext('2d');
    const labels = [];
    const path = context.roundRect.bind(context);
    context.roundRect = (x, y, w, h, radius) => {
        if (radius === 4) labels.push([x, y, w, h]);
        path(x, y, w, h, radius);
    };
    player.draw();
    return labels;
};"""


def test_labels_cover_no_face(make_squares, show):
    crowd = [
        Square(f"Person {i}", 0, 9, (x, y), (x, y)) for i, (x, y) in enumerate([(0, 0), (70, 0), (70, 64), (250, 175)])
    ]
    project = make_squares({"first.mp4": crowd}, frames=10)
    write_page(project, progress=False)
    page = show(project, "film=first")
    covered = page.evaluate(
        """() => {
            """
        + DRAWN_LABELS
        + """
            const { player } = app().view;
            const labels = drawnLabels(player);
            const scale = player.stage.clientWidth / player.film.page.width;
            return [labels.length, labels.filter(([x, y, w, h]) => player.drawn.some((d) =>
                Math.min(x + w, d.right * scale) - Math.max(x, d.left * scale) > 1 &&
                Math.min(y + h, d.bottom * scale) - Math.max(y, d.top * scale) > 1)).length];
        }"""
    )
    assert covered == [4, 0]


def test_labels_and_boxes_stand_out_from_any_picture(project, show):
    page = show(project, "film=first")
    go_to(page, 45)
    grounds, edges = page.evaluate(
        """() => {
            """
        + DRAWN_LABELS
        + """
            const { player } = app().view;
            const labels = drawnLabels(player);
            const context = player.canvas.getContext('2d');
            const pixels = (...place) => {
                const { data } = context.getImageData(...place.map((side) => Math.round(side * devicePixelRatio)));
                return Array.from({ length: data.length / 4 }, (_, i) => [...data.slice(4 * i, 4 * i + 4)]);
            };
            const dark = ([red, green, blue, alpha]) => Math.max(red, green, blue) < 60 && alpha > 60;
            const scale = player.stage.clientWidth / player.film.page.width;
            return [
                labels.map((place) => {
                    const seen = pixels(...place);
                    const white = seen.filter((pixel) => Math.min(...pixel) > 200).length;
                    return [seen.filter(dark).length / seen.length, white / seen.length];
                }),
                player.drawn.map(({ left, top, bottom }) =>
                    pixels(left * scale - 5, ((top + bottom) / 2) * scale, 10, 1).some(dark)),
            ];
        }"""
    )
    assert len(grounds) == 2 and all(dark > 0.5 and white > 0.02 for dark, white in grounds)
    assert edges == [True, True]


def test_the_slider_hides_names_as_it_moves(project, show):
    page = show(project, "film=first")
    go_to(page, 45)
    assert set(drawn(page)) == {"Ada", "Bo"}
    bars = "app().view.lanes.rows.map(row => [row.person.name, row.stretches.length])"
    assert dict(page.evaluate(bars)) == {"Ada": 1, "Bo": 2, "Unknown 1": 1}
    slider = page.get_by_label("Hide names less certain than")
    slider.fill("60")
    assert set(drawn(page)) == {"Ada", "Bo"}  # as sure as that is sure enough
    slider.press("ArrowRight")
    assert set(drawn(page)) == {"Ada", ""}
    assert dict(page.evaluate(bars)) == {"Ada": 1, "Bo": 0, "Unknown 1": 1}
    expect(page.get_by_label("On screen now")).to_contain_text("unknown")
    slider.fill("0")
    assert set(drawn(page)) == {"Ada", "Bo"}


def test_people_are_switched_off_and_on(project, show):
    page = show(project, "film=first")
    go_to(page, 75)
    assert set(drawn(page)) == {"Ada", "Unknown 1"}
    page.keyboard.press("u")
    assert set(drawn(page)) == {"Ada"}
    expect(page.get_by_role("checkbox", name="Show Unknown 1")).to_have_count(0)
    page.get_by_role("checkbox", name="Show unknown people").check()
    page.get_by_role("checkbox", name="Show Ada").uncheck()
    assert set(drawn(page)) == {"Unknown 1"}
    page.get_by_role("button", name="All on").click()
    assert set(drawn(page)) == {"Ada", "Unknown 1"}


def test_keys_lead_from_appearance_to_appearance(project, show):
    page = show(project, "film=first")
    starts = []
    for key in ("n", "n", "n", "n", "p", "p", ".", ",", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        until(page, "!document.querySelector('video').seeking")
        starts.append(round(page.evaluate("app().view.player.frame")))
    assert starts == [30, 70, 95, 95, 70, 30, 31, 30, 55, 30]
    page.get_by_role("button", name="Bo", exact=True).click()
    page.keyboard.press("n")
    assert page.evaluate("app().view.player.frame") == 95
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    assert page.evaluate("app().view.player.boxesShown") is False


def test_keys_lead_from_where_they_led_to_though_the_browser_still_tells_of_earlier_frames(project, show):
    page = show(project, "film=first")
    frames = page.evaluate(
        """() => {
            const { player } = app().view;
            const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            const arrived = (frame) => { player.arrive(frame); return player.frame; };
            player.seekFrame(0);
            press('n');
            press('n');
            return [player.frame, arrived(0), arrived(30), arrived(70)];
        }"""
    )
    assert frames == [70, 70, 70, 70]
    until(page, "!app().view.player.video.seeking && !app().view.player.left.size")
    page.evaluate("app().view.player.play()")
    until(page, "app().view.player.frame > 72")


def test_the_first_frame_told_of_is_not_taken_for_the_one_that_the_film_was_opened_at(project, show):
    page = show(project, "film=first&t=2")
    frames = page.evaluate(
        """async () => {
            const { player } = app().view;
            await player.open();
            player.arrive(0);
            return [player.frame, player.film.frameAt(2)];
        }"""
    )
    assert frames == [50, 50]


def test_boxes_come_though_the_browser_tells_of_no_frame(project, show):
    page = show(project, "film=first")
    page.evaluate("app().view.player.video.cancelVideoFrameCallback(app().view.player.callback)")
    go_to(page, 75)
    assert set(drawn(page)) == {"Ada", "Unknown 1"}


def test_the_pointer_shows_the_face(project, show):
    page = show(project, "film=first")
    x = page.evaluate("app().view.lanes.xOf(1.5)")
    page.locator(".lanes-canvas").hover(position={"x": x, "y": 28 + 34 + 17})
    hint = page.locator(".hint")
    expect(hint).to_contain_text("Bo")
    expect(hint).to_contain_text("people/Bo/1.jpg")
    picture = hint.locator(".face.sheet")
    until(page, "document.querySelector('.hint .sheet').style.backgroundImage !== ''")
    colour = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("RGB"))[40, 40]
    assert np.abs(colour.astype(int) - (40, 200, 60)).max() < 40


def test_lanes_and_lists_equal_the_exact_appearances(project, show):
    page = show(project, "film=first")
    film = project.videos / "first.mp4"
    exact = exact_appearances(pd.read_parquet(project.film(film).tracks), read_clock(film), unknown=True)
    rows = page.evaluate(
        "app().view.lanes.rows.flatMap(r => r.stretches.map(s => [r.person.name, s.start, s.end, s.confidence]))"
    )
    lanes = pd.DataFrame(rows, columns=["person", "start", "end", "confidence"]).sort_values(["start", "person"])
    assert lanes["person"].tolist() == exact["person"].tolist()
    assert np.abs(lanes[["start", "end"]].to_numpy() - exact[["start", "end"]].to_numpy()).max() < 2e-6
    assert np.abs(lanes["confidence"].to_numpy() - exact["confidence"].to_numpy()).max() < 1e-3
    expect(page.locator(".appearances .stretch")).to_have_count(len(exact))


def test_a_person_has_every_appearance_over_all_films(project, show):
    page = show(project)
    page.get_by_role("link", name="Ada", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada")
    assert page.locator(".person-view h2 a").all_inner_texts() == ["first", "second"]
    expect(page.locator(".hit")).to_have_count(2)
    page.locator(".hit").nth(1).click()
    until(page, "app().view.film?.page.id === 'second' && app().view.player.frame >= 20")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada")


def test_enter_takes_who_is_nearest_to_what_was_typed(project, show):
    page = show(project, "view=search")
    field = page.get_by_label("On screen: add a person")
    for typed, chosen in (("nobody at all", []), ("b", ["Bo"]), ("da", ["Bo", "Ada"])):
        field.fill(typed)
        field.press("Enter")
        expect(page.locator(".search-form .chips").first.get_by_role("listitem")).to_have_count(len(chosen))
        if not chosen:
            expect(page.get_by_role("status").first).to_have_text("Nobody is called “nobody at all”.")
    assert page.evaluate("location.hash") == "#view=search&with=Bo&with=Ada"


def test_the_page_follows_jupyterlab_from_light_to_dark_and_back(project, show):
    page = show(project, "")
    shown = page.locator(".facelib-page")
    for light, theme in (("false", "dark"), ("true", "light"), ("false", "dark")):
        page.evaluate(f"document.body.dataset.jpThemeLight = '{light}'")  # as JupyterLab marks its own body
        expect(shown).to_have_attribute("data-theme", theme)


def test_search_with_and_without(project, show):
    page = show(project, "view=search")
    page.get_by_role("button", name="With Ada").click()
    expect(page.get_by_role("status")).to_have_text("2 moments, 6.4 s, in 2 films")
    page.get_by_role("button", name="Without Cy").click()
    expect(page.get_by_role("status")).to_have_text("2 moments, 5.2 s, in 2 films")
    box = page.get_by_label("On screen: add a person")
    box.fill("bo")
    box.press("Enter")
    expect(page.get_by_role("status")).to_have_text("2 moments, 1.4 s, in 1 film")
    assert page.locator(".results .time").all_inner_texts() == ["0:01.2 \u2013 0:02.4", "0:03.8 \u2013 0:03.9"]
    assert page.evaluate("location.hash") == "#view=search&with=Ada&with=Bo&without=Cy"
    page.get_by_role("button", name="Remove Ada").click()
    expect(page.locator(".search-form .chips").first.get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize(
    ("address", "name", "people"),
    [("view=search&with=Ada&with=Bo&without=Cy", "Ada, Bo.csv", "Ada; Bo"), ("person=Bo", "Bo.csv", "Bo")],
)
def test_moments_are_saved_as_a_table(project, show, address, name, people):
    page = show(project, address)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as table").click()
    assert saved.value.suggested_filename == name
    table = pd.read_csv(saved.value.path(), encoding="utf-8-sig")
    assert set(table["film"]) == {"first"} and set(table["people"]) == {people}
    assert list(table["start_timecode"]) == ["00:00:01.200", "00:00:03.800"]
    assert list(table["end"] > table["start"]) == [True, True]


def test_in_a_table_that_is_saved_a_name_is_no_formula(page):
    made = """momentsTable(["=1+1", 'Öz "X"'], [{ film: { title: "a, b" }, start: 3725.0004, end: 3726 }])"""
    text = page.evaluate(f"(() => {{ {bundle('moments_table.js')}\nreturn {made}; }})()")
    assert text.splitlines()[1] == '"a, b","\'=1+1; Öz ""X""",3725.000,3726.000,01:02:05.000,01:02:06.000'


def test_who_with_whom_counts_within_films_only(project, show):
    page = show(project, "view=together")
    pairs = [" ".join(pair.split()) for pair in page.locator(".pairs li").all_inner_texts()]
    assert pairs == [
        f"{MARKUP} and Ada 2.4 s, 1 time",
        f"{MARKUP} and Cy 1.6 s, 1 time",
        "Ada and Bo 1.4 s, 2 times",
        "Ada and Cy 1.2 s, 1 time",
    ]
    # Names that only a screen reader says stay in the table, which scrolls where it is wider than the page.
    assert page.locator(".matrix thead .unseen-text").last.evaluate(
        "name => name.offsetParent.closest('.wide') !== null"
    )
    page.get_by_label("Film", exact=True).select_option("first")
    expect(page.locator(".pairs li")).to_have_count(1)
    page.locator(".pairs .pair").click()
    expect(page.get_by_role("status")).to_have_text("2 moments, 1.4 s, in 1 film")


def test_the_address_keeps_the_moment(project, show):
    page = show(project, "t=1.5&film=second")
    until(page, "app().view.player.frame === 37")
    page = show(project, "t=2")
    until(page, SETTLED)
    until(page, "app().view.film.page.id === 'first' && app().view.player.frame === 50")
    page.keyboard.press("k")
    until(page, "app().view.player.frame > 55")
    page.evaluate("app().view.player.video.pause()")
    until(page, "/film=first&t=[2-4]\\.\\d\\d/.test(location.hash)")


def test_a_missing_film_says_so_and_the_rest_works(project, show):
    (project.videos / "first.mp4").unlink()
    page = show(project)
    page.get_by_role("link", name="first").click()
    expect(page.get_by_role("alert")).to_contain_text("Put the film back")
    expect(page.get_by_role("checkbox", name="Show Ada")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_every_view_fits_and_is_accessible(project, show, width):
    colours = {"light": set(), "dark": set()}
    page = show(project)
    page.set_viewport_size({"width": width, "height": 900})
    for words in VIEWS:
        show(project, words)
        for theme, grounds in colours.items():
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            until(page, f"document.querySelector('#facelib-page').dataset.theme === '{theme}'")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), words
            cut = page.evaluate(
                """[...document.querySelectorAll('.facelib-page bdi, .facelib-page h1, .facelib-page h2, '
                    + '.facelib-page p, .facelib-page button')].filter(e => e.scrollWidth > e.clientWidth + 1
                    && e.clientWidth && getComputedStyle(e).display !== 'inline').map(e => e.textContent)"""
            )
            assert cut == [], words
            grounds.add(page.evaluate("getComputedStyle(document.querySelector('.facelib-page')).backgroundColor"))
            assert find_barriers(page) == [], (words, theme)
    assert [len(grounds) for grounds in colours.values()] == [1, 1]


def test_long_names_fit_a_phone(make_squares, show):
    film, people = "a_film_with_a_long_name." * 6, ["Wolfeschlegelsteinhausen" * 3, "Ada_of_the_long_name" * 4]
    project = make_squares({f"{film}mp4": [Square(person, 0, 99) for person in people]})
    write_page(project, progress=False)
    for words in ("", f"film={film[:-1]}", f"person={people[0]}", "view=search", "view=together", "view=files"):
        page = show(project, words)
        page.set_viewport_size({"width": 360, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), words


def test_light_and_dark_by_the_switch(project, show):
    page = show(project)
    page.emulate_media(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.querySelector('.facelib-page')).backgroundColor")
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate("getComputedStyle(document.querySelector('.facelib-page')).backgroundColor")
    assert light != dark
    page.reload()
    expect(page.get_by_role("button", name="Light colours")).to_be_visible()


def test_a_lane_a_person_only_where_in_view(make_squares, show):
    crowd = [Square(f"Person {i:03}", i % 90, i % 90 + 9) for i in range(300)]
    project = make_squares({"first.mp4": crowd})
    write_page(project, progress=False)
    page = show(project, "film=first")
    assert page.locator(".lane-label").count() < 30
    page.locator(".lanes-scroll").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    last = page.evaluate("app().view.lanes.rows.at(-1).person.name")
    expect(page.get_by_role("checkbox", name=f"Show {last}")).to_be_visible()
    assert page.locator(".lane-label").count() < 30
    assert page.locator(".overlay").evaluate("c => c.width / c.height") == pytest.approx(WIDTH / HEIGHT, rel=0.01)
