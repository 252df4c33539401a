"""Ten good films and every kind of broken one in one folder: the ten are annotated, the rest is listed."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from facelib.cli import main
from facelib.films.media.decode import read_frames
from facelib.project import Project

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12"]
MPEG2 = ["-c:v", "mpeg2video", "-q:v", "3"]
GOOD = {
    "ep1.mp4": [*H264, "-c:a", "aac"],
    "ep1.mkv": [*H264, "-c:a", "libmp3lame"],  # two films of one stem
    "summary.csv.mp4": [*H264, "-frames:v", "3", "-an"],  # the name of a table
    "rec.m2ts": [*H264, "-c:a", "ac3", "-output_ts_offset", "95443.5"],  # its clock wraps in the middle
    "cam.mxf": [*MPEG2, "-c:a", "pcm_s16le", "-ar", "48000"],
    "disc/disc.vob": [*MPEG2, "-c:a", "mp2"],
    "phone": [*H264, "-c:a", "aac", "-f", "3gp"],
    "old.avi": ["-c:v", "mpeg4", "-vtag", "XVID", "-bf", "2", "-q:v", "4", "-c:a", "libmp3lame"],
    "joined.ts": [*H264, "-c:a", "aac"],
    "sizes.ts": [*H264, "-s", "400x226", "-c:a", "aac"],
}
# What each broken film is told of; the first four could be read in part.
BROKEN = {
    "middle.mp4": "pictures could not be read",
    "half.flv": "the rest is missing",
    "noise.avi": "the rest is missing",
    "hole.mkv": "damaged",
    "cut.mp4": "expected a film, could not read",
    "header.mkv": "expected a film, could not read",
    "empty.mp4": "it is an empty file",
    "text.mp4": "expected a film, could not read",
    "sound.mp4": "has only streams of ['audio']",
}
LEFT_OUT = {
    "gone.mp4": "a broken link to 'nowhere.mp4'",
    "loop.mp4": "a broken link to 'loop.mp4'",
    "list.mp4": "a playlist",
    "pipe.mp4": "not a file",
    "disc/old.avi": "called like the film",
    "ren\\xe9.mp4": "its name is not UTF-8",
}


@pytest.fixture(scope="module")
def run(make_tuned_demo, ffmpeg, tmp_path_factory, kernel_server):
    """The project, and what `facelib run` said of it."""
    project = make_tuned_demo(tmp_path_factory.mktemp("films"), 0.4)
    film = project.videos / "demo.mp4"
    place = tmp_path_factory.mktemp("source")
    source = ffmpeg("-i", film, "-t", "0.48", "-s", "480x270", *H264, "-c:a", "aac", place / "source.mp4")
    for path in project.videos.iterdir():
        path.unlink()
    (project.videos / "disc").mkdir()
    for name, options in GOOD.items():
        ffmpeg("-i", source, *options, project.videos / name)
    joined, sizes = (project.videos / f"{name}.ts" for name in ("joined", "sizes"))
    sizes.write_bytes(joined.read_bytes() + sizes.read_bytes())
    joined.write_bytes(joined.read_bytes() * 2)
    break_films(project, ffmpeg, source, place)
    arguments = ["--project", project.name, "--data-dir", project.data_dir, "--output-dir", project.output_dir]
    return project, CliRunner().invoke(main, [*map(str, ["run", *arguments, "--steps", "5"])])


def break_films(project: Project, ffmpeg, source, place) -> None:
    """Write every kind of broken film."""
    videos, rng = project.videos, np.random.default_rng(1)

    def overwritten(content: bytes, start: int, count: int) -> bytes:
        return content[:start] + rng.bytes(count) + content[start + count :]

    whole, old, matroska = source.read_bytes(), (videos / "old.avi").read_bytes(), (videos / "ep1.mkv").read_bytes()
    flash = ffmpeg("-i", source, *H264, "-c:a", "aac", place / "half.flv").read_bytes()
    contents = {
        "middle.mp4": overwritten(whole, len(whole) * 45 // 100, len(whole) // 5),
        "half.flv": flash[: len(flash) // 2],
        "noise.avi": overwritten(old, len(old) * 3 // 10, len(old) * 6 // 10),
        "hole.mkv": matroska[: len(matroska) * 6 // 10] + matroska[len(matroska) * 7 // 10 :],
        "cut.mp4": whole[: len(whole) * 7 // 10],
        "header.mkv": overwritten(matroska, 0, 16),
        "empty.mp4": b"",
        "text.mp4": b"no film\n" * 50,
        "list.mp4": b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n",
        "disc/old.avi": old,
    }
    for name, content in contents.items():
        (videos / name).write_bytes(content)
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", videos / "sound.mp4")
    (videos / "gone.mp4").symlink_to("nowhere.mp4")
    (videos / "loop.mp4").symlink_to("loop.mp4")
    (videos / "folder.mp4").mkdir()
    (videos / os.fsdecode(b"ren\xe9.mp4")).write_bytes(whole)
    os.mkfifo(videos / "pipe.mp4")


@pytest.mark.kernel
def test_ten_films_are_annotated_and_the_rest_is_listed(run):
    project, result = run
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    summary = pd.read_csv(project.film_summary, keep_default_na=False).set_index("film")
    good = [name.rpartition("/")[2] for name in GOOD]
    assert len(good) == 10 and sorted(summary.index) == sorted([*good, *BROKEN])
    assert (summary.loc[good, "problem"] == "").all(), summary.loc[good, "problem"].to_dict()
    assert (summary.loc[good, "people"] != "").all()
    folders = {project.film(name).folder for name in good}
    assert len(folders) == 10
    for name in GOOD:
        files = project.film(name)
        assert len(list(read_frames(files.annotated))) == len(list(read_frames(project.videos / name)))
        assert {path.suffix for path in files.exports.iterdir()} >= {".csv", ".vtt", ".srt", ".edl", ".otio"}
    for name, reason in BROKEN.items():
        assert reason in summary.loc[name, "problem"], name
        assert any(name in line and reason in line for line in result.stdout.splitlines()), result.stdout
    for name, reason in LEFT_OUT.items():
        assert f"left out  {name}: {reason}" in result.stdout
    for name in list(BROKEN)[:3]:  # what could be read of these is annotated too
        assert project.film(name).annotated.is_file()
    halves = [path for path in project.output.rglob("*") if path.name.startswith(".") and path.name.endswith("tmp")]
    assert halves == []
