"""Measures of a picture that do not depend on who it shows: size, turn, light and perceptual hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm.auto import tqdm

from facelib.embed.quality import turn
from facelib.faces import BOX, Image
from facelib.images import UnreadablePicture, crop, read_image
from facelib.project import Project, write_table

_SEEN = ["light", "whole", "portrait"]
_CROP_MARGIN = 0.2  # of the face's longer side: hair and chin tell pictures apart, the background does not


def measures_file(project: Project) -> Path:
    """Return where the measures of a project's pictures are kept, so that each picture is read once."""
    return project.output / "measures.parquet"


def measure_pictures(table: pd.DataFrame, project: Project, *, progress: bool = True) -> pd.DataFrame:
    """Measure every face of a gallery; what was measured before is taken from `measures.parquet`.

    Args:
        table: The columns of `faces.parquet`.
        project: Its pictures are read, once each, and its output folder keeps the measures.
        progress: Whether to show a progress bar.

    Returns:
        Per row of `table`, with its index: `size` (the shorter side of the face, in pixels), `turn` (-1 to 1: the
        nose's way from the middle of the eyes, 0 facing the camera, beyond 0.5 in profile, negative towards
        the picture's left), `light` (0 to 100: the lightness that a quarter of the face exceeds), and two perceptual
        hashes as uint64, `whole` of the picture and `portrait` of the face with a margin (pHash by imagehash; 0 where
        there is none). Of faces that cannot be measured all is NaN and 0.
    """
    landmarks = np.array([np.asarray(points, np.float32).reshape(5, 2) for points in table["landmarks"]])
    sizes = np.minimum(table["right"] - table["left"], table["bottom"] - table["top"])
    own = pd.DataFrame({"size": sizes, "turn": turn(landmarks.reshape(-1, 5, 2))}, index=table.index)
    keys = _keys(table)
    known = _read_known(project)
    wanted = table[(table["face"] >= 0).to_numpy() & ~keys.isin(known.index).to_numpy()]
    new: dict[str, tuple[float, int, int]] = {}
    groups = wanted.groupby("picture", sort=False)
    for picture, faces in tqdm(
        groups, desc="measures", unit=" pictures", leave=False, disable=not (progress and len(wanted))
    ):
        new |= _measure(project.picture(str(picture)), faces, keys)
    if new:
        known = pd.concat([known, pd.DataFrame.from_dict(new, orient="index", columns=_SEEN).astype(known.dtypes)])
        write_table(known.rename_axis("key").reset_index(), measures_file(project))
    seen = known.reindex(keys)
    seen[["whole", "portrait"]] = seen[["whole", "portrait"]].fillna(0).astype("uint64")
    return own.join(seen.set_axis(table.index))


def _keys(table: pd.DataFrame) -> pd.Series:
    """Return what a face's measures depend on: the file's content and the face's box."""
    boxes = table[BOX].to_numpy(float).round(1).tolist()
    keys = [f"{digest} {box}" for digest, box in zip(table["sha256"], boxes, strict=True)]
    return pd.Series(keys, table.index, dtype="str")


def _read_known(project: Project) -> pd.DataFrame:
    none = pd.DataFrame({"light": np.zeros(0), "whole": np.zeros(0, "uint64"), "portrait": np.zeros(0, "uint64")})
    try:
        return pd.read_parquet(measures_file(project)).set_index("key")[_SEEN].astype(none.dtypes)
    except (OSError, ValueError, KeyError):  # missing or broken: made again
        return none.set_index(pd.Index([], dtype="str"))


def _measure(path: Path, faces: pd.DataFrame, keys: pd.Series) -> dict[str, tuple[float, int, int]]:
    try:
        image = read_image(path)
    except (UnreadablePicture, OSError):  # gone since the table was made
        return {}
    whole = _perceptual_hash(image)
    found = {}
    for row, box in zip(faces.index, faces[BOX].to_numpy(float), strict=True):
        found[keys[row]] = (_light(image, box), whole, _perceptual_hash(crop(image, box, margin=_CROP_MARGIN)))
    return found


def _light(image: Image, box: NDArray[Any]) -> float:
    # A quarter of a face lies brighter than its eyes, brows and beard, whatever the background.
    lab = cv2.cvtColor(crop(image, box, margin=0.0), cv2.COLOR_RGB2LAB)
    return float(np.percentile(lab[..., 0], 75) / 2.55)


def _perceptual_hash(image: Image) -> int:
    import imagehash
    from PIL import Image as PillowImage

    bits = imagehash.phash(PillowImage.fromarray(image)).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
