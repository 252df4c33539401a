"""The live widget's page by itself: its script against a model that only keeps what it is told."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from facelib.images import encode_jpeg
from facelib.widgets import LiveCamera

HARNESS = """
import widget from "/live_view.js";
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
const each = (texts) => Object.fromEntries(Object.entries(texts).map(([track, text]) => [track, bytes(text)]));
const taken = (name, value) => name === "picture" ? bytes(value) : name === "thumbnails" ? each(value) : value;
const state = Object.fromEntries(Object.entries(STATE).map(([name, value]) => [name, taken(name, value)]));
const handles = {};
window.asked = [];
window.model = {
  get: (name) => state[name], set: (name, value) => (state[name] = value), save_changes() {},
  on: (event, handle) => (handles[event] ??= []).push(handle), off: (event) => delete handles[event],
  tell(values) {
    for (const [name, value] of Object.entries(values)) state[name] = taken(name, value);
    for (const name of Object.keys(values)) for (const handle of handles[`change:${name}`] ?? []) handle();
  },
};
window.leave = widget.render({ model: window.model, el: document.body });
"""


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (64, 36)) -> str:
    picture = np.full((size[1], size[0], 3), colour, np.uint8)
    return base64.b64encode(encode_jpeg(picture)).decode("ascii")


def face(track: int, label: str, digit: int, **more: Any) -> dict[str, Any]:
    known = label != "unknown"
    return {"track": track, "label": label, "known": known, "digit": digit, "colour": "#0072B2", "dark": True,
            "place": [0.25, 0.25, 0.25, 0.5], "now": True, "last": "", **more}  # fmt: skip


STATE: dict[str, Any] = {
    "source": "films/demo.mp4", "state": "playing", "message": "", "number": 1, "picture": jpeg((200, 30, 30)),
    "faces": [face(7, "Ada 97 %", 1), face(8, "unknown", 2, place=[0.6, 0.01, 0.2, 0.4])],
    "seen": [face(7, "Ada", 1), face(8, "unknown", 2), face(3, "unknown", 3, now=False, last="0:12")],
    "thumbnails": {"7": jpeg((9, 9, 9), (50, 50)), "8": jpeg((90, 90, 90), (50, 50))},
    "facts": {"played": "0:14", "frames/s": "25", "delay": "0.12 s"}, "events": [], "people": ["Ada", "Grace", "Zoë"],
    "recording": "", "shown": 0, "requests": [], "handled": 0, "status": "", "error": "",
}  # fmt: skip


@pytest.fixture
def shown(page):
    """Return a function that shows the page with some of its state changed."""

    def show(**changed: Any) -> Page:
        def answer(route):
            name = route.request.url.rpartition("/")[2]
            if name == "live_view.js":
                route.fulfill(body=LiveCamera._esm, content_type="text/javascript; charset=utf-8")
            elif name == "harness.js":
                script = HARNESS.replace("STATE", json.dumps(STATE | changed))
                route.fulfill(body=script, content_type="text/javascript; charset=utf-8")
            elif name == "live_view.css":
                route.fulfill(body=LiveCamera._css, content_type="text/css; charset=utf-8")
            else:
                head = '<meta charset="utf-8"><link rel="stylesheet" href="/live_view.css">'
                body = f'{head}<body><script type="module" src="/harness.js"></script>'
                route.fulfill(body=body, content_type="text/html; charset=utf-8")

        page.route("http://127.0.0.1:9/**", answer)
        page.goto("http://127.0.0.1:9/")
        page.wait_for_selector(".facelib-live")
        return page

    return show


def requests(page: Page) -> list[dict[str, Any]]:
    return page.evaluate("window.model.get('requests')")


def tell(page: Page, **values: Any) -> None:
    page.evaluate("(values) => window.model.tell(values)", values)


def colour_in_the_middle(page: Page) -> list[int]:
    return page.evaluate(
        "() => { const c = document.querySelector('canvas'); "
        "return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]; }"
    )


def test_it_shows_the_picture_the_boxes_and_who_was_seen(shown):
    page = shown()
    page.wait_for_function("window.model.get('shown') === 1")  # the picture is answered once it is drawn
    assert colour_in_the_middle(page)[0] > 150
    stage = page.locator(".stage").bounding_box()
    box = page.locator(".box[data-track='7']").bounding_box()
    assert box["x"] - stage["x"] == pytest.approx(stage["width"] / 4, abs=1.5)
    assert box["height"] == pytest.approx(stage["height"] / 2, abs=1.5)
    expect(page.get_by_role("img", name="In the picture: Ada 97 %, unknown")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(3)
    expect(page.locator(".tile[data-track='3']")).to_contain_text("gone, last at 0:12")
    expect(page.locator(".facts")).to_contain_text("0.12 s delay")
    expect(page.locator(".source")).to_have_text("demo.mp4")


# Of each label: whether it stands within the picture, and how many boxes and other labels it covers.
OVERLAPS = """() => {
    const sides = (element) => element.getBoundingClientRect();
    const [boxes, labels] = ['.box', '.box span'].map((one) => [...document.querySelectorAll(one)].map(sides));
    const stage = sides(document.querySelector('.stage'));
    return labels.map((label) => [
        label.left >= stage.left - 1 && label.right <= stage.right + 1 &&
            label.top >= stage.top - 1 && label.bottom <= stage.bottom + 1,
        [...boxes, ...labels].filter((other) => other !== label &&
            Math.min(label.right, other.right) - Math.max(label.left, other.left) > 1 &&
            Math.min(label.bottom, other.bottom) - Math.max(label.top, other.top) > 1).length]);
}"""


@pytest.mark.parametrize(
    "places",
    [
        [],
        [[0.25, 0.25, 0.25, 0.5]],
        [[0.6, 0.01, 0.2, 0.4]],  # no room above
        [[0.3, 0, 0.3, 1]],  # nor below: a close-up
        [[0.9, 0.3, 0.1, 0.3]],  # at the right border
        [[0.4, 0.1, 0.2, 0.35], [0.4, 0.47, 0.2, 0.4]],  # one above the other
        [[0.1, 0.0, 0.2, 0.99], [0.32, 0.0, 0.2, 0.99]],  # side by side
        [[0.3, 0.3, 0.05, 0.2], [0.37, 0.3, 0.05, 0.2]],  # narrower than their labels
    ],
)
def test_a_label_covers_no_face_and_no_other_label(shown, places):
    faces = [face(number, f"Person {number}", number, place=place) for number, place in enumerate(places, 1)]
    page = shown(faces=faces, picture=jpeg((200, 30, 30), (640, 360)))
    page.wait_for_function("window.model.get('shown') === 1")
    assert page.evaluate(OVERLAPS) == [[True, 0]] * len(places)


def test_where_a_face_fills_the_picture_its_label_stands_within(shown):
    page = shown(faces=[face(7, "Ada", 1, place=[0, 0, 1, 1])], picture=jpeg((200, 30, 30), (640, 360)))
    page.wait_for_function("window.model.get('shown') === 1")
    assert page.evaluate(OVERLAPS) == [[True, 1]]


@pytest.mark.parametrize("width", [500, 900, 1400, 1900])
def test_it_fills_its_page(shown, width):
    page = shown()
    page.set_viewport_size({"width": width, "height": 900})
    beside = width > 800
    expect(page.locator(".facelib-live.narrow")).to_have_count(0 if beside else 1)
    whole = page.locator(".facelib-live").bounding_box()
    stage, side = (page.locator(f".facelib-live .{part}").bounding_box() for part in ("stage", "side"))
    assert whole["width"] > width - 60
    assert stage["x"] == pytest.approx(whole["x"], abs=20)
    assert side["x"] + side["width"] == pytest.approx(whole["x"] + whole["width"], abs=20)
    if beside:
        assert side["y"] == pytest.approx(stage["y"], abs=1)
        assert side["x"] - (stage["x"] + stage["width"]) == pytest.approx(10, abs=10)
    assert stage["width"] > (0.45 if beside else 0.9) * whole["width"]  # the picture is the larger part
    assert stage["height"] == pytest.approx(page.locator("canvas").bounding_box()["height"], abs=1)  # nothing below it
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_new_picture_moves_its_boxes_and_keeps_the_focus(shown):
    page = shown()
    page.locator(".box[data-track='7']").focus()
    moved = [face(7, "Ada 98 %", 1, place=[0.5, 0.25, 0.25, 0.5])]
    tell(page, faces=moved, picture=jpeg((30, 200, 30)), number=2)
    page.wait_for_function("window.model.get('shown') === 2")
    expect(page.locator(".box")).to_have_count(1)
    expect(page.locator(".box[data-track='7']")).to_be_focused()
    assert colour_in_the_middle(page)[1] > 150


def test_a_button_that_goes_hands_on_the_focus(shown):
    page = shown(state="stopped")
    page.get_by_role("button", name="Start").click()
    tell(page, state="playing")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.get_by_role("button", name="Record").focus()
    tell(page, state="ended")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()


@pytest.mark.parametrize("focused", [".box[data-track='7']", ".tile[data-track='7']"])
def test_a_face_that_goes_leaves_the_focus_in_the_widget(shown, focused):
    page = shown()
    page.locator(focused).focus()
    tell(page, faces=[], seen=[], number=2)
    expect(page.locator(".stage")).to_be_focused()  # and no key goes to the notebook, where x cuts a cell
    page.keyboard.press("p")
    assert [request["action"] for request in requests(page)] == ["snapshot"]


def test_a_picture_that_cannot_be_drawn_is_told(shown):
    page = shown(picture=base64.b64encode(b"no picture").decode())
    expect(page.get_by_role("alert")).not_to_have_text("")


def test_keys_do_what_buttons_do(shown):
    page = shown()
    page.locator(".stage").focus()
    for key in ("p", "r", " "):
        page.keyboard.press(key)
    assert [(request["number"], request["action"]) for request in requests(page)] == [
        (1, "snapshot"), (2, "record"), (3, "stop"),
    ]  # fmt: skip
    tell(page, state="stopped", recording="a.mp4", handled=3)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Start").click()
    assert [request["action"] for request in requests(page)] == ["start", "start"]
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    ("opened", "keys", "expected"),
    [
        (".box[data-track='8']", ["N", "i", "ArrowDown", "Enter"], (8, "Ni")),  # by a click into the picture
        (".box[data-track='8']", ["N", "i", "Enter"], None),  # nobody new by typing alone
        (".tile[data-track='3']", ["a", "Enter"], (3, "Ada")),  # gone, from the list; the first who fits
        (".tile[data-track='3']", ["a", "ArrowDown", "ArrowDown", "Enter"], (3, "a")),  # a row after all who fit
        ("1", ["g", "r", "Enter"], (7, "Grace")),  # by its number; completed
        ("1", ["z", "o", "e", "Enter"], (7, "Zoë")),  # accents need not be typed
        ("u", ["ArrowDown", "ArrowDown", "ArrowDown", "Enter"], (8, "Zoë")),  # the first unknown; the third name
        ("2", ["Enter"], None),  # no name yet
        ("2", ["x", "Escape"], None),
        ("9", [], None),  # nobody has this number
    ],
)
def test_enrolling(shown, opened, keys, expected):
    page = shown()
    page.locator(".stage").focus()
    if opened.startswith("."):
        page.locator(opened).click()
    else:
        page.keyboard.press(opened)
    for key in keys:
        page.keyboard.press(key)
    assert [(request["track"], request["person"]) for request in requests(page)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("same", "keys", "expected"),
    [
        (False, ["Enter"], ("Grace", False)),
        (False, ["ArrowDown", "Enter"], ("Grase", True)),
        (True, ["ArrowDown", "Enter"], ("Grace", False)),  # case alone makes nobody new
    ],
)
def test_a_name_that_is_nearly_a_known_one_is_asked_about(shown, same, keys, expected):
    page = shown()
    page.locator(".stage").focus()
    page.evaluate("window.model.tell({asked: ASKED})".replace("ASKED", json.dumps(
        {"track": 7, "person": "Grase", "near": ["Grace"], "same": same})))  # fmt: skip
    expect(page.get_by_role("dialog", name="Is 'Grase' one of these?")).to_be_visible()
    for key in keys:
        page.keyboard.press(key)
    assert [(request["person"], request["new"]) for request in requests(page)] == [expected]


def test_a_name_that_is_refused_is_asked_for_again_with_the_reason_and_what_was_typed(shown):
    page = shown()
    page.locator(".stage").focus()
    page.evaluate("window.model.tell({asked: {track: 7, person: 'a/b', problem: 'expected another name'}})")
    dialog = page.get_by_role("dialog", name="Enrol this face as …")
    expect(dialog.get_by_role("alert")).to_have_text("expected another name")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("a/b")
    page.keyboard.press("Control+a")
    page.keyboard.type("zo")
    page.keyboard.press("Enter")
    assert [request["person"] for request in requests(page)] == ["Zoë"]


def test_while_a_name_is_typed_its_letters_are_no_keys(shown):
    page = shown()
    page.locator(".tile[data-track='8']").click()
    page.keyboard.type("pru ")
    assert requests(page) == []
    expect(page.get_by_label("Name", exact=True)).to_have_value("pru ")
    page.keyboard.press("Escape")
    expect(page.locator(".tile[data-track='8']")).to_be_focused()  # back to where it was


@pytest.mark.parametrize(
    ("state", "message", "start"),
    [("stopped", "Stopped.", "Start"), ("ended", "Over.", "Start again"), ("failed", "No such camera.", "Start again")],
)
def test_states_and_errors_are_shown(shown, state, message, start):
    page = shown(state=state, message=message, error="OSError: full", number=3)
    expect(page.locator(".hint")).to_have_text(message)
    expect(page.get_by_role("alert")).to_have_text("OSError: full")
    expect(page.get_by_role("button", name=start)).to_be_visible()
    expect(page.get_by_role("button", name="Record")).to_be_disabled()
    assert page.evaluate("window.model.get('shown')") == 0  # only what plays is answered


def test_without_a_picture_the_page_answers_all_the_same(shown):
    page = shown(picture="", state="connecting", faces=[], seen=[], thumbnails={}, facts={})
    page.wait_for_function("window.model.get('shown') === 1")
    expect(page.locator(".hint")).to_contain_text("Waiting for the first picture")
    expect(page.get_by_role("button", name="Snapshot")).to_be_disabled()
    expect(page.get_by_text("Faces appear here")).to_be_visible()


def test_names_are_no_markup(shown):
    wild = "<img src=x onerror=alert(1)>"
    page = shown(faces=[face(7, wild, 1)], seen=[face(7, wild, 1)], people=[wild], source=f"rtsp://{wild}")
    expect(page.locator(".box[data-track='7']")).to_contain_text(wild)
    assert page.locator("img[src=x]").count() == 0
    expect(page.locator(".source")).to_have_text(f"rtsp://{wild}")


def test_the_side_does_not_move_the_page(shown):
    page = shown()
    page.wait_for_function("window.model.get('shown') === 1")
    before = page.locator(".facelib-live").bounding_box()["height"]
    crowd = [face(n, "unknown", n % 9 + 1) for n in range(9)]
    events = [{"time": "0:01", "text": f"event {n}", "kind": "named"} for n in range(40)]
    tell(page, seen=crowd, events=events)
    expect(page.locator(".tile")).to_have_count(9)
    assert page.locator(".facelib-live").bounding_box()["height"] == before


def test_a_page_that_shows_it_no_more_says_so(shown):
    page = shown()
    page.wait_for_function("window.model.get('shown') === 1")
    page.evaluate("window.leave()")
    assert page.evaluate("window.model.get('shown')") == -1


@pytest.mark.parametrize(("faces", "events"), [(0, 0), (1, 30), (12, 30)])
@pytest.mark.parametrize("width", [900, 1400])
def test_both_lists_beside_the_picture_are_seen_and_scroll(shown, width, faces, events):
    seen = [face(number, f"Person {number}", number) for number in range(1, faces + 1)]
    told = [{"time": f"0:{number:02}", "text": f"Person {number} left", "kind": "left"} for number in range(events)]
    page = shown(seen=seen, events=told, picture=jpeg((200, 30, 30), (640, 360)))
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("window.model.get('shown') === 1")
    side = page.locator(".side").bounding_box()
    wanted = [page.get_by_role("heading"), *(page.locator(part).first for part in (".tile", ".log li"))]
    for one in [whole for part in wanted for whole in part.all()]:
        box = one.bounding_box()
        assert side["y"] - 1 <= box["y"] and box["y"] + box["height"] <= side["y"] + side["height"] + 1
    assert all(tile.bounding_box()["height"] > 45 for tile in page.locator(".tile").all())
    for part in page.locator(".tile").all()[-1:] + page.locator(".log li").all()[-1:]:
        part.scroll_into_view_if_needed()
        expect(part).to_be_in_viewport()


CONTRAST = """() => {
    const channels = (text) => {
        const context = document.createElement("canvas").getContext("2d");
        context.fillStyle = text;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
    };
    const light = (text) => {
        const [red, green, blue] = channels(text).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const ground = light(getComputedStyle(document.querySelector(".facelib-live")).backgroundColor);
    return [".lamp", "button.record", ".log .failed"].map((part) => {
        const ink = light(getComputedStyle(document.querySelector(`.facelib-live ${part}`)).color);
        return Math.max(ink, ground) / Math.min(ink, ground);
    });
}"""


@pytest.mark.parametrize("state", ["playing", "waiting", "failed"])
@pytest.mark.parametrize(("ink", "ground"), [("#222", "#fff"), ("#dedede", "#111")])
def test_coloured_words_are_read_on_a_light_and_on_a_dark_ground(shown, state, ink, ground):
    page = shown(state=state, recording="a.mp4", events=[{"time": "0:01", "text": "it failed", "kind": "failed"}])
    page.add_style_tag(content=f":root {{ --jp-ui-font-color1: {ink}; --jp-layout-color1: {ground} }}")
    assert min(page.evaluate(CONTRAST)) > 4.5
