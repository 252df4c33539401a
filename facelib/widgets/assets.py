"""The scripts and styles of the widgets, put together from shared files and their own."""

from pathlib import Path


def read_assets(*names: str) -> str:
    """Return files of this folder, one after the other, as one text.

    Args:
        names: Scripts alone or styles alone; what is shared comes first.
    """
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)
