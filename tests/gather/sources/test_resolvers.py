"""Other packages offer resolvers by entry points."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facelib.gather.sources import MediaResource, find_resolvers, resolve
from facelib.gather.sources.ebucore import EBUCoreResolver

MODULE = """
from facelib.gather.sources import MediaResource

class Shelf:
    def __init__(self, settings):
        self.settings = settings
    def matches(self, address):
        return address.startswith("shelf://")
    def resolve(self, address):
        return MediaResource("https://example.org/" + address[8:] + ".mp4", people=("Ann",))

def broken(settings):
    raise RuntimeError("no shelf here")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package that offers the given resolvers."""

    def put(*points):
        (tmp_path / "someones_shelf.py").write_text(MODULE)
        metadata = tmp_path / "someones_shelf-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: someones-shelf\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("\n".join(["[facelib.resolvers]", *points]))
        monkeypatch.syspath_prepend(str(tmp_path))

    return put


def test_facelibs_own_is_always_there(settings):
    assert any(isinstance(resolver, EBUCoreResolver) for resolver in find_resolvers(settings))


def test_an_installed_package_adds_its_own(install, settings):
    install("shelf = someones_shelf:Shelf")
    assert resolve("shelf://12", settings) == MediaResource("https://example.org/12.mp4", people=("Ann",))
    shelf = next(resolver for resolver in find_resolvers(settings) if resolver.matches("shelf://12"))
    assert shelf.settings is settings


def test_one_of_the_same_name_takes_the_place_of_facelibs(install, settings):
    install("ebucore = someones_shelf:Shelf")
    assert [type(resolver).__name__ for resolver in find_resolvers(settings)] == ["Shelf"]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("a = someones_shelf:broken", "no shelf here"),
        ("a = someones_shelf:missing", "missing"),
        ("a = no_such_module:x", "no_such_module"),
    ],
)
def test_one_that_breaks_is_left_out_and_told(point, reason, install, settings, caplog):
    install(point, "shelf = someones_shelf:Shelf")
    assert resolve("shelf://12", settings).video == "https://example.org/12.mp4"
    assert reason in caplog.text


def test_an_address_that_nobody_knows_is_a_films_own(settings):
    assert resolve("https://example.org/a", settings) == MediaResource("https://example.org/a")


def test_with_an_endpoint_only_addresses_of_films_are_films(site, settings):
    asking = replace(settings, sparql_endpoint=site.address("/sparql"))
    assert resolve("https://example.org/a.mp4", asking) == MediaResource("https://example.org/a.mp4")
    with pytest.raises(OSError, match="404"):
        resolve("https://example.org/a", asking)
