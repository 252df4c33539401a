"""A newcomer's way in a real browser: from an empty server to a named, corrected, exported film, and to forgetting."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from facelib.project import Project
from tests.pages import find_barriers, new_context, until

from .running import serving

# Each part goes on from where the one before ended: none can be run once more.
pytestmark = [pytest.mark.browser, pytest.mark.flaky(reruns=0)]
BITS, BLOCK = 9, 12
NAME = "Mary <i>Shelley"  # shown as it is, not as markup
APP = "document.querySelector('#facelib-page').app"
PLAYER = f"{APP}.view.player"
READ = f"""() => {{
    const {{ video }} = {PLAYER};
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < {BITS}; bit += 1) {{
        const level = context.getImageData({BLOCK} * bit + {BLOCK // 2}, {BLOCK // 2}, 1, 1).data[0];
        if (level > 127) number += 2 ** bit;
    }}
    return number;
}}"""
WATCH = f"""frames => new Promise(done => {{
    const read = {READ};
    const seen = [];
    const next = () => {PLAYER}.video.requestVideoFrameCallback(() => queueMicrotask(() => {{
        seen.push([read(), {PLAYER}.frame]);
        if (seen.length < frames && !{PLAYER}.video.ended) next();
        else done(seen);
    }}));
    next();
    {PLAYER}.video.play();
}})"""

TOGETHER = f"""names => {{
    const {{ film }} = {PLAYER};
    const seen = (frame) => film.boxesAt(frame).map(({{ index }}) => film.labels[film.label[index]].name);
    return [...film.times.keys()].find((frame) => names.every((name) => seen(frame).includes(name)));
}}"""


@dataclass(frozen=True)
class Start:
    """An empty server and what the newcomer has.

    Attributes:
        address: The server's.
        token: What it printed.
        folder: Its data and its results.
        people: Folders of pictures.
        film: A film whose frames tell their numbers in black and white blocks, of a variable rate.
        frames: How many it has.
    """

    address: str
    token: str
    folder: Path
    people: list[Path]
    film: Path
    frames: int

    @property
    def project(self) -> Project:
        """The project that the newcomer makes."""
        return Project("My films", self.folder / "data", self.folder / "output")


@pytest.fixture(scope="module")
def start(
    tmp_path_factory: pytest.TempPathFactory, copy_demo: Callable[..., Project], facelib_command: list[str]
) -> Iterator[Start]:
    folder = tmp_path_factory.mktemp("newcomer")
    demo = copy_demo(folder / "elsewhere", 0.4)
    for person in demo.find_people():
        for picture in demo.find_pictures(person)[10:]:
            picture.unlink()
    film = folder / "elsewhere" / "trip to space.mp4"
    frames = numbered(demo.videos / "demo_vfr.mp4", film)
    options = ["--data-dir", str(folder / "data"), "--output-dir", str(folder / "output")]
    with serving(facelib_command, *options) as (_process, address, token):
        yield Start(address, token, folder, [demo.people / one for one in demo.find_people()], film, frames)


def numbered(source: Path, target: Path) -> int:
    """Write a film with the number of each frame in its corner; return how many there are."""
    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = write.add_stream("libx264", rate=25, options={"crf": "18", "g": "24"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, frame in enumerate(read.decode(video=0)):
            pixels = frame.to_ndarray(format="rgb24")
            for bit in range(BITS):
                pixels[:BLOCK, BLOCK * bit : BLOCK * (bit + 1)] = 255 * (number >> bit & 1)
            new = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            new.pts, new.time_base = round(1000 * frame.time), Fraction(1, 1000)
            write.mux(stream.encode(new))
        write.mux(stream.encode(None))
    return number + 1


@pytest.fixture(scope="module")
def opened(browser: Browser, start: Start) -> Iterator[Page]:
    """A page that reaches nothing but this machine, and whose scripts do not break; closed before the server is."""
    context = new_context(browser, viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    wrong: list[str] = []
    page.said = []  # type: ignore[attr-defined]  # shown where a part fails
    page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if "://127.0.0.1" not in request.url else None)
    yield page
    context.close()
    assert [one for one in wrong if not one.startswith(("blob:", "data:"))] == []


def drop(page: Page, place: Locator, paths: list[Path]) -> None:
    """Drop files and folders of the disk on a place of the page, as a hand does."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
    session.detach()


def check(page: Page) -> None:
    """Look for what keeps people out, and for what is wider than the window."""
    assert find_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()


def said(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile("."))


def test_1_an_empty_server_becomes_a_named_film(opened: Page, start: Start, tmp_path: Path) -> None:
    page = opened
    page.goto(start.address)
    check(page)
    page.get_by_role("textbox", name="Token").fill(start.token)
    page.keyboard.press("Enter")
    expect(said(page).first).to_contain_text("no project yet")
    check(page)
    empty = page.get_by_role("textbox", name="Name of the new project")
    assert empty.evaluate("field => field.validity.valueMissing")  # an empty one is not sent
    empty.fill("My films")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My films")).to_be_visible()
    for name in ("Review", "Unknown"):
        go(page, name)
        expect(page.get_by_role("main")).to_contain_text("No film has names yet.")
        check(page)
        page.get_by_role("link", name="Add people and a film").click()
    expect(page.get_by_role("heading", name="My films")).to_be_visible()
    places = page.locator(".drop-place")
    drop(page, places.nth(0), start.people)
    count = sum(len({picture.read_bytes() for picture in folder.iterdir()}) for folder in start.people)
    expect(said(page).first).to_contain_text(re.compile(r"Added \d+ pictures"))
    assert start.project.find_people() == [folder.name for folder in start.people]
    taken = sum(len(start.project.find_pictures(person)) for person in start.project.find_people())
    refused = page.get_by_role("list", name="Pictures that were not taken").get_by_role("listitem")
    assert taken and taken + refused.count() == count, refused.all_inner_texts()
    expect(said(page).first).to_contain_text(f"Added {taken} pictures")
    expect(page.get_by_text(f"2 people with {taken} pictures")).to_be_visible()
    check(page)

    (tmp_path / "empty.mkv").touch()
    drop(page, places.nth(1), [tmp_path / "empty.mkv"])
    expect(page.get_by_role("list", name="Films being uploaded")).to_contain_text("got an empty file")

    # The connection breaks while the film is sent; it goes on where the server is.
    broken: list[str] = []

    def cut(route) -> None:
        if route.request.method == "PATCH" and len(broken) < 2:
            broken.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/uploads/*", cut)
    drop(page, places.nth(1), [start.film])
    work = page.get_by_role("list", name="Work")
    expect(work).to_contain_text(start.film.name)
    page.unroute("**/uploads/*")
    assert len(broken) == 2
    (kept,) = start.project.find_videos()
    assert (kept.name, kept.read_bytes()) == (start.film.name, start.film.read_bytes())
    expect(work.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible(timeout=400_000)
    for name in start.project.find_people():
        expect(page.get_by_role("link", name=name)).to_be_visible()
    check(page)
    go(page, "Work")
    report = page.get_by_role("link", name="Report 05_annotate_video").get_attribute("href")
    assert "Who is on screen" in page.request.get(start.address + report).text()
    assert page.request.get(start.address + report.replace(".html", ".ipynb")).json()["cells"]
    check(page)


def test_2_boxes_are_in_step_with_the_film(opened: Page, start: Start) -> None:
    page = opened
    go(page, "Overview")
    page.locator(".tiles.films .tile-title").click()
    until(page, f"{APP}.view.player?.video.readyState >= 2 && {PLAYER}.drawn.length > 0")
    check(page)
    frames = page.evaluate(f"{PLAYER}.film.times.length")
    assert frames == start.frames
    assert len(set(np.round(np.diff(page.evaluate(f"[...{PLAYER}.film.times]")), 3))) > 1  # a variable rate
    for frame in np.random.default_rng(0).integers(0, frames, 10).tolist():
        page.evaluate(f"{PLAYER}.seekFrame({frame})")
        until(page, f"!{PLAYER}.video.seeking && ({READ})() === {frame}")
        assert page.evaluate(f"{PLAYER}.frame") == frame
    page.evaluate(f"{PLAYER}.seekFrame(0); {PLAYER}.setRate(0.25)")  # a busy machine shows few frames of a short film
    seen = page.evaluate(WATCH, 12)
    page.evaluate(f"{PLAYER}.video.pause(); {PLAYER}.setRate(1); {PLAYER}.seekFrame(0)")
    # As a film starts on a busy machine, a newer frame may be read than the one that was told of.
    assert len(seen) > 5 and max(abs(shown - drawn) for shown, drawn in seen[1:]) <= 1, seen

    # The slider hides names that are not sure enough.
    named = f"{PLAYER}.drawn.filter((one) => one.look.person.kind === 'cast').length"
    until(page, f"{named} > 0 || {APP}.view.jump(1)")
    page.get_by_label("Hide names less certain than").fill("100")
    until(page, f"{named} === 0")
    page.get_by_label("Hide names less certain than").fill("0")
    until(page, f"{named} > 0")


def test_3_a_name_is_corrected_undone_and_exported(opened: Page, start: Start) -> None:
    page = opened
    now = page.get_by_role("list", name="On screen now")
    was = page.evaluate(f"{PLAYER}.drawn.find((one) => one.look.person.kind === 'cast').look.label")
    line = now.get_by_role("listitem").filter(has_text=was).first
    line.get_by_role("button", name="Correct").click()
    dialog = page.get_by_role("dialog", name="Correct a name")
    dialog.get_by_role("combobox", name="Who is this?").fill(NAME)
    check(page)
    page.keyboard.press("Enter")
    expect(now).to_contain_text(NAME)
    expect(page.locator(".lane-label").filter(has_text=NAME)).to_be_visible()
    assert NAME in people_exported(page)
    go(page, "Review")
    check(page)
    page.keyboard.press("z")
    expect(said(page).first).to_contain_text("Took the last decision back")
    page.go_back()
    expect(now).to_contain_text(was)
    assert NAME not in people_exported(page)


def people_exported(page: Page) -> set[str]:
    """Return who is in the export that the film's page links to."""
    link = page.get_by_role("link", name="appearances.csv").get_attribute("href")
    text = page.request.get(page.evaluate("location.origin") + link).text()
    return {row["person"] for row in csv.DictReader(text.splitlines())}


def test_4_groups_are_named_and_people_found_together(opened: Page, start: Start) -> None:
    page = opened
    go(page, "Unknown")
    first = page.get_by_role("list", name="Unknown people").get_by_role("button").first
    group = first.get_attribute("aria-label").removeprefix("Name ")
    check(page)
    first.click()
    dialog = page.get_by_role("dialog", name="Correct a name")
    dialog.get_by_role("combobox", name="Who is this?").fill("Ann Onymous")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Give this name").click()
    expect(page.get_by_role("link", name=group, exact=True)).to_have_count(0)
    assert page.evaluate(f"{APP}.source.project()")["people"]
    two = start.project.find_people()
    page.goto(f"{start.address}/projects/My%20films#view=search&with={two[0]}&with={two[1]}")
    expect(page.get_by_role("status").first).to_contain_text("moment")
    check(page)
    page.locator(".search-view .stretch").first.click()
    until(page, f"{APP}.view.player?.video.readyState >= 2")
    page.evaluate(f"{PLAYER}.video.pause()")
    together = page.evaluate(TOGETHER, two)
    page.evaluate(f"{PLAYER}.seekFrame({together})")
    until(page, f"({READ})() === {together} && {PLAYER}.drawn.length >= 2")
    assert set(two) <= set(page.evaluate(f"{PLAYER}.drawn.map((one) => one.look.label)"))


def test_5_a_picture_is_left_out_and_a_person_forgotten(opened: Page, start: Start) -> None:
    page = opened
    go(page, "Gallery")
    person = start.project.find_people()[0]
    board = page.get_by_role("list", name=f"Pictures of {person}")
    card = board.get_by_role("listitem").filter(has_text="used").first
    picture = card.get_by_role("img").get_attribute("alt").removeprefix(f"{person}: ")
    expect(page.get_by_role("heading", name="What the doctor proposes")).to_be_visible()
    expect(page.locator(".doctor .facts").last).to_contain_text(re.compile("propose|picture"))
    check(page)
    card.get_by_role("button", name="Leave out").press("Enter")
    expect(board.get_by_role("button", name="Take in again")).to_have_count(1)
    expect(board.get_by_role("button", name="Take in again")).to_be_focused()
    assert f"people/{person}/{picture}" in start.project.disabled.read_text().splitlines()
    page.get_by_role("checkbox", name="Show the faces alone").uncheck()
    expect(board.locator(".board-picture").first).to_be_visible()
    page.get_by_role("button", name="Forget this person…").click()
    dialog = page.get_by_role("dialog", name="Forget this person")
    check(page)
    dialog.get_by_role("button", name=f"Forget {person}").click()
    expect(said(page).filter(has_text="Removed")).to_be_visible()
    assert person not in start.project.find_people()
    tables = start.project.output.rglob("*.csv")
    assert not [path for path in chain(tables, start.project.runs.glob("*/*")) if person in path.read_text("utf-8")]
    for name in ("Settings", "Who is this?", "Who with whom", "Files"):
        go(page, name)
        expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
        check(page)
