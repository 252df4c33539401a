"""A web server on loopback that plays search engines and the sites that they find pictures on."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.gather.sources import WebLimits
from facelib.gather.sources.small import SMALL_LIMITS
from facelib.project import Project
from tests.waiting import PATIENCE

from .sources.conftest import Answer, Asked, Site
from .sources.conftest import site as site  # the fixture

__all__ = ["Asked", "Site"]


@pytest.fixture
def limits() -> WebLimits:
    """Loopback allowed, and time for a busy machine; what waits for a limit of time in vain sets a short one."""
    return replace(SMALL_LIMITS, private=True, first_wait=0.001, timeout=PATIENCE, longest=PATIENCE, spare=0)


@pytest.fixture
def project(tmp_path) -> Project:
    return Project("cast", tmp_path / "data", tmp_path / "output")


def picture_bytes(seed: int, *, size: tuple[int, int] = (96, 80), kind: str = "JPEG") -> bytes:
    """Return the file of a picture of its own for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).resize(size).save(buffer, kind)
    return buffer.getvalue()


def sends(content: bytes, *, kind: str = "image/jpeg", length: int | None = None) -> Answer:
    """Return an answer: these bytes, and what is said of them."""

    def answer(asked: Asked) -> None:
        asked.begin(200, {"Content-Type": kind, "Content-Length": str(len(content) if length is None else length)})
        asked.wfile.write(content)
        asked.close_connection = True

    return answer


def endless(asked: Asked) -> None:
    """Send without end."""
    asked.begin(200, {"Content-Type": "image/jpeg"})
    block = picture_bytes(0) + bytes(1_000_000)
    while True:  # until the client hangs up
        asked.wfile.write(block)


def slow_headers(asked: Asked) -> None:
    """Send one letter of a header now and then: no silence is ever long enough for a socket's timeout."""
    asked.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not asked.server.stopping.wait(0.05):
        asked.wfile.write(b"a")


def bing_page(addresses: Sequence[str]) -> str:
    """Return a page of results as Bing's are: one link a picture, with what is known of it as JSON in an attribute."""
    known = [html.escape(json.dumps({"murl": one}, separators=(",", ":"))) for one in addresses]
    items = "".join(f'<div class="imgpt"><a class="iusc" m="{one}"></a></div>' for one in known)
    return f"<html><body>{items}</body></html>"


def google_page(addresses: Sequence[str]) -> str:
    """Return a page as Google's are: the addresses in lists within a script."""
    listed = ",".join(f'["{one}",80,96]' for one in addresses)
    return f"<html><script>var first = 1;</script><script>AF_initDataCallback({{data:[{listed}]}});</script></html>"


def baidu_page(addresses: Sequence[str]) -> str:
    """Return an answer as Baidu's are: JSON whose last item is empty."""
    return json.dumps({"data": [{"hoverURL": one} for one in addresses] + [{}]})


def put_engine(site: Site, engine: str, addresses: Sequence[str], *, step: int) -> str:
    """Play an engine that shows `step` results a page; return its address."""
    path, first, page = {
        "bing": ("/images/async", "first", bing_page),
        "google": ("/search", "start", google_page),
        "baidu": ("/search/acjson", "pn", baidu_page),
    }[engine]

    def answer(asked: Asked) -> None:
        start = int(parse_qs(urlsplit(asked.path).query)[first][0])
        asked.send_text(page(addresses[start : start + step]))

    site.put(f"/{engine}{path}", answer)
    return site.address(f"/{engine}")


def put_flickr(site: Site, addresses: Sequence[str], *, key: str = "right") -> str:
    """Play Flickr's interface: a search, and the sizes of each picture it names."""

    def answer(asked: Asked) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        if given["api_key"] != key:
            said: dict[str, Any] = {"stat": "fail", "code": 100, "message": "Invalid API Key (Key has invalid format)"}
        elif given["method"] == "flickr.photos.search":
            numbers = range(len(addresses)) if given["page"] == "1" else range(0)
            said = {"stat": "ok", "photos": {"photo": [{"id": str(number)} for number in numbers]}}
        else:
            source = addresses[int(given["photo_id"])]
            said = {"stat": "ok", "sizes": {"size": [{"label": "Large", "source": source}]}}
        asked.send_text(json.dumps(said), kind="application/json")

    site.put("/flickr/services/rest/", answer)
    return site.address("/flickr")


def queries(site: Site) -> list[dict[str, str]]:
    """Return what each request so far asked for."""
    asked = [parse_qs(urlsplit(path).query) for _, path, _ in site.asked]
    return [{name: values[0] for name, values in each.items()} for each in asked]
