"""Films read in place from S3, by a real server: the same frames as from the disk, in a bounded cache."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import av
import numpy as np
import pytest

from facelib.archive.cluster.child import _film
from facelib.archive.cluster.task import IndexTask
from facelib.films.media.opening import UnreadableFilm
from facelib.films.media.reader import open_reader
from facelib.project import content, ranges
from facelib.project.content import open_container
from facelib.project.ranges import RangedFile, cache_limit, fetched_bytes, open_file, size_of
from facelib.project.store import Store
from tests.serving import running, serving

pytest.importorskip("obstore")

FILMS = Store("s3://films/ranges")
BLOCK = 1 << 16


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Small blocks, so that a small film has many."""
    monkeypatch.setattr(ranges, "_BLOCK", BLOCK)
    ranges._kept_blocks.cache_clear()


def remuxed(source: Path, target: Path, **options: str) -> Path:
    """Write a film into another container, with its sound."""
    with av.open(source) as old, av.open(target, "w", options=options) as new:
        streams = {one.index: new.add_stream_from_template(one) for one in (*old.streams.video, *old.streams.audio)}
        for packet in old.demux():
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


@pytest.fixture(scope="module")
def film(tmp_path_factory, copy_demo) -> Path:
    """A film of a few hundred kilobytes, with sound."""
    return copy_demo(tmp_path_factory.mktemp("demo"), 0.4).videos / "demo.mp4"


def put(path: Path) -> str:
    FILMS.put(path.name, path)
    return f"{FILMS.address}/{path.name}"


def read(place: str | Path) -> tuple[list[float], int, str]:
    """Return the times of a film's frames, the sum of its pixels, and what was lost."""
    with open_reader(place) as reader:
        pixels = [(frame.time, int(frame.image().astype(np.int64).sum())) for frame in reader.frames(count_sound=True)]
        return [time for time, _ in pixels], sum(one for _, one in pixels), reader.problem()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("at_the_end.mp4", {}),
        ("at_the_beginning.mp4", {"movflags": "faststart"}),
        ("in_pieces.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("cues.mkv", {}),
        ("packets.ts", {}),
    ],
)
def test_a_film_in_a_bucket_is_read_as_one_on_the_disk(server, film, tmp_path, name, options):
    local = remuxed(film, tmp_path / name, **options)
    address = put(local)
    assert read(address) == read(local)
    size = local.stat().st_size
    assert size_of(address) == size > 4 * BLOCK
    assert fetched_bytes(address) == size  # each byte once, by all that read it


def test_a_cache_of_two_blocks_gives_the_same(server, film, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_FILM_CACHE", str(2 * BLOCK / 1e9))
    address = put(film)
    assert read(address) == read(film)
    blocks = ranges._blocks_of(address)
    assert os.fstat(blocks._kept.fileno()).st_size <= 2 * BLOCK
    assert fetched_bytes(address) < 4 * film.stat().st_size


def test_a_damaged_film_has_the_same_problem(server, film, tmp_path):
    cut = tmp_path / "cut.mkv"
    whole = remuxed(film, tmp_path / "whole.mkv").read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    told = read(cut)
    assert told[2]
    assert read(put(cut)) == told
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    with pytest.raises(UnreadableFilm, match="expected a film"):
        read(put(text))


def test_bytes_anywhere(server, tmp_path):
    content = np.random.default_rng(0).bytes(5 * BLOCK + 17)
    (tmp_path / "bytes").write_bytes(content)
    file = RangedFile(put(tmp_path / "bytes"))
    for at, count in [(0, 5), (BLOCK - 2, 7), (4 * BLOCK, 10**6), (len(content), 1), (len(content) - 1, 9), (3, 0)]:
        file.seek(at)
        found = b"".join(iter(lambda count=count: file.read(min(count, BLOCK)), b"")) if count > BLOCK else None
        if found is None:
            with open_file(file.name) as buffered:
                buffered.seek(at)
                found = buffered.read(count)
        assert found == content[at : at + count]
    assert file.seek(-3, io.SEEK_END) == len(content) - 3 and file.read(9) == content[-3:]
    assert file.seek(-3, io.SEEK_CUR) == file.tell() == len(content) - 3
    with pytest.raises(FileNotFoundError, match="expected an object at"):
        RangedFile(f"{FILMS.address}/nothing")


def test_a_film_that_changes_while_it_is_read(server, film):
    address = put(film)
    with pytest.raises(OSError, match="it was changed"), open_reader(address) as reader:
        for number, _ in enumerate(reader.frames()):
            if number == 0:
                FILMS.put(film.name, film.read_bytes()[::-1])
    with open_file(address) as exchanged:  # by the same process, which has blocks of the former one
        assert exchanged.read() == film.read_bytes()[::-1]


def test_a_storage_that_goes_away_is_no_end_of_the_film(server, film, monkeypatch):
    monkeypatch.setattr("facelib.project.store._PATIENCE", timedelta(seconds=1))
    address = put(film)
    try:
        with pytest.raises(OSError, match="to answer"), open_reader(address) as reader:
            for number, _ in enumerate(reader.frames()):
                if number == 0:
                    server.kill()
    finally:
        server.start()


def test_a_worker_fetches_a_film_whose_tag_is_not_known_where_it_has_room(server, film, tmp_path, monkeypatch):
    task = IndexTask(
        film=put(film), size=film.stat().st_size, store=f"{FILMS.address}/store", detector={"name": "haar"},
        embedder={"name": "dlib"}, tracking={}, made={"film": "0" * 64},
    )  # fmt: skip
    with pytest.raises(OSError, match="it was changed"):
        _film(task, tmp_path)
    monkeypatch.setenv("FACELIB_FILM_CACHE", "0.0001")
    with pytest.raises(OSError, match=r"expected room for .*raise FACELIB_FILM_CACHE"):
        _film(task, tmp_path)


@pytest.mark.parametrize("given", ["0", "-1", "much"])
def test_a_cache_of_no_size(monkeypatch, given):
    monkeypatch.setenv("FACELIB_FILM_CACHE", given)
    with pytest.raises(ValueError, match="expected a number of GB above 0 in FACELIB_FILM_CACHE"):
        cache_limit()
    monkeypatch.setenv("FACELIB_FILM_CACHE", "0.5")
    assert cache_limit() == 500_000_000


@pytest.fixture
def asked(film, tmp_path) -> Iterator[tuple[str, list[str]]]:
    """Serve a film by HTTP; yield its address, and the paths that were asked for."""
    paths: list[str] = []

    class Noting(SimpleHTTPRequestHandler):
        def log_request(self, *_arguments: object) -> None:
            paths.append(self.path)

    remuxed(film, tmp_path / "elsewhere.ts")
    with running(serving(partial(Noting, directory=str(tmp_path)))) as address:
        yield f"{address}/elsewhere.ts", paths


@pytest.mark.parametrize("missing", ["formats", "protocols", "formats and protocols"])
def test_each_of_two_lists_keeps_ffmpeg_from_the_addresses_of_a_playlist(server, asked, tmp_path, monkeypatch, missing):
    address, paths = asked
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(listed)
    place = put(tmp_path / "list.m3u8")
    if "formats" in missing:
        monkeypatch.setattr(content, "FILM_FORMATS", f"{content.FILM_FORMATS},hls")
    if "protocols" in missing:
        monkeypatch.setattr(content, "FILM_PROTOCOLS", "file,http,tcp")
    if " and " in missing:  # what FFmpeg does with it by itself
        with open_container(place):
            assert set(paths) == {"/elsewhere.ts"}
        return
    with pytest.raises(av.FFmpegError):
        open_container(place)
    assert paths == []
