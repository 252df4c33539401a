"""Mutated films and pictures in a child process: none ends it, holds it up, fills the memory, or leaves half a file.

Films go through the whole step of notebook 05: searched, named, drawn and exported.

`FUZZ=500 pytest tests/films/test_mutated_files.py` tries five hundred of them instead of a few.
"""

from __future__ import annotations

import io
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelib.project import Project
from tests.waiting import PATIENCE

COUNT = int(os.environ.get("FUZZ", "50"))
LONGEST = 120  # seconds that one file may take, on a busy machine
LARGEST = 1500  # MB of memory in use
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-bf", "1"]
FILMS = {
    "film.mp4": [*H264, "-c:a", "aac"],
    "pieces.mp4": [*H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
    "film.mov": ["-c:v", "prores_ks", "-c:a", "pcm_s16le", "-timecode", "01:00:00:00"],
    "film.mkv": [*H264, "-c:a", "flac"],
    "lossless.mkv": ["-c:v", "ffv1", "-c:a", "libvorbis"],
    "film.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    "film.avi": ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "jpeg.avi": ["-c:v", "mjpeg", "-c:a", "pcm_s16le"],
    "film.ts": [*H264, "-c:a", "ac3"],
    "film.mpg": ["-c:v", "mpeg2video", "-c:a", "mp2"],
    "film.mxf": ["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
    "film.flv": ["-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"],
    "film.asf": ["-c:v", "wmv2", "-c:a", "wmav2"],
    "film.ogv": ["-c:v", "libtheora", "-c:a", "libvorbis"],
    "film.gif": ["-an"],
    "film.dv": ["-s", "720x576", "-c:a", "pcm_s16le", "-ar", "48000", "-t", "0.2"],
}
PICTURES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "gif": "GIF", "bmp": "BMP", "jp2": "JPEG2000",
            "avif": "AVIF", "ppm": "PPM"}  # fmt: skip


@pytest.fixture(scope="module")
def demo(make_tuned_demo, tmp_path_factory) -> Project:
    """A project with a recognizer, and with a film of the people that it knows."""
    return make_tuned_demo(tmp_path_factory.mktemp("demo"), 0.4)


@pytest.fixture(scope="module")
def sources(demo, ffmpeg, tmp_path_factory) -> list[Path]:
    """Whole films and pictures of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    inputs = ["-i", demo.videos / "demo.mp4", "-t", "0.6", "-s", "384x216", "-ac", "2"]
    paths = []
    for name, options in FILMS.items():
        pixels = ["-pix_fmt", "yuv420p"] if name not in ("film.gif", "film.mov") else []
        paths.append(ffmpeg(*inputs, *pixels, *options, folder / name))
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    for suffix, kind in PICTURES.items():
        path = folder / f"picture.{suffix}"
        Image.fromarray(noise).save(path, kind)
        paths.append(path)
    return paths


def mutate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Flip, overwrite, cut, repeat or take out bytes of a file, or put another file's beginning before it."""
    data, length = bytearray(content), len(content)
    for _ in range(int(rng.integers(1, 4))):
        at, count = int(rng.integers(length)), int(rng.integers(1, max(2, length // 8)))
        match rng.choice(["flip", "noise", "ends", "cut", "hole", "repeat", "swap", "early"]):
            case "flip":
                for place in rng.integers(0, len(data), int(rng.integers(1, 40))) if data else ():
                    data[place] ^= 1 << int(rng.integers(8))
            case "noise":
                data[at : at + count] = rng.bytes(count)
            case "ends":  # largest and smallest numbers, where lengths and sizes stand
                data[at : at + 4] = bytes([int(rng.choice([0, 127, 128, 255]))]) * 4
            case "cut":
                del data[at:]
            case "hole":
                del data[at : at + count]
            case "repeat":
                data[at:at] = data[at : at + count]
            case "swap":
                size = int(rng.integers(4, 600))
                data[:size] = other[:size]
            case "early":  # most of what matters lies near the beginning
                for place in rng.integers(0, max(1, min(len(data), 1500)), 8) if data else ():
                    data[place] = int(rng.integers(256))
    return bytes(data)


def make_mutants(sources: list[Path], folder: Path) -> list[Path]:
    """Write mutated copies, the same ones every time."""
    contents = {path: path.read_bytes() for path in sources}
    paths = []
    for number in range(COUNT):
        rng = np.random.default_rng(number)
        source, other = sources[number % len(sources)], sources[int(rng.integers(len(sources)))]
        path = folder / f"{number:04}{source.suffix}"
        path.write_bytes(mutate(contents[source], contents[other], rng))
        paths.append(path)
    return paths


class Child:
    """A process that reads the files whose paths it is given, and says of each what became of it."""

    def __init__(self, out: Path, demo: Project) -> None:
        command = [sys.executable, str(Path(__file__)), str(out), str(demo.recognizer)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        assert self.lines.get(timeout=PATIENCE) == "ready\n"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def read(self, path: Path) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=LONGEST)
        except queue.Empty:
            self.process.kill()
            return f"hangs for {LONGEST} s"
        return line.strip() or f"the process ended with {self.process.wait()}"

    def close(self) -> None:
        self.process.kill()
        self.listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait()


@pytest.mark.every_film
def test_mutated_films_and_pictures(sources, demo, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "mutants").mkdir()
    child, wrong = Child(out, demo), []
    outcomes: dict[str, int] = {}
    for path in make_mutants(sources, tmp_path / "mutants"):
        if child.process.poll() is not None:
            child.close()
            child = Child(out, demo)
        said = child.read(path)
        outcome = said.split(":")[0]
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if outcome not in ("named", "read", "refused"):
            wrong.append(f"{path.name}: {said}")
    child.close()
    print(outcomes)
    assert not wrong, "\n".join(wrong)
    assert outcomes["named"] > COUNT / 16 and outcomes["read"] > COUNT / 16 and outcomes["refused"] > COUNT / 16


def memory_in_use() -> int:
    """Return the most megabytes that this process ever held."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) // 1024


class Reader:
    """Reads pictures and films as the notebooks do."""

    def __init__(self, out: Path, recognizer: Path) -> None:
        import facelib
        from facelib.recognize import load_recognizer

        self.project = Project("fuzz", out / "data", out / "output")
        self.project.videos.mkdir(parents=True, exist_ok=True)
        networks = facelib.load_detector(working_size=480), facelib.load_embedder("dlib")
        self.networks = (*networks, *load_recognizer(recognizer))

    def read(self, path: Path) -> str:
        """Return what became of a file: `read`, or `named` where a person of the cast is in it."""
        from facelib.images import read_image

        if path.suffix[1:] in PICTURES and path.suffix != ".gif":
            assert read_image(path).ndim == 3
            return "read"
        film = Path(shutil.copy(path, self.project.videos))
        try:
            return self._film(film)
        finally:
            film.unlink()
            shutil.rmtree(self.project.output, ignore_errors=True)

    def _film(self, film: Path) -> str:
        from facelib.films.exports import FORMATS
        from facelib.films.identify import identify_films
        from facelib.films.present import draw_films, export_films

        found = identify_films([film], self.project, *self.networks, progress=False)
        names = {name for table in found.tracks.values() for name in (*table["person"], *table["cluster"]) if name}
        draw_films(found, dict.fromkeys(names, "#0072B2"), progress=False)
        export_films(found, formats=FORMATS)
        left = [one.name for one in self.project.output.rglob(".*tmp")]
        problem = "; ".join(found.problems.found.values())
        if left or "run it again" in problem:  # what is said of errors that nobody foresaw
            return f"a problem: {problem}, {left} left"
        return "named" if (found.summary["named"] > 0).any() else "read"


def main(out: Path, recognizer: Path) -> None:
    """Read the files that standard input names."""
    import logging

    logging.disable(logging.CRITICAL)
    reader = Reader(out, recognizer)
    print("ready", flush=True)
    for line in io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8"):
        began = time.monotonic()
        try:
            said = reader.read(Path(line.strip()))
        except (ValueError, OSError) as error:
            text = " ".join(str(error).split())
            foreseen = len(text) > 10 and "run it again" not in text
            said = f"refused: {text}" if foreseen else f"a bare {type(error).__name__}: {text!r}"
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if memory_in_use() > LARGEST:
            said = f"takes {memory_in_use()} MB ({said}, {time.monotonic() - began:.1f} s)"
            print(said, flush=True)
            sys.exit(1)
        print(said, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
