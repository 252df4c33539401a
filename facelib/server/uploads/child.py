"""An uploaded file looked at in a process that can do little else: `python -m facelib.server.uploads.child`.

What is to be looked at comes as JSON on standard input; what was found goes as JSON to standard output. The process has
little memory and time, writes no file, starts no program, and reaches no network.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from facelib.project.processes import answer_parent

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # Linux's CLONE_NEWNET and CLONE_NEWUSER
_REFUSED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")


def main() -> None:
    """Look at the file that standard input names."""
    asked, tell = answer_parent()
    _limit(asked["memory_gb"], asked["seconds"])
    try:
        tell(_look_at_film(asked) if asked["kind"] == "film" else _look_at_picture(asked))
    except MemoryError:
        tell({"problem": f"it needs more than {asked['memory_gb']:g} GB of memory to be read"})
    except Exception as error:  # decoders fail in many ways on broken files
        said = _without_path(str(error), asked["path"]).removeprefix("expected a picture, could not read: ")
        tell({"problem": f"it cannot be read: {said}"})


def _look_at_film(asked: dict[str, Any]) -> dict[str, str]:
    from facelib.project.content import moving_streams, open_container, why_no_film

    path = Path(asked["path"])
    reason = why_no_film(path)
    if reason:
        return {"problem": f"it is {reason}"}
    with open_container(path) as container:
        streams = moving_streams(container)
        if not streams:
            return {"problem": "it has no moving pictures"}
        stream = streams[0]
        size = (stream.codec_context.width, stream.codec_context.height)
        if size[0] * size[1] > asked["most_pixels"]:
            return {"problem": _too_large(*size, asked["most_pixels"])}
        next(container.decode(stream))
        return {"format": container.format.name}


def _look_at_picture(asked: dict[str, Any]) -> dict[str, str]:
    from PIL import Image

    from facelib.images import check_picture
    from facelib.images.reading import open_picture

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, with our message
    with open_picture(asked["path"]) as picture:
        size = picture.size
    if size[0] * size[1] > asked["most_pixels"]:
        return {"problem": _too_large(*size, asked["most_pixels"])}
    return {"format": check_picture(asked["path"])[2]}


def _without_path(text: str, path: str) -> str:
    """Return what a decoder says without where the server keeps the file meanwhile."""
    for one in (f": 'file:{path}'", f" {path!r}", path):
        text = text.replace(one, "")
    return text


def _too_large(width: int, height: int, most: int) -> str:
    return f"its pictures are {width} x {height}, more than the {most / 1e6:.0f} million pixels that are taken"


def _limit(memory_gb: float, seconds: float) -> None:
    """Take away from this process what it does not need; what the system cannot take away stays."""
    import facelib.images.reading
    import facelib.project.content  # noqa: F401  # later, no thread pool can be started

    with suppress(OSError, AttributeError):  # a network of its own, without any connection
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NETWORK) != 0:
            libc.unshare(_NEW_USER | _NEW_NETWORK)
    with suppress(ImportError, ValueError, OSError):
        import resource

        memory = int(memory_gb * 2**30)
        for what, most in (
            (resource.RLIMIT_DATA, memory),
            (resource.RLIMIT_CPU, int(seconds)),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (most, most))
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(f"expected nothing but reading, got {event!r}")


if __name__ == "__main__":
    main()
    os._exit(0)
