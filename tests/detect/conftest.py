"""Pictures with faces whose place is known."""

import cv2
import numpy as np
import pytest

FACE = (180, 66, 266, 172)  # left, top, right, bottom of the face in the astronaut's portrait


@pytest.fixture(scope="session")
def two_sizes(portrait: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a face of about 115 pixels at the left and one of 46 at the right, and their boxes."""
    canvas = np.full((300, 560, 3), 90, np.uint8)
    part = portrait[20:270, 90:340]
    boxes = []
    for factor, x, y in ((1.05, 10, 20), (0.42, 400, 80)):
        small = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        boxes.append((np.array(FACE) - np.array([90, 20, 90, 20])) * factor + np.array([x, y, x, y]))
    return canvas, np.array(boxes, np.float32)
