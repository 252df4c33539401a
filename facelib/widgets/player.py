"""A film inside a notebook."""

from __future__ import annotations

import os
from pathlib import Path

from IPython.display import Video


def film_player(path: str | Path, *, width: int = 800, largest_embedded: float = 20e6) -> Video:
    """Show a film in the page; a small one travels inside the notebook and its report.

    Args:
        path: An MP4 that browsers play.
        width: Pixels on the page.
        largest_embedded: Bytes up to which the film is put into the page itself; a larger one is played from
            its file, which JupyterLab finds only inside the folder it was started in.

    Raises:
        FileNotFoundError: When there is no such film.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected an annotated film at {str(path)!r}, found none; run 05 with draw on")
    embedded = path.stat().st_size <= largest_embedded
    where = str(path) if embedded else os.path.relpath(path)
    attributes = f'controls preload="metadata" style="width:{width}px;max-width:100%"'
    return Video(where, embed=embedded, mimetype="video/mp4", html_attributes=attributes)  # type: ignore[no-untyped-call]
