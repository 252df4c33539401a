"""Films of every kind, made by ffmpeg from one scene: a white box, a red one and a green bar, and a beep a half second.

The white box is the marker whose place is known.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

import facelib
from facelib.films.indexed import index_film
from facelib.project import Project
from tests.waiting import PATIENCE

BOX = (0.125, 0.125, 0.375, 0.5)
"""Left, top, right and bottom of the white box, as shares of the picture."""


@pytest.fixture(scope="session")
def make_clips(shared_data: Path, make_once: Callable[..., Path]) -> Callable[[Path], Project]:
    """Return a factory of projects with the labelled clips and their cast, in a folder, each film indexed already.

    Whoever asks first has them decoded and searched, by the default detector at 640 pixels and by dlib.
    """

    def project_in(folder: Path) -> Project:
        project = Project("clips", folder / "data", folder / "output")
        project.data.mkdir(parents=True)
        for name in ("people", "videos"):
            (project.data / name).symlink_to(shared_data / "film_clips" / name)
        return project

    def fill(new: Path) -> None:
        project, embedder = project_in(new), facelib.load_embedder("dlib")
        detector = facelib.load_detector(working_size=640)
        for film in project.find_videos():
            index_film(film, project.film(film), detector, embedder, content=project.digest(film), progress=False)

    def make(folder: Path) -> Project:
        project = project_in(folder)
        shutil.copytree(make_once("indexed clips", fill) / "output", project.output_dir)
        return project

    return make


@pytest.fixture(scope="session")
def scene() -> Callable[..., list[str]]:
    """Return the inputs of ffmpeg that play the scene: a size, a rate and a length in seconds."""

    def inputs(
        size: tuple[int, int] = (96, 64), rate: str = "25", seconds: float = 1.0, layout: str = "mono", hz: int = 48000
    ) -> list[str]:
        width, height = size
        left, top, right, bottom = (
            round(share * side) for share, side in zip(BOX, (width, height, width, height), strict=True)
        )
        boxes = [
            (left, top, right - left, bottom - top, "white"),
            (width * 3 // 4, top, width // 8, height // 4, "red"),
            (left, height * 3 // 4, width // 2, height // 8, "lime"),
        ]
        drawn = ",".join(f"drawbox={x}:{y}:{w}:{h}:{colour}:fill" for x, y, w, h, colour in boxes)
        picture = f"color=0x303030:s={width}x{height}:r={rate}:d={seconds},format=yuv444p,{drawn}"
        beep = f"sine=1000:r={hz}:d={seconds},asetnsamples=64,volume='6*lt(mod(t,0.5),0.05)':eval=frame"
        return ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"{beep},aformat=channel_layouts={layout}"]

    return inputs


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., Path]:
    """Return a function that runs ffmpeg with its arguments, the last of which is the file it writes."""

    def run(*arguments: str | Path) -> Path:
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        return Path(arguments[-1])

    return run


@pytest.fixture(scope="session")
def white_box() -> Callable[[np.ndarray], tuple[float, float, float, float]]:
    """Return a function that finds the white box in an RGB picture: left, top, right, bottom as shares of it."""

    def find(image: np.ndarray) -> tuple[float, float, float, float]:
        light = image.astype(int).min(axis=2)
        rows, columns = np.nonzero(light > 0.75 * light.max() + 0.25 * np.median(light))
        height, width = light.shape
        return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height

    return find


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the intersection over union of two boxes."""
    across = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    down = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return across * down / (sum(areas) - across * down)


@pytest.fixture(scope="session")
def iou() -> Callable[[Sequence[float], Sequence[float]], float]:
    """Return the function that gives the intersection over union of two boxes."""
    return overlap


@pytest.fixture(scope="session")
def beeps() -> Callable[..., np.ndarray]:
    """Return a function that hears when the beeps of a film begin, in seconds after its first picture."""

    def listen(path: Path, number: int = 0) -> np.ndarray:
        with av.open(str(path)) as container:
            first = next(frame.pts * frame.time_base for frame in container.decode(video=0) if frame.pts is not None)
        with av.open(str(path)) as container:
            stream = container.streams.audio[number]
            packed = av.AudioResampler(format="flt")  # of planes PyAV reads one too many where there are eight
            heard = []
            until = 0.0
            for frame in (part for whole in container.decode(stream) for part in packed.resample(whole)):
                loud = np.abs(frame.to_ndarray().reshape(-1, frame.layout.nb_channels)).max(axis=1)
                begin = float(frame.pts * frame.time_base) if frame.pts is not None else until
                until = begin + frame.samples / frame.sample_rate
                heard.append((begin + np.arange(frame.samples) / frame.sample_rate, loud))
        times, loud = (np.concatenate(parts) for parts in zip(*heard, strict=True))
        high = times[loud > 0.35 * loud.max()] if len(loud) else times
        starts = high[np.concatenate([[True], np.diff(high) > 0.2])] if len(high) else high
        return starts - float(first)

    return listen


@pytest.fixture(scope="session")
def set_matrix() -> Callable[[Path, Sequence[int]], None]:
    """Return a function that writes a display matrix (a, b, c, d) into the picture track of an MP4."""

    def write(path: Path, matrix: Sequence[int]) -> None:
        content = bytearray(path.read_bytes())
        at = content.find(b"tkhd")
        while at >= 0:
            begin = at + 8 + (20 if content[at + 4] == 0 else 32) + 16
            if int.from_bytes(content[begin + 36 : begin + 40], "big"):
                a, b, c, d = (value << 16 for value in matrix)
                nine = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
                content[begin : begin + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in nine)
            at = content.find(b"tkhd", at + 4)
        path.write_bytes(content)

    return write
