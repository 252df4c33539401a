from pathlib import Path

import pytest

from facelib.films.media.decode import UnreadableFilm
from facelib.live.source import read_source


@pytest.mark.parametrize(
    ("given", "kind", "place", "name"),
    [
        (0, "camera", "0", "camera 0"),
        ("1", "camera", "1", "camera 1"),  # as the command line has it
        (" 007 ", "camera", "7", "camera 7"),
        ("rtsp://ann:secret@camera:554/live", "stream", "rtsp://ann:secret@camera:554/live", "rtsp://camera:554/live"),
        ("HTTP://camera/video.mjpg", "stream", "HTTP://camera/video.mjpg", "http://camera/video.mjpg"),
        ("udp://:1234", "stream", "udp://:1234", "udp://:1234"),  # listens
    ],
)
def test_a_source_is_told_by_how_it_is_written(given, kind, place, name):
    source = read_source(given)

    assert (source.kind, source.place, source.name) == (kind, place, name)


def test_a_film_is_a_path(make_film):
    film = make_film("a film.mp4", sound=None)

    assert read_source(film) == read_source(str(film))
    assert (read_source(film).kind, read_source(film).name) == ("film", "a film.mp4")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("", "camera"),
        (-1, "camera"),
        (True, "camera"),  # a flag given in the wrong place
        ("ftp://camera/live", "rtsp"),
        ("file:///etc/passwd", "rtsp"),
        ("rtsp://", "rtsp"),
        ("rtsp://camera:port/live", "cannot be read"),
        ("http://[half", "cannot be read"),
    ],
)
def test_what_is_no_source_is_refused(given, what):
    with pytest.raises(ValueError, match=what):
        read_source(given)


def test_a_password_is_never_shown():
    with pytest.raises(ValueError, match="gopher") as refused:
        read_source("gopher://ann:secret@camera/live")

    assert "secret" not in str(refused.value)


def test_a_film_that_is_not_there_or_is_none_is_told(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"none\.mp4"):
        read_source(tmp_path / "none.mp4")
    with pytest.raises(FileNotFoundError, match="expected a film, found no file at '9"):
        read_source("9" * 20)  # no camera
    (tmp_path / "text.mp4").write_text("not a film")
    with pytest.raises(UnreadableFilm, match=r"text\.mp4"):
        read_source(tmp_path / "text.mp4")
