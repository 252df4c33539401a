"""What a page does on a widget where something is decided about faces."""

from collections.abc import Sequence
from typing import Any


def ask(board: Any, action: str, faces: Sequence[int] = (), **more: object) -> None:
    """Send what a press sends."""
    board.requests = [{"number": board.handled + 1, "action": action, "faces": list(faces), **more}]
