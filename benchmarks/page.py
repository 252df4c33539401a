"""How soon a two-hour film of 10,000 tracks can be used on the project's page, and how smoothly its lanes scroll.

Everything is made up: half a million boxes, forty people, hundreds of unknown ones. Chromium draws in software here, as
on a machine without a graphics card.

    python benchmarks/page.py
"""

from __future__ import annotations

import shutil
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright

from facelib.films.media.timeline import FrameTimes
from facelib.films.media.times import write_times
from facelib.images import encode_jpeg
from facelib.page import write_page
from facelib.project import Project, write_table, write_text

HOURS, RATE, TRACKS = 2, 25, 10_000
SCROLL = """() => new Promise(done => {
    const scroller = document.querySelector('.lanes-scroll');
    const times = [];
    const begin = performance.now();
    const step = now => {
        times.push(now);
        scroller.scrollTop = (times.length * 9) % (scroller.scrollHeight - scroller.clientHeight);
        scroller.scrollLeft = (times.length * 37) % (scroller.scrollWidth - scroller.clientWidth + 1);
        if (now - begin < 5000) requestAnimationFrame(step);
        else done((times.length - 1) / (times.at(-1) - times[0]) * 1000);
    };
    requestAnimationFrame(step);
})"""

DRAW = """() => {
    const { lanes } = document.querySelector('#facelib-page').app.view;
    const times = [];
    for (let i = 0; i < 101; i += 1) {
        const begin = performance.now();
        lanes.draw();
        times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b)[50];
}"""


def make_project(folder: Path) -> Project:
    project = Project("long", folder / "data", folder / "output")
    film = project.videos / "long.mp4"
    film.parent.mkdir(parents=True)
    frames = HOURS * 3600 * RATE
    write_film(film, frames)
    rng = np.random.default_rng(0)
    length = rng.integers(20, 80, TRACKS)
    first = np.sort(rng.integers(0, frames - 100, TRACKS))
    known = rng.random(TRACKS) < 0.7
    people = np.where(known, [f"Person {i:02}" for i in rng.integers(0, 40, TRACKS)], "unknown")
    groups = np.where(known, "", [f"Unknown {i + 1}" for i in rng.integers(0, 400, TRACKS)])
    numbers = np.arange(TRACKS)
    tracks = pd.DataFrame(
        {"track": numbers, "shot": first // 100, "start_frame": first, "end_frame": first + length - 1,
         "start": first / RATE, "end": (first + length - 1) / RATE, "person": people, "cluster": groups,
         "confidence": rng.uniform(0.5, 1, TRACKS).astype(np.float32),
         "reason": [f"face: {d:.2f} from people/{p}/1.jpg" for d, p in zip(rng.random(TRACKS), people, strict=True)]}
    )  # fmt: skip
    owner = np.repeat(numbers, length)
    frame = np.concatenate([np.arange(a, a + n) for a, n in zip(first, length, strict=True)])
    corner = rng.uniform(0, 200, (TRACKS, 2))[owner] + np.cumsum(rng.normal(0, 0.5, (len(frame), 2)), axis=0) % 40
    boxes = np.column_stack([corner, corner + 40])
    detections = pd.DataFrame({"frame": frame, "time": frame / RATE, "shot": 0, "track": owner, "score": 0.9})
    detections[["left", "top", "right", "bottom"]] = boxes.astype(np.float32)
    files = project.film(film)
    write_text(f"{film.name}\n", files.source)
    ticks = np.arange(frames)
    write_times(FrameTimes(ticks, ticks / RATE, frames, Fraction(1, RATE), Fraction(RATE)), files.times)
    picture = encode_jpeg(cv2.GaussianBlur(rng.integers(0, 255, (160, 120, 3), dtype=np.uint8), (0, 0), 2))
    write_table(tracks, files.tracks)
    write_table(detections, files.detections)
    looks = detections.drop_duplicates("track").drop(columns="score")
    write_table(looks.assign(quality=0.5, picture=[picture] * TRACKS), files.looks)
    starts = np.arange(0, frames, 100)
    write_table(pd.DataFrame({"shot": starts // 100, "start_frame": starts, "start": starts / RATE}), files.shots)
    return project


def write_film(path: Path, frames: int) -> None:
    """Write a long film of few bytes: one grey picture that stays."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="rgb24")
        for number in range(frames):
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def usable_after(page: Page, address: str) -> float:
    """Return the seconds from opening the film's address until its lanes are drawn and answer a key."""
    page.goto("about:blank")
    begin = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".lane-label")
    page.keyboard.press("n")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return time.perf_counter() - begin


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        project = make_project(folder)
        begin = time.perf_counter()
        write_page(project, progress=False)
        print(f"written in {time.perf_counter() - begin:.1f} s")
        data = project.film("long.mp4").page_data
        sizes = {path.name: path.stat().st_size / 1e6 for path in (project.page, project.page_data, data)}
        print("MB:", ", ".join(f"{name} {size:.2f}" for name, size in sizes.items()))
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            address = f"{project.page.as_uri()}#film=long&t=60"
            print(f"usable after {min(usable_after(page, address) for _ in range(3)):.2f} s")
            print(f"scrolled at {page.evaluate(SCROLL):.0f} frames a second, all of the film in view")
            print(f"the lanes are drawn in {page.evaluate(DRAW):.1f} ms")
            for _ in range(8):
                page.keyboard.press("+")
            print(f"scrolled at {page.evaluate(SCROLL):.0f} frames a second, enlarged 43 times")
            begin = time.perf_counter()
            page.get_by_label("Hide names less certain than").fill("80")
            print(f"the slider answers in {1000 * (time.perf_counter() - begin):.0f} ms")
            chromium.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
