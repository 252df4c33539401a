"""How far a notebook is, as a fraction, with the time left."""

from __future__ import annotations

import re

from facelib.pipeline.progress import Progress


def fraction_of(progress: Progress) -> float:
    """Return how far a notebook is, from 0 to 1, by its cells and the outermost bar of the present one.

    Example:
        >>> fraction_of(Progress(3, 4, ("film.mp4: 40% 120/300 [00:10<00:15, 12.00 frames/s]",)))
        0.6
    """
    within = re.search(r"(\d+)%", progress.bars[0]) if progress.bars else None
    return (progress.cell - 1 + (int(within[1]) / 100 if within else 0.0)) / max(progress.cells, 1)


def time_left(progress: Progress) -> float | None:
    """Return the seconds that the outermost bar says are left; None when it says nothing.

    Example:
        >>> time_left(Progress(3, 4, ("film.mp4: 40% 120/300 [00:10<01:02:15, 12.00 frames/s]",)))
        3735.0
    """
    told = re.search(r"<([\d:]+)", progress.bars[0]) if progress.bars else None
    if told is None:
        return None
    seconds = 0.0
    for part in told[1].split(":"):
        seconds = seconds * 60 + int(part)
    return seconds
