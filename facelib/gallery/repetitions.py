"""Near duplicates: pictures of one moment, cropped, shrunk, or saved again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

# Bits of 64 that differ. Measured with dlib's embedding: shrunk, recompressed, brighter, grey and cut copies of 80
# pictures are found to 99 %, mirrored ones to 34 %; of 13,855 pairs of one person's pictures in LFW 3 are taken for
# repetitions, 2 of them of one moment.
_MOST_BITS_WHOLE = 6
_MOST_BITS_PORTRAIT = 8
# Distances in thresholds of the embedder: with equal pictures, with equal faces, and alone.
_ALIKE_WHOLE = 0.63
_ALIKE_PORTRAIT = 0.52
_ALIKE_ALONE = 0.4
# The same as parts of the median distance between a person's faces, or where all pictures are of one day each would
# repeat each.
_PART_OF_MEDIAN = 0.6
_PART_OF_MEDIAN_ALONE = 0.5
_FEWEST_FOR_MEDIAN = 4


def find_repetitions(faces: pd.DataFrame, *, threshold: float = math.nan) -> pd.DataFrame:
    """Find faces that repeat a better one of the same person.

    Two faces show one moment when their embeddings are near and the pictures or the faces have nearly the same
    perceptual hash, or when the embeddings are nearer than those of different moments.

    Args:
        faces: `person`, `embedding`, `worth` (of two alike the one with more is kept), and `whole` and `portrait` of
            `measure_pictures`.
        threshold: The embedder's own. With NaN the hashes alone decide.

    Returns:
        One row per face that repeats another, with its index in `faces`: `of` (the index of the one that is kept) and
        `sameness` (0 to 1).
    """
    rows = []
    for _, own in faces.groupby("person", sort=True):
        order = own.sort_values("worth", ascending=False, kind="stable")
        sameness = _sameness(order, threshold)
        kept = np.zeros(len(order), bool)
        for row, alike in enumerate(sameness):
            other = int(np.where(kept, alike, 0).argmax())
            if kept[other] and alike[other] > 0:
                rows.append((order.index[row], order.index[other], alike[other]))
            else:
                kept[row] = True
    table = pd.DataFrame(rows, columns=pd.Index(["face", "of", "sameness"]))
    return table.set_index("face")


def _sameness(faces: pd.DataFrame, threshold: float) -> NDArray[Any]:
    """Return how much each face repeats each other, 0 to 1, `(n, n)`; 0 for those that do not."""
    distances = pairwise_distances(np.stack(faces["embedding"].to_list()))
    whole = _bits(faces["whole"].to_numpy(np.uint64)) <= _MOST_BITS_WHOLE
    portrait = _bits(faces["portrait"].to_numpy(np.uint64)) <= _MOST_BITS_PORTRAIT
    if not math.isfinite(threshold):
        return np.where(whole | portrait, 1.0, 0.0)
    near = distances / threshold
    same = (whole & (near <= _ALIKE_WHOLE)) | (portrait & (near <= _ALIKE_PORTRAIT))
    alone = near <= _ALIKE_ALONE
    if len(faces) >= _FEWEST_FOR_MEDIAN:
        median = np.median(distances[np.triu_indices(len(faces), 1)])
        same &= distances <= _PART_OF_MEDIAN * median
        alone &= distances <= _PART_OF_MEDIAN_ALONE * median
    return np.where(same | alone, 1 - near / 2, 0.0)


def _bits(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return in how many bits each hash differs from each other; a hash of 0 is of nothing, and differs from all."""
    differ: NDArray[np.uint8] = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    differ[(hashes == 0)[:, None] | (hashes == 0)[None, :]] = 64
    return differ
