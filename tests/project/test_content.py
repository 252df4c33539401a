"""What lies in `videos/` and is no film: the reason, told by content."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from facelib.films.media.decode import read_frames
from facelib.project import Project
from facelib.project.content import join_series, open_container, why_no_film
from tests.processes import without_rights

SUBRIP, WEBVTT = "1\n00:00:01,000 --> 00:00:02,000\nGrüße\n\n", "WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("film.srt", SUBRIP, "subtitles"),
        ("film.mp4", SUBRIP, "subtitles"),
        ("film.vtt", WEBVTT, "subtitles"),
        ("film.ass", "[Script Info]\nScriptType: v4.00+\n", "subtitles"),
        ("list", "#EXTM3U\n/etc/hostname\n", "a playlist"),
        ("notes.txt", "only words", "text"),
    ],
)
def test_text_with_and_without_a_byte_order_mark(name, text, expected, encoding, tmp_path):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    (tmp_path / name).write_bytes(mark + text.encode(encoding))
    assert why_no_film(tmp_path / name) == expected


def test_no_files_are_no_series():
    assert join_series([]) == []


@pytest.mark.parametrize(
    ("form", "begin", "pattern"),
    [("{:04}.jpg", 1, "%04d.jpg"), ("a 1_{}.png", 7, "a 1_%d.png"), ("{:05}.png", 998, "%05d.png")],
)
def test_numbered_pictures_are_listed_as_one_with_the_way_to_a_film(form, begin, pattern, tmp_path):
    project = Project("demo", tmp_path, tmp_path / "output")
    folder = project.videos / "frames"
    folder.mkdir(parents=True)
    for number in range(begin, begin + 12):
        Image.new("RGB", (64, 48), (number % 256, 90, 90)).save(folder / form.format(number))
    Image.new("RGB", (64, 48)).save(project.videos / "poster 1.jpg")
    listed = project.list_videos()
    command = f"ffmpeg -framerate 25 -start_number {begin} -i {shlex.quote(pattern)} film.mp4"
    assert listed == [
        (folder / form.format(begin), f"the first of 12 numbered pictures; join them to a film: {command}"),
        (project.videos / "poster 1.jpg", "a still picture"),
    ]
    subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)
    assert len(list(read_frames(folder / "film.mp4"))) == 12
    assert [path for path, reason in project.list_videos() if not reason] == [folder / "film.mp4"]


def test_a_folder_that_cannot_be_read_is_listed_and_a_film_whose_results_cannot(tmp_path):
    project = Project("demo", tmp_path, tmp_path / "output")
    (project.videos / "locked").mkdir(parents=True)
    (project.videos / "locked" / "film.mp4").touch()
    for name in ("seen.mp4", "no right.mp4"):
        (project.videos / name).touch()
        project.film(name).folder.mkdir(parents=True)
    locked = [project.film("no right.mp4").folder, project.videos / "locked"]
    for folder in locked:
        folder.chmod(0)
    code = (
        "from facelib.project import Project\n"
        f"project = Project('demo', {str(tmp_path)!r}, {str(project.output_dir)!r})\n"
        "print([reason for _, reason in project.list_videos()], [film.name for film in project.find_videos()])\n"
        "try: project.find_videos(['no right.mp4'])\nexcept PermissionError as error: print(error)\n"
        "project.videos.chmod(0)\n"
        "try: project.find_videos()\nexcept PermissionError as error: print(error)"
    )
    told = subprocess.check_output([*without_rights(), sys.executable, "-c", code], text=True)
    for folder in [project.videos, *locked]:
        folder.chmod(0o700)
    assert told.splitlines() == [
        "['cannot be read: Permission denied', "
        "\"the folder of its results 'output/videos/no right' cannot be read\", ''] ['seen.mp4']",
        f"expected to read the results of 'no right.mp4' in {str(locked[0])!r}, may not",
        f"expected to read the films in {str(project.videos)!r}, which cannot be read: Permission denied",
    ]


def test_a_folder_deeper_than_the_system_allows_stops_nothing(tmp_path, monkeypatch):
    project = Project("demo", tmp_path, tmp_path / "output")
    project.videos.mkdir(parents=True)
    monkeypatch.chdir(project.videos)
    for _ in range(20):
        os.mkdir("x" * 250)
        os.chdir("x" * 250)
    Path("film.mp4").touch()
    monkeypatch.chdir(tmp_path)
    ((_, reason),) = project.list_videos()
    assert reason == "cannot be read: File name too long"


@pytest.fixture
def elsewhere(tmp_path: Path, make_film: Callable[..., Path]) -> Path:
    """A film that nobody may read by way of another file."""
    return make_film(str(tmp_path / "elsewhere.ts"), frames=5)


def playlist(kind: str, place: str) -> str:
    """Return a file that makes FFmpeg read another one."""
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{place}\n#EXT-X-ENDLIST\n"
    return listed if kind == "hls" else f"ffconcat version 1.0\nfile '{place}'\n"


def nested(path: Path, kind: str, place: str) -> None:
    """Write a playlist of a playlist."""
    inner = path.with_name(f"inner{path.suffix}")
    inner.write_text(playlist(kind, place))
    path.write_text(playlist(kind, inner.name))


@pytest.mark.parametrize(
    ("name", "kind", "deep"),
    [("a.m3u8", "hls", False), ("a.mp4", "concat", False), ("a.mkv", "concat", True), ("a", "concat", False)],
)
def test_no_playlist_makes_ffmpeg_read_another_file(
    name: str, kind: str, deep: bool, elsewhere: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    if deep:
        nested(path, kind, elsewhere.name)
    else:
        path.write_text(playlist(kind, elsewhere.name))
    with av.open(str(path)) as container:
        assert container.streams.video  # what FFmpeg does with it by itself
    with pytest.raises(av.FFmpegError):
        open_container(path)


@pytest.mark.parametrize("name", ["concat:a.ts", "subfile,,start,0,end,0,,:a.ts", "data:a", "http:a.mp4"])
def test_a_name_is_no_address(name: str, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ts").write_bytes(b"what the name would read")
    elsewhere.rename(tmp_path / name)
    with open_container(Path(name)) as container:
        assert container.name == f"file:{name}" and container.streams.video
