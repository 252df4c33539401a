"""Films come whole or not at all, whatever the server does."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from functools import partial as bind

import pytest

from facelib.films.media.decode import UnreadableFilm
from facelib.gather.sources.download import Partial, download
from tests.waiting import wait_until

from .conftest import Film

PAGE = "<!DOCTYPE html><html><body>Please log in</body></html>" + " " * 9000


def fetched(address, folder, limits):
    """Fetch, and return the bytes."""
    whole = download(address, folder, limits=limits)
    found = whole.path.read_bytes()
    assert whole.sha256 == hashlib.sha256(found).hexdigest()
    return found


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_film_comes_whole_under_a_hidden_name(site, content, tmp_path, limits):
    address = site.put("/films/la%20mer.mp4", Film(content))
    assert fetched(address, tmp_path / "videos", limits) == content
    assert all(name.startswith(".la mer.mp4-") for name in leftovers(tmp_path / "videos"))
    # What is here is not asked for again.
    assert fetched(address, tmp_path / "videos", limits) == content
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("film", "ranges"),
    [
        # A connection that breaks twice goes on where it broke.
        ({"cuts": [5000, 1000]}, [None, "bytes=5000-", "bytes=6000-"]),
        # So early that not even the beginning could be looked at.
        ({"cuts": [10]}, [None, "bytes=10-"]),
        ({"cuts": [0]}, [None, None]),
        # A body without a length, in chunks.
        ({"cuts": [5000], "chunked": True}, [None, "bytes=5000-"]),
        # The time of change serves where there is no ETag, or a weak one.
        ({"cuts": [5000], "tag": None, "changed": "Wed, 01 Jan 2020 00:00:00 GMT"}, [None, "bytes=5000-"]),
        ({"cuts": [5000], "tag": 'W/"1"', "changed": "Wed, 01 Jan 2020 00:00:00 GMT"}, [None, "bytes=5000-"]),
        # Where nothing tells the version, a part cannot be trusted: the film is fetched anew.
        ({"cuts": [5000], "tag": None}, [None, None]),
        # A server that ignores Range sends everything again.
        ({"cuts": [5000], "ranges": False}, [None, "bytes=5000-"]),
    ],
)
def test_a_break_is_survived(film, ranges, site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, **film))
    assert fetched(address, tmp_path, limits) == content
    assert site.ranges() == ranges


def test_breaks_without_end_are_survived_as_long_as_something_comes(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, cuts=[1000] * (len(content) // 1000)))
    assert fetched(address, tmp_path, limits) == content
    assert len(site.asked) > limits.attempts


@pytest.mark.parametrize("where", [3000, 8000])
def test_a_killed_fetch_goes_on_and_gives_the_same_film(where, site, content, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: site.stall(asked, content[:where], len(content)))
    code = (
        "import sys; from facelib.gather.sources.download import download; "
        "from facelib.gather.sources.web import WebLimits; "
        "download(sys.argv[1], sys.argv[2], limits=WebLimits(private=True, spare=0))"
    )
    folder = tmp_path / "videos"
    with subprocess.Popen([sys.executable, "-c", code, address, str(folder)]) as process:
        wait_until(lambda: Partial.find(address, folder).size == where)
        process.kill()
    site.put("/film.mp4", Film(content))
    assert fetched(address, folder, limits) == content
    assert site.ranges() == [None, f"bytes={where}-"]


@pytest.mark.parametrize("honest", [True, False])
def test_a_film_that_changes_in_between_is_fetched_anew(honest, site, content, make_film, tmp_path, limits):
    other = make_film("other.mp4", frames=70).read_bytes()
    address = site.put("/film.mp4", Film(content, cuts=[5000]))
    with pytest.raises(ConnectionError):
        download(address, tmp_path / "v", limits=replace(limits, attempts=1))
    # An honest server sees that If-Range no longer fits; another one sends the rest of the other film.
    changed = Film(other, tag='"2"')
    changed._start = changed._start if honest else lambda asked: 5000 if "Range" in asked.headers else 0
    site.put("/film.mp4", changed)
    assert fetched(address, tmp_path / "v", limits) == other


def test_a_rest_of_another_length_is_not_joined(site, content, tmp_path, limits):
    """The tag stays the same, the film does not."""
    address = site.put("/film.mp4", Film(content[:-100], cuts=[5000]))
    with pytest.raises(ConnectionError):
        download(address, tmp_path / "v", limits=replace(limits, attempts=1))
    site.put("/film.mp4", Film(content))
    assert fetched(address, tmp_path / "v", limits) == content
    assert site.ranges() == [None, "bytes=5000-", None]


@pytest.mark.parametrize("chunked", [False, True])  # with a length, and without
def test_all_bytes_were_here_when_it_was_killed(chunked, site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, chunked=chunked))
    whole = download(address, tmp_path / "v", limits=limits)
    replace(whole, sha256="").keep()
    assert fetched(address, tmp_path / "v", limits) == content
    assert site.ranges() == [None, f"bytes={len(content)}-"]


def test_a_part_that_nobody_asked_for_is_not_joined(site, content, tmp_path, limits):
    film = Film(content, tag=None, cuts=[5000])
    whole = {"Content-Length": str(len(content)), "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}

    def answer(asked):
        if len(site.asked) != 2:
            return film(asked)
        asked.begin(206, whole)
        return asked.send(content)

    assert fetched(site.put("/film.mp4", answer), tmp_path, limits) == content


def test_more_is_here_than_there(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content))
    whole = download(address, tmp_path / "v", limits=limits)
    replace(whole, sha256="").keep()
    whole.path.write_bytes(content + b"more")
    assert fetched(address, tmp_path / "v", limits) == content


def test_a_length_that_is_never_reached(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, length=len(content) + 10, ranges=False))
    with pytest.raises(ConnectionError, match=r"gave up after 3 attempts.*are kept; run it again"):
        download(address, tmp_path, limits=limits)


def test_a_length_too_short_gives_no_half_film(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, length=5000))
    with pytest.raises(UnreadableFilm, match=r"film\.mp4.*cannot be decoded"):
        download(address, tmp_path / "v", limits=limits)
    assert leftovers(tmp_path / "v") == []


def test_a_body_without_end_is_cut_at_the_limit(site, content, tmp_path, limits):
    def flood(asked):
        asked.begin(200, {"Transfer-Encoding": "chunked"})
        asked.send(content, chunked=True, end=False)
        while not site.stopping.is_set():
            asked.send(b"\0" * 100_000, chunked=True, end=False)

    address = site.put("/film.mp4", flood)
    with pytest.raises(OSError, match=r"at most 1 MB.*at least 1\.\d+ MB; raise largest_download"):
        download(address, tmp_path / "v", limits=replace(limits, largest=10**6))
    assert leftovers(tmp_path / "v") == []


def test_memory_does_not_grow_with_the_film(site, content, tmp_path, limits):
    def long(asked):
        asked.begin(200, {"Content-Length": str(len(content) + 40 * 10**6)})
        asked.send(content)
        for _ in range(400):
            asked.wfile.write(bytes(10**5))

    tracemalloc.start()
    try:
        download(site.put("/film.mp4", long), tmp_path, limits=limits)
        assert tracemalloc.get_traced_memory()[1] < 4 * 10**6
    finally:
        tracemalloc.stop()


def test_too_large_a_film_is_refused_before_it_comes(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content))
    with pytest.raises(OSError, match="raise largest_download"):
        download(address, tmp_path / "v", limits=replace(limits, largest=1000))
    assert leftovers(tmp_path / "v") == []


def test_a_full_disk_is_told_before_it_is_full(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content))
    with pytest.raises(OSError, match=r"PB free on the disk.*found .*; free some space"):
        download(address, tmp_path, limits=replace(limits, spare=10**18))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAGE, "a web page"),
        ("short <b>text</b>", "a file of another kind"),
        ("", "an empty file"),
        ("#EXTM3U\nhttp://127.0.0.1/secret.ts", "a playlist"),
        ("ffconcat version 1.0\nfile /etc/passwd", "a playlist"),
        ('{"error": "expired"}', "a JSON document"),
        ('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', "a playlist"),
    ],
)
def test_what_is_not_a_film_is_refused_and_not_kept(body, kind, site, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: asked.send_text(body, kind="video/mp4"))
    with pytest.raises(UnreadableFilm, match=f"expected a film from '{address}', got {kind}"):
        download(address, tmp_path / "v", limits=limits)
    assert leftovers(tmp_path / "v") == []


def test_a_page_is_refused_before_the_rest_of_it_is_sent(site, tmp_path, limits):
    body = PAGE.encode()
    address = site.put("/film.mp4", lambda asked: site.stall(asked, body, 10**9))
    with pytest.raises(UnreadableFilm, match="a web page"):
        download(address, tmp_path, limits=limits)


def test_a_film_whose_inside_is_broken_is_refused(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content[:100] + bytes(len(content))))
    with pytest.raises(UnreadableFilm, match="cannot be decoded"):
        download(address, tmp_path / "v", limits=limits)
    assert leftovers(tmp_path / "v") == []


def test_a_server_that_goes_silent_is_given_up_and_its_part_kept(site, content, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: site.stall(asked, content[:5000], len(content)))
    with pytest.raises(ConnectionError, match=r"timed out.*5000 bytes are kept"):
        download(address, tmp_path, limits=replace(limits, timeout=1.0, attempts=2))
    site.put("/film.mp4", Film(content))
    assert fetched(address, tmp_path, limits) == content


def test_a_server_that_dribbles_counts_as_broken(site, content, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: site.dribble(asked, content))
    with pytest.raises(ConnectionError, match=r"only \d+ bytes came"):
        download(address, tmp_path, limits=replace(limits, timeout=1.0, attempts=1))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_out_of_order_for_a_while(status, site, content, tmp_path, limits):
    film, troubles = Film(content, cuts=[5000]), [None, status, status]

    def answer(asked):
        trouble = troubles.pop(0) if troubles else None
        film(asked) if trouble is None else asked.send_text("later", status=trouble)

    assert fetched(site.put("/film.mp4", answer), tmp_path, replace(limits, attempts=4)) == content
    # What was here before the trouble was kept.
    assert site.ranges() == [None, "bytes=5000-", "bytes=5000-", "bytes=5000-"]


def test_a_server_that_stays_out_of_order(site, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: asked.send_text("never", status=500))
    with pytest.raises(ConnectionError, match=r"gave up after 3 attempts.*500"):
        download(address, tmp_path, limits=limits)
    assert len(site.asked) == 3


@pytest.mark.parametrize("status", [204, 401, 403, 404, 410])
def test_a_refusal_is_final(status, site, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: asked.begin(status, {"Content-Length": "0"}))
    with pytest.raises(OSError, match=rf"expected a film at '{address}', the server answered {status}"):
        download(address, tmp_path, limits=limits)
    assert len(site.asked) == 1


def test_waits_grow_and_heed_the_server(limits):
    assert [replace(limits, first_wait=1.0).wait_before(attempt) for attempt in (2, 3, 4)] == [1.0, 2.0, 4.0]
    assert limits.wait_before(2, asked=30.0) == 30.0
    assert limits.wait_before(10**6, asked=10**9) <= 60


def test_a_film_packed_with_gzip_is_refused(site, content, tmp_path, limits):
    address = site.put("/film.mp4", lambda asked: asked.begin(200, {"Content-Encoding": "gzip", "Content-Length": "0"}))
    with pytest.raises(OSError, match="packed as 'gzip'"):
        download(address, tmp_path, limits=limits)


def test_nobody_is_there(site, tmp_path, limits):
    address = site.address("/film.mp4").replace(str(site.server_port), "1")
    with pytest.raises(ConnectionError, match="refused"):
        download(address, tmp_path, limits=limits)


def test_notes_that_make_no_sense_are_passed_over(site, content, tmp_path, limits):
    address = site.put("/film.mp4", Film(content, cuts=[5000]))
    with pytest.raises(ConnectionError):
        download(address, tmp_path, limits=replace(limits, attempts=1))
    Partial.find(address, tmp_path).note.write_text('{"validator": "1", "nonsense": [')
    assert fetched(address, tmp_path, limits) == content


def test_redirects_are_followed_and_bounded(site, content, tmp_path, limits):
    def to(asked, target):
        asked.begin(302, {"Location": target, "Content-Length": "0"})

    site.put("/film.mp4", Film(content, cuts=[5000]))
    assert fetched(site.put("/a", bind(to, target="/film.mp4")), tmp_path, limits) == content
    with pytest.raises(ValueError, match="at most 5 redirects"):
        download(site.put("/b", bind(to, target="/b?again")), tmp_path, limits=limits)
    with pytest.raises(ValueError, match="http"):
        download(site.put("/c", bind(to, target="file:///etc/passwd")), tmp_path, limits=limits)
