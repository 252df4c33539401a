"""The demo's film, its copy with a variable frame rate, and the ground truth of every face in every frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from facelib.demo.figures import Figure
from facelib.demo.script import HEIGHT, SHOTS, WIDTH, SeenFace, frames
from facelib.faces import BOX
from facelib.project import atomic_write, write_table

FRAME_RATE = 25
SAMPLE_RATE = 44_100
TICKS = 1000  # the variable copy counts its times in milliseconds


class _Writer:
    """An MP4 file being written: H.264 and AAC, always with the same bytes for the same content."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(f"file:{path}", "w", options={"movflags": "+faststart", "fflags": "+bitexact"})
        self._video: VideoStream = self._container.add_stream("libx264", rate=FRAME_RATE)
        self._video.width, self._video.height, self._video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # The number of threads changes x264's decisions, so it is not left to the machine.
        self._video.options = {"preset": "veryfast", "crf": "20", "g": "50", "threads": "2"}
        self._video.codec_context.time_base = Fraction(1, TICKS)
        self._audio: AudioStream = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        self._audio.bit_rate = 96_000
        self._samples = 0

    def picture(self, frame: av.VideoFrame, milliseconds: int) -> None:
        """Add a frame at a presentation time."""
        frame.pts, frame.time_base = milliseconds, Fraction(1, TICKS)
        self._container.mux(self._video.encode(frame))

    def sound(self, samples: NDArray[np.float32]) -> None:
        """Add sound after what is there: `(n,)` from -1 to 1."""
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._samples, Fraction(1, SAMPLE_RATE)
        self._samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def close(self, *, whole: bool) -> None:
        """Close the file; what the encoders still hold is written when the film is whole."""
        if whole:
            self._container.mux(self._video.encode(None))
            self._container.mux(self._audio.encode(None))
        self._container.close()


@contextmanager
def _film(path: Path) -> Iterator[_Writer]:
    with atomic_write(path) as temporary:
        writer = _Writer(temporary)
        whole = False
        try:
            yield writer
            whole = True
        finally:
            writer.close(whole=whole)


def write_demo_film(
    figures: tuple[Figure, ...],
    *,
    videos: Path,
    truth: Path,
    frames_per_shot: int = 75,
    seed: int = 0,
) -> Iterator[None]:
    """Write the film and its copy; yields after every frame, so that the caller can show progress.

    `demo.mp4` has exactly 25 frames a second. `demo_vfr.mp4` shows the same with frames left out and
    the others a little early or late, 20 to 140 ms apart; its sound is the same.

    Args:
        figures: The two of the cast, then the strangers.
        videos: Folder for `demo.mp4` and `demo_vfr.mp4`.
        truth: Folder for `demo.csv` and `demo_vfr.csv`: `frame` (0-based), `left top right bottom`, `person`.
        frames_per_shot: At least 2; the film has ten shots.
        seed: Seeds the grain of the film and the irregularity of the copy.
    """
    times = irregular_times(SHOTS * frames_per_shot, seed=seed)
    tune = melody(SHOTS, frames_per_shot / FRAME_RATE).reshape(SHOTS * frames_per_shot, -1)
    steady_truth: list[list[SeenFace]] = []
    varying_truth: list[list[SeenFace]] = []
    with _film(videos / "demo.mp4") as steady, _film(videos / "demo_vfr.mp4") as varying:
        for number, (image, faces) in enumerate(frames(figures, frames_per_shot=frames_per_shot, seed=seed)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            steady.picture(frame, number * TICKS // FRAME_RATE)
            steady.sound(tune[number])
            steady_truth.append(faces)
            if (time := times[number]) is not None:
                varying.picture(frame, time)
                varying_truth.append(faces)
            varying.sound(tune[number])
            yield
    for seen, name in ((steady_truth, "demo.csv"), (varying_truth, "demo_vfr.csv")):
        rows = [(number, *face) for number, faces in enumerate(seen) for face in faces]
        write_table(pd.DataFrame(rows, columns=pd.Index(["frame", *BOX, "person"])), truth / name)


def irregular_times(count: int, *, seed: int = 0) -> list[int | None]:
    """Return when each of `count` frames is shown in the variable copy, in milliseconds; None for one left out.

    Examples:
        >>> irregular_times(1)
        [0]
    """
    rng = np.random.default_rng([seed, 3])
    period = TICKS // FRAME_RATE
    times: list[int | None] = []
    for number in range(count):
        # The first and the last are kept on time, so that both films last equally long.
        if number in {0, count - 1}:
            times.append(number * period)
        elif rng.random() < 0.3 and times[-2:] != [None, None]:
            times.append(None)
        else:
            times.append(number * period + int(rng.integers(-10, 11)))
    return times


def melody(shots: int, seconds: float) -> NDArray[np.float32]:
    """Return a tune with a chord of its own for each shot: `(samples,)` from -1 to 1 at 44,100 samples per second."""
    chords = ((0, 4, 7, 12), (9, 12, 16, 21), (5, 9, 12, 17), (7, 11, 14, 19))  # C, A minor, F, G, in semitones
    length = round(seconds * FRAME_RATE) * (SAMPLE_RATE // FRAME_RATE)
    note_length = SAMPLE_RATE // 4
    time = np.arange(note_length) / SAMPLE_RATE
    swell = np.minimum(time / 0.01, 1) * np.exp(-6 * time) * np.minimum((time[-1] - time) / 0.01, 1)
    parts = []
    for shot in range(shots):
        pitches = 220.0 * 2 ** (np.array(chords[shot % len(chords)])[[0, 1, 2, 3, 2, 1]] / 12)
        tones = np.sin(2 * np.pi * pitches[:, None] * time) + 0.3 * np.sin(4 * np.pi * pitches[:, None] * time)
        bar = (tones * swell).reshape(-1)
        parts.append(np.resize(bar, length))
    return np.clip(0.35 * np.concatenate(parts), -1, 1).astype(np.float32)
