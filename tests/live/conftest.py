"""A project with a recognizer, and servers that play a film."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import facelib
from facelib.films.media.decode import read_frames
from facelib.gallery import build_gallery, describe_search, read_gallery, write_gallery
from facelib.images import encode_jpeg
from facelib.project import Project
from facelib.recognize import OpenSetKNN, save_recognizer
from tests.recognizing import make_info

from . import servers

collect_ignore = ["rtsp_server.py"]  # for the system's own Python: this one has no `gi`


@pytest.fixture(scope="session")
def _gstreamer() -> None:
    probe = "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); " \
        "from gi.repository import Gst, GstRtspServer; Gst.init(None); " \
        "assert all(map(Gst.ElementFactory.find, ('qtdemux', 'h264parse', 'rtph264pay')))"  # fmt: skip
    if subprocess.run([servers.SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode:
        reason = (
            "expected GStreamer's RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi "
            "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def rtsp_server(_gstreamer: None) -> Iterator[Callable[[Path], Any]]:
    """Return a factory of RTSP servers that play a film and run already."""
    running: list[Any] = []

    def make(film: Path) -> Any:
        running.append(servers.RtspServer(film))
        running[-1].start()
        return running[-1]

    yield make
    for server in running:
        server.kill()


@pytest.fixture
def mjpeg_server() -> Iterator[Callable[..., Any]]:
    """Return a factory of servers that play pictures, RGB or a film's, and run already."""
    running: list[Any] = []

    def make(pictures: Path | list[np.ndarray], *, rate: float = 25.0) -> Any:
        if isinstance(pictures, Path):
            pictures = [frame.image() for frame in read_frames(pictures)]
        running.append(servers.MjpegServer([encode_jpeg(one, quality=90) for one in pictures], rate=rate))
        running[-1].start()
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def _cast(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that knows two people, by six pictures each; not to be changed."""
    folder = tmp_path_factory.mktemp("live")
    project = Project("cast", folder / "data", folder / "output")
    for person in ("Christian Bale", "Steve Harvey"):
        (project.people / person).mkdir(parents=True)
        for picture in sorted((shared_data / "film_clips" / "people" / person).iterdir())[:6]:
            shutil.copy(picture, project.people / person)
    detector, embedder = facelib.load_detector("centerface"), facelib.load_embedder("dlib")
    table = build_gallery(project, detector, embedder, progress=False)
    made = {"detector": describe_search(detector), "embedder": embedder.name, "weights_sha256": embedder.sha256}
    write_gallery(table, project.faces, **made, threshold=embedder.threshold)
    gallery = read_gallery(project.faces)
    info = make_info(
        k=3, threshold=0.48, **made, pictures=tuple(gallery.pictures), confidence_slope=-30.0, confidence_intercept=15.5
    )
    knn = OpenSetKNN(k=3, threshold=0.48).fit(gallery.vectors, gallery.names)
    save_recognizer(knn, project.recognizer, info)
    return project


@pytest.fixture
def cast_project(_cast: Project, tmp_path: Path) -> Project:
    """A project of its own that knows Christian Bale and Steve Harvey."""
    shutil.copytree(_cast.data_dir, tmp_path / "data")
    shutil.copytree(_cast.output_dir, tmp_path / "output")
    return Project("cast", tmp_path / "data", tmp_path / "output")


@pytest.fixture(scope="session")
def clip(shared_data: Path) -> Callable[[str], Path]:
    """Return a function that finds a labelled clip by its stem."""
    return lambda stem: shared_data / "film_clips" / "videos" / f"{stem}.mp4"


@pytest.fixture
def cut(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the first seconds of a film, as its frames are."""

    def copy(film: Path, *, seconds: float) -> Path:
        path = tmp_path / f"short {film.name}"
        with av.open(str(film)) as source, av.open(str(path), "w") as output:
            stream = source.streams.video[0]
            copied = output.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is None or packet.dts * packet.time_base >= seconds:
                    break
                packet.stream = copied
                output.mux(packet)
        return path

    return copy


@pytest.fixture
def make_long(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that repeats a clip, 640 pixels wide, until it is so many seconds long."""

    def make(film: Path, *, seconds: float) -> Path:
        frames = islice(read_frames(film), round(30 * seconds))
        pictures = [cv2.resize(frame.image(), (640, 360), interpolation=cv2.INTER_AREA) for frame in frames]
        path = tmp_path / f"long {film.stem}.mp4"
        with av.open(str(path), "w") as output:
            options = {"preset": "ultrafast", "tune": "zerolatency", "g": "30"}
            stream = output.add_stream("libx264", rate=30, options=options)
            stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
            for number in range(round(30 * seconds)):
                frame = av.VideoFrame.from_ndarray(pictures[number % len(pictures)], format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return path

    return make
