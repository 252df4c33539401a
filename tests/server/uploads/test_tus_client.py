"""The most used client of the tus protocol, npm's tus-js-client: it is ended, then the server is killed under it."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.waiting import PATIENCE

from ...forked import FACELIB
from ..running import serving

CLIENT = "tus-js-client@4.3.1"
SIZE = 2**28 if os.environ.get("CI") == "true" else 2**26
PIECE = 2**23


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command of a program that uploads by tus-js-client."""
    folder = tmp_path_factory.mktemp("tus")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", CLIENT]
    try:
        subprocess.run(install, cwd=folder, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        reason = f"expected Node.js and npm, which fetches {CLIENT}; on Debian, apt-get install npm: {error!r}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return ["node", shutil.copy(Path(__file__).with_name("upload.mjs"), folder)]


@pytest.fixture
def film(tmp_path: Path, make_film: Callable[..., Path]) -> Path:
    """Return a large film that takes little room: nearly all of it is a hole."""
    path = make_film("film.mp4")
    with path.open("ab") as file:
        file.write((8 + SIZE).to_bytes(4, "big") + b"free")
        file.truncate(file.tell() + SIZE)
    return path


@pytest.fixture
def port() -> Iterator[str]:
    """A port that nobody else is given between the end of one server and the start of the next."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield str(held.getsockname()[1])


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_an_upload_goes_on_after_the_end_of_the_client_and_of_the_server(
    client: list[str], film: Path, port: str, facelib_command: list[str], tmp_path: Path
) -> None:
    options = ["--data-dir", str(tmp_path / "data"), "--output-dir", str(tmp_path / "output"), "--port", port]
    with serving(FACELIB, *options) as (server, address, token):
        headers = {"Authorization": f"Bearer {token}"}
        httpx2.post(
            f"{address}/api/v1/projects", json={"name": "own"}, headers=headers, timeout=PATIENCE
        ).raise_for_status()
        begun = str(tmp_path / "begun.json")
        upload = [*client, f"{address}/api/v1/projects/own/uploads", token, str(film), begun, str(PIECE)]
        first = subprocess.run([*upload, str(SIZE // 3)], capture_output=True, text=True, check=False)
        assert first.returncode == 9, first.stderr
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(upload, **pipes) as second:  # type: ignore[call-overload]
            assert int(second.stdout.readline()) == int(first.stdout.split()[-1]) + PIECE  # it did not start again
            server.kill()
            server.wait()
            with serving(facelib_command, *options, FIRST="no"):
                told, errors = second.communicate()
    assert (second.returncode, int(told.split()[-1])) == (0, film.stat().st_size), errors
    kept = tmp_path / "data" / "own" / "videos" / "film.mp4"
    assert digest(kept) == digest(film)
    kept.unlink()  # unlike the film it takes room on the disk
