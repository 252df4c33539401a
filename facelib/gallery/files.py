"""The gallery on disk: `faces.parquet`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facelib.faces import BOX, FloatArray
from facelib.project import atomic_write

if TYPE_CHECKING:
    from facelib.embed import Embedder

COLUMNS = (
    "picture", "sha256", "face", "person", "left", "top", "right", "bottom", "score",
    "landmarks", "sharpness", "embedding", "used", "reason",
)  # fmt: skip
_METADATA = ("detector", "embedder", "weights_sha256")


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """The table of known faces, and what it was made with.

    Attributes:
        table: `faces.parquet`, one row per face.
        detector: Name of the detector that found the faces.
        embedder: Name of the network that made the embeddings.
        weights_sha256: Of that network's weights.
        threshold: That network's own distance at which two faces stop being one person's; NaN where nobody measured
            it, None where the file does not say.
    """

    table: pd.DataFrame
    detector: str
    embedder: str
    weights_sha256: str
    threshold: float | None = None

    def save(self, path: str | Path) -> None:
        """Write it; see `write_gallery`."""
        made = {name: getattr(self, name) for name in _METADATA}
        write_gallery(self.table, path, **made, threshold=self.threshold)

    @property
    def used(self) -> pd.DataFrame:
        """The rows that are used, numbered from 0."""
        return self.table[self.table["used"]].reset_index(drop=True)

    @property
    def vectors(self) -> FloatArray:
        """The embeddings of the used rows, `(n, d)` float32.

        Raises:
            ValueError: When no row is used.
        """
        used = self.used["embedding"].to_list()
        if not used:
            raise ValueError(
                "expected a gallery with at least one face in use, got none; "
                "notebook 02_embed_faces lists the reason for each picture that is left out"
            )
        return np.stack(used).astype(np.float32)

    @property
    def names(self) -> NDArray[Any]:
        """The people of the used rows, `(n,)`."""
        return self.used["person"].to_numpy(dtype=object)

    @property
    def pictures(self) -> NDArray[Any]:
        """The pictures of the used rows, `(n,)`, relative to the project's data folder."""
        return self.used["picture"].to_numpy(dtype=object)


def write_gallery(
    table: pd.DataFrame,
    path: str | Path,
    *,
    detector: str,
    embedder: str,
    weights_sha256: str,
    threshold: float | None = None,
) -> None:
    """Write a gallery as Parquet, with what it was made with, see `Gallery`, in the file's metadata.

    With a threshold, decisions about pictures are judged at once and not at the next run.

    Raises:
        OSError: When the folder cannot be written.
    """
    made = dict(zip(_METADATA, (detector, embedder, weights_sha256), strict=True))
    if threshold is not None:
        made["threshold"] = repr(float(threshold))
    dimension = max((len(vector) for vector in table["embedding"]), default=0)
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("picture", "sha256")),
            ("face", pa.int32()),
            ("person", pa.string()),
            *((name, pa.float32()) for name in (*BOX, "score")),
            ("landmarks", pa.list_(pa.float32(), 10)),
            ("sharpness", pa.float32()),
            ("embedding", pa.list_(pa.float32(), dimension)),
            ("used", pa.bool_()),
            ("reason", pa.string()),
        ],
        metadata={f"facelib.{key}": value for key, value in made.items()},
    )
    columns = [pa.array(table[field.name].to_list(), field.type) for field in schema]
    with atomic_write(path) as temporary:
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), temporary)
    partial_file(path).unlink(missing_ok=True)


def read_gallery(path: str | Path) -> Gallery:
    """Read a gallery written by `write_gallery`.

    Raises:
        FileNotFoundError: When there is none.
        ValueError: When the file is no Parquet file, or not a gallery's, or its embeddings are damaged.
    """
    path = Path(path)
    remedy = "run notebook 02_embed_faces"
    if not path.is_file():
        raise FileNotFoundError(f"expected the table of known faces at {str(path)!r}, found none; {remedy} first")
    try:
        stored = pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"expected a Parquet file at {str(path)!r}, got: {error}; {remedy} again") from error
    metadata = {key.decode(): value.decode() for key, value in (stored.schema.metadata or {}).items()}
    wanted = [f"facelib.{key}" for key in _METADATA]
    missing = (set(COLUMNS) - set(stored.column_names)) | (set(wanted) - set(metadata))
    if missing:
        raise ValueError(f"expected a table of known faces at {str(path)!r}, it lacks {sorted(missing)!r}; {remedy}")
    table = stored.select(list(COLUMNS)).replace_schema_metadata().to_pandas()
    if not _is_whole(table):
        raise ValueError(
            f"expected finite boxes, and finite embeddings of one length, at {str(path)!r}, got others; {remedy} again"
        )
    threshold = metadata.get("facelib.threshold")
    detector, embedder, weights_sha256 = (metadata[key] for key in wanted)
    return Gallery(table, detector, embedder, weights_sha256, None if threshold is None else float(threshold))


def find_gallery(path: str | Path) -> Gallery | None:
    """Return the gallery at a path; None where there is none, or the file is broken."""
    try:
        return read_gallery(path)
    except (FileNotFoundError, ValueError):
        return None


def _is_whole(table: pd.DataFrame) -> bool:
    if table["used"].dtype != bool:
        return False
    used = table[table["used"]]
    try:
        return used.empty or all(np.isfinite(np.stack(list(used[name]))).all() for name in (*BOX, "embedding"))
    except (TypeError, ValueError):  # none at all, or of several lengths
        return False


def check_same_network(gallery: Gallery, embedder: Embedder) -> None:
    """Make sure that a gallery's embeddings can be compared with those of `embedder`.

    Raises:
        ValueError: When the gallery was embedded by another network, or by other weights of it.
    """
    if gallery.weights_sha256 != embedder.sha256:
        raise ValueError(
            f"expected a gallery embedded by {embedder.name!r} with weights {embedder.sha256[:12]!r}, got one by "
            f"{gallery.embedder!r} with weights {gallery.weights_sha256[:12]!r}: their distances cannot be "
            f"compared; run notebook 02_embed_faces with this embedder, or choose the gallery's"
        )


def check_same_weights(gallery: Gallery, recognizer: str, weights_sha256: str) -> None:
    """Make sure that a recognizer was fitted on embeddings of the gallery's network.

    Raises:
        ValueError: When they are of different networks, or of other weights of one.
    """
    if gallery.weights_sha256 != weights_sha256:
        raise ValueError(
            f"expected a recognizer fitted on the gallery's embeddings by {gallery.embedder!r} with weights "
            f"{gallery.weights_sha256[:12]!r}, got one on those by {recognizer!r} with weights "
            f"{weights_sha256[:12]!r}: their distances cannot be compared; run notebook 04_tune_threshold again"
        )


def partial_file(path: str | Path) -> Path:
    """Return where a gallery in the making lies, beside the finished one at `path`."""
    return Path(path).with_suffix(".partial.parquet")
