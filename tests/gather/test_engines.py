"""The engines' pages are read as icrawler reads them, and an engine in trouble says so and stops nothing."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from facelib.gather import ENGINES, find_pictures
from tests.waiting import wait_until

from .conftest import bing_page, endless, put_engine, put_flickr, queries, slow_headers

STEPS = {"bing": 20, "google": 100, "baidu": 30}
MANY = [f"http://example.org/{number}.jpg" for number in range(150)]


@pytest.mark.parametrize("engine", ["bing", "google", "baidu"])
def test_page_after_page_until_there_are_enough(engine, site, limits):
    base = put_engine(site, engine, MANY, step=STEPS[engine])
    found = find_pictures("Ada Lovelace & Co", engine, 110, words="portrait", limits=limits, address=base)
    assert (list(found.addresses), found.problem) == (MANY[:110], "")
    asked = queries(site)
    assert len(asked) == -(-110 // STEPS[engine])
    assert {query.get("q") or query["word"] for query in asked} == {"Ada Lovelace & Co portrait"}


@pytest.mark.parametrize("engine", ["bing", "google", "baidu"])
def test_an_engine_with_fewer_is_asked_until_a_page_brings_nothing(engine, site, limits):
    base = put_engine(site, engine, MANY[: STEPS[engine] + 3], step=STEPS[engine])
    found = find_pictures("Ada", engine, 110, limits=limits, address=base)
    assert (len(found.addresses), found.problem) == (STEPS[engine] + 3, "")


def test_flickr(site, limits, monkeypatch):
    base = put_flickr(site, MANY[:60])
    found = find_pictures("Ada", "flickr", 40, licence="commercial", limits=limits, address=base, key="right")
    assert (list(found.addresses), found.problem) == (MANY[:40], "")
    assert queries(site)[0]["license"] == "4,5,6,7,8,9,10"
    assert len(site.asked) == 41  # one page, and the sizes of no more than are wanted
    monkeypatch.setenv("FLICKR_API_KEY", "right")
    assert find_pictures("Ada", "flickr", 1, limits=limits, address=base).addresses == (MANY[0],)


def test_flickr_says_what_is_wrong_with_the_key(site, limits, monkeypatch):
    wrong = find_pictures("Ada", "flickr", limits=limits, address=put_flickr(site, MANY), key="wrong")
    assert wrong.refused and "Invalid API Key" in wrong.problem
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    asked = len(site.asked)
    assert "set it as FLICKR_API_KEY" in find_pictures("Ada", "flickr", limits=limits).problem
    assert len(site.asked) == asked


@pytest.mark.parametrize(
    ("engine", "licence", "said"),
    [("bing", "publicdomain", "license-L1"), ("google", "commercial,modify", "sur:fmc")],
)
def test_the_licence_is_asked_for(engine, licence, said, site, limits):
    base = put_engine(site, engine, MANY, step=20)
    find_pictures("Ada", engine, 5, licence=licence, limits=limits, address=base)
    assert said in site.asked[0][1].replace("%3A", ":")


@pytest.mark.parametrize(("engine", "licence"), [("baidu", "commercial"), ("google", "publicdomain")])
def test_an_engine_that_cannot_choose_the_licence_is_not_asked(engine, licence, site, limits):
    base = put_engine(site, engine, MANY, step=20)
    found = find_pictures("Ada", engine, licence=licence, limits=limits, address=base)
    assert found.addresses == () and licence in found.problem
    assert site.asked == []


CHANGED = {
    "no results": lambda asked: asked.send_text("<html><body>Nothing here</body></html>"),
    "nothing at all": lambda asked: asked.send_text(""),
    "a link without what is known": lambda asked: asked.send_text('<div class="imgpt"></div>'),
    "another kind of data": lambda asked: asked.send_text('{"data": 5, "stat": 3}'),
    "garbage": lambda asked: asked.send_text("\x00\ufffd" * 1000),
    "halves of addresses": lambda asked: asked.send_text(
        bing_page(["javascript:a.jpg", 'http://a" b.jpg', "http://[::1.jpg", "http://" + "a" * 3000])
        + "<script>http:.jpg http://x y.png \\x</script>"
    ),
}


@pytest.mark.parametrize("changed", CHANGED)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_that_has_changed_is_told(engine, changed, site, limits):
    for path in ("images/async", "search", "search/acjson", "services/rest/"):
        site.put(f"/{path}", CHANGED[changed])
    found = find_pictures("Ada", engine, 5, limits=limits, address=site.address(""), key="any")
    assert found.addresses == ()
    assert found.problem.startswith(engine)


TROUBLE = {
    "refuses": (lambda asked: asked.send_text("no robots", status=403), "403"),
    "has enough of us": (lambda asked: asked.send_text("later", status=429), "429"),
    "sends one letter now and then": (slow_headers, "in 1 s"),
    "says nothing": (lambda asked: asked.server.stopping.wait(), "timed out"),
    "never ends": (endless, "larger than 4 MB"),
    "goes in circles": (lambda asked: asked.begin(302, {"Location": asked.path, "Content-Length": "0"}), "redirects"),
    "hangs up": (lambda asked: setattr(asked, "close_connection", True), "closed connection"),
}


SHORT = {"sends one letter now and then": {"longest": 1.0}, "says nothing": {"timeout": 1.0}}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_an_engine_in_trouble_says_so(trouble, site, limits):
    answer, said = TROUBLE[trouble]
    site.put("/images/async", answer)
    threads, short = threading.active_count(), replace(limits, **SHORT.get(trouble, {}))
    found = find_pictures("Ada", "bing", limits=short, address=site.address(""))
    assert found.refused and found.problem.startswith("bing did not answer as it should") and said in found.problem
    site.stopping.set()
    wait_until(lambda: threading.active_count() <= threads)  # the server's own


def test_what_was_found_before_an_engine_breaks_is_kept(site, limits):
    def answer(asked):
        asked.send_text(
            bing_page(MANY[:20]) if "first=0" in asked.path else "", status=200 + 300 * ("=20" in asked.path)
        )

    site.put("/images/async", answer)
    found = find_pictures("Ada", "bing", 40, limits=limits, address=site.address(""))
    assert list(found.addresses) == MANY[:20]
    assert "500" in found.problem


def test_an_engine_may_not_lead_to_a_private_machine(site, limits):
    base = put_engine(site, "bing", MANY, step=20)
    found = find_pictures("Ada", "bing", limits=replace(limits, private=False), address=base)
    assert "private_addresses = True" in found.problem
    assert site.asked == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "name of a person"),
        ({"engine": "altavista"}, "one of the engines"),
        ({"licence": "mine"}, "one of the licences"),
        ({"max_num": 0}, "from 1 to 1000, got 0"),
    ],
)
def test_what_cannot_be_asked(given, said):
    with pytest.raises(ValueError, match=said):
        find_pictures(**{"name": "Ada", "engine": "bing"} | given)


def test_without_icrawler_it_is_told_what_to_install(limits, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "icrawler.builtin.bing", None)
    with pytest.raises(ModuleNotFoundError, match="pip install icrawler"):
        find_pictures("Ada", "bing", limits=limits)
