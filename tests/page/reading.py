"""What was written for a page, read back as a browser would."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np


def read_script(path: Path) -> tuple[str, Any]:
    """Return the key and the value that a data script hands to the page."""
    call = path.read_text(encoding="utf-8").split("facelibData(", 1)[1].removesuffix(");\n")
    key, end = json.JSONDecoder().raw_decode(call)
    return key, json.loads(call[end:].removeprefix(", "))


def unpacked(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["data"]), np.dtype(packed["kind"]).newbyteorder("<"))


def sums(differences: np.ndarray) -> np.ndarray:
    """Return the numbers whose differences were kept, as the page adds them up."""
    return np.cumsum(differences, axis=0, dtype=differences.dtype)


def frame_times(film: dict[str, Any]) -> np.ndarray:
    times = film["times"]
    return times["start"] + np.append(0, np.cumsum(unpacked(times["steps"]).astype(np.int64))) / 1e6


def all_boxes(film: dict[str, Any]) -> dict[tuple[int, int], np.ndarray]:
    """Return the box of every track and frame, by the track's number in the table and the frame's."""
    keys, times = film["keys"], frame_times(film)
    offsets, frames = unpacked(keys["offsets"]), sums(unpacked(keys["frames"]))
    boxes = sums(unpacked(keys["boxes"]).reshape(-1, 4)) * keys["unit"]
    found = {}
    for place, track in enumerate(unpacked(film["tracks"]["track"])):
        for key in range(offsets[place], offsets[place + 1]):
            start = int(frames[key] >> 1)
            found[int(track), start] = boxes[key]
            if frames[key] & 1:
                continue
            for frame in range(start + 1, int(frames[key + 1] >> 1)):
                share = (times[frame] - times[start]) / (times[frames[key + 1] >> 1] - times[start])
                found[int(track), frame] = boxes[key] + share * (boxes[key + 1] - boxes[key])
    return found
