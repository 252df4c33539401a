"""The reader against real servers and files. Times are generous: other work may share the machine."""

import socket
import threading
import time

import av
import numpy as np
import pytest

from facelib.films.media.tones import PQ, ToneMap
from facelib.live.feed import CameraFeed, SourceLost
from facelib.live.reader import Reader, _Clock
from facelib.live.source import Source, read_source
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def read():
    """Return a factory of readers that run, with the list of what they tell of themselves."""
    readers = []

    def start(source, **options):
        told = []
        place = source if isinstance(source, Source) else read_source(source)
        readers.append(Reader(place, on_state=lambda *state: told.append(state), **options))
        readers[-1].start()
        return readers[-1], told

    yield start
    for reader in readers:
        assert reader.stop(timeout=PATIENCE)


def pictures_of(reader, *, most=10_000):
    """Take pictures until the end, or as many as wanted."""
    taken, last = [], -1
    while len(taken) < most:
        frame = reader.newest(after=last, timeout=1.0)
        if frame is not None:
            taken.append(frame)
            last = frame.number
        elif reader.final:
            break
    return taken


def test_a_film_plays_at_its_own_speed_and_ends(read, make_film):
    times = [0.0, 0.1, 0.2, 0.8, 0.9, 1.2]  # not all alike
    pictures = [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(6)]
    film = make_film(frames=6, times=times, pictures=pictures, aspect="2:1")  # of a pixel

    began = time.monotonic()
    reader, told = read(film)
    taken = pictures_of(reader)

    assert told == [("playing", ""), ("ended", "")]
    assert taken[-1].number == 5
    assert [frame.time for frame in taken] == pytest.approx([times[frame.number] for frame in taken], abs=0.002)
    # None before its time; after it by as much as the machine is busy.
    assert all(frame.arrived >= began + frame.time - 0.002 for frame in taken)
    assert abs(int(taken[-1].image.mean()) - 200) < 10
    assert taken[-1].image.shape == (48, 128, 3)


def test_what_maps_a_high_dynamic_range_is_made_once(read, make_film, monkeypatch):
    made = []
    monkeypatch.setattr("facelib.films.media.shown.ToneMap", lambda *key: made.append(key) or ToneMap(*key))
    reader, _ = read(make_film(frames=5, rate=5, color_trc="smpte2084"))
    pictures = [frame.image for frame in pictures_of(reader)]
    assert len(pictures) > 1 and made == [(64, 48, PQ)]


def test_who_is_slow_gets_the_newest_picture(read, make_film):
    reader, _ = read(make_film(frames=50, rate=25), loop=True)

    first = reader.newest(timeout=PATIENCE)
    wait_until(lambda: reader.newest().number >= first.number + 10)
    second = reader.newest(after=first.number)

    assert second.number >= first.number + 10  # none of those between


def test_a_looped_film_begins_anew_and_its_time_goes_on(read, make_film):
    reader, told = read(make_film(frames=5, rate=25), loop=True)

    wait_until(lambda: (reader.newest() or reader.newest(timeout=PATIENCE)).number >= 12)
    taken = pictures_of(reader, most=8)

    assert ("ended", "") not in told
    assert np.all(np.diff([frame.time for frame in taken]) > 0)
    assert reader.stop(timeout=PATIENCE)
    assert reader.state == "stopped"


def test_a_film_that_breaks_off_is_played_so_far(read, make_film):
    film = make_film(name="film.mkv", frames=100, rate=50, sound=None)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])

    reader, _ = read(film)
    taken = pictures_of(reader)

    assert taken[-1].number > 10
    assert reader.state == "ended"


def test_a_film_called_like_an_address_with_text_of_another_encoding_is_played(read, make_film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = av.open("file:10:30.mkv", "w", metadata_encoding="latin-1")
    with av.open(str(make_film(frames=3))) as film, output:
        output.metadata["title"] = "\u00e9t\u00e9"
        stream = output.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(film.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    reader, _ = read("10:30.mkv")
    reader.thread.join(60)
    assert (reader.state, reader.message) == ("ended", "")


def test_pictures_that_would_fill_the_memory_are_refused(read, make_film, monkeypatch):
    film = str(make_film(frames=3, size=(64, 48)))
    monkeypatch.setattr("facelib.live.feed.MOST_PIXELS", 64 * 48)
    assert len(pictures_of(read(film)[0])) > 0
    monkeypatch.setattr("facelib.live.feed.MOST_PIXELS", 64 * 48 - 1)
    reader, _ = read(film)
    assert pictures_of(reader) == [] and reader.state == "failed"
    assert "sends pictures of 64 x 48 pixels, expected at most 0 million; set it to a smaller" in reader.message


def test_stopping_a_film_is_quick_and_closes_its_file(read, make_film, monkeypatch):
    monkeypatch.setattr("facelib.live.reader._LONGEST_JUMP", 1000.0)
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 3
    film = make_film(times=[0.0, 900.0, 1800.0], pictures=pictures, sound=None)
    reader, _ = read(film)
    assert reader.newest(timeout=PATIENCE) is not None

    assert reader.stop(timeout=PATIENCE)  # not until the next picture

    assert reader.state == "stopped"
    assert reader.newest(after=0) is None


def test_a_stream_over_rtsp_is_read_and_its_loss_is_mended(read, rtsp_server, make_film):
    server = rtsp_server(make_film(frames=1500, rate=25, sound=None))
    reader, told = read(server.address)
    wait_until(lambda: (reader.newest() or reader.newest(timeout=PATIENCE)) is not None)
    before = pictures_of(reader, most=5)

    server.kill()
    wait_until(lambda: reader.state == "waiting")
    time.sleep(3)  # so that the waits have grown
    last = reader.newest()
    server.start()
    wait_until(lambda: reader.newest(after=last.number) is not None)

    assert [state for state, _ in told][:2] == ["playing", "waiting"]
    assert told[-1] == ("playing", "")
    after = pictures_of(reader, most=5)
    assert after[0].number > before[-1].number
    assert after[0].time - before[-1].time > 3  # the time without pictures is counted


def test_a_camera_over_http_is_told_by_when_its_pictures_come(read, mjpeg_server):
    # Without times of its own, FFmpeg would count 25 pictures per second.
    server = mjpeg_server([np.full((48, 64, 3), 8 * i, np.uint8) for i in range(30)], rate=5)
    reader, told = read(server.address)

    taken = pictures_of(reader, most=10)

    assert told[0] == ("playing", "")
    times, arrived = (np.array([getattr(one, name) for one in taken]) for name in ("time", "arrived"))
    assert times - times[0] == pytest.approx(arrived - arrived[0], abs=0.5)


def test_a_silent_camera_counts_as_lost_and_is_taken_up_again(read, mjpeg_server):
    server = mjpeg_server([np.zeros((48, 64, 3), np.uint8)])
    reader, told = read(server.address)
    wait_until(lambda: reader.state == "playing")

    server.silent.set()
    wait_until(lambda: reader.state == "waiting")
    server.silent.clear()
    wait_until(lambda: reader.state == "playing")

    assert told[1][0] == "waiting"
    assert "4 seconds" in told[1][1] or "ended" in told[1][1]


def test_a_source_that_is_not_there_is_tried_until_patience_ends(read):
    reader, told = read("rtsp://ann:secret@127.0.0.1:9/live", patience=2)

    wait_until(lambda: reader.final)

    assert reader.state == "failed"
    assert told[0][0] == "connecting"
    assert "refused" in reader.message
    assert "secret" not in str(told)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_never_answers_is_said_not_to(read, monkeypatch, scheme):
    monkeypatch.setattr("facelib.live.feed.OPEN_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reader, _ = read(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/live")
        wait_until(lambda: reader.message)
        assert "no answer within 1 seconds" in reader.message


def test_stopping_ends_a_wait(read, monkeypatch):
    monkeypatch.setattr("facelib.live.reader._FIRST_WAIT", 900.0)
    reader, _ = read("rtsp://127.0.0.1:9/live")
    wait_until(lambda: reader.message)

    assert reader.stop(timeout=PATIENCE)


def test_no_thread_is_left(read, make_film):
    reader, _ = read(make_film(frames=5))
    pictures_of(reader)
    assert reader.stop(timeout=PATIENCE)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("facelib reader")]


def test_a_camera_is_read_as_rgb_and_its_end_is_a_loss(make_film):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 250
    feed = CameraFeed(str(make_film(pictures=[red] * 5, sound=None)))  # OpenCV reads a film as it reads a camera
    taken = []

    with pytest.raises(SourceLost, match="plugged in"):
        taken.extend(feed.pictures())  # grows while it lasts
    feed.close()

    with pytest.raises(SourceLost, match="no camera"):
        CameraFeed(87)
    assert len(taken) == 5
    assert np.abs(taken[0].raw.to_ndarray(format="rgb24").mean(axis=(0, 1)) - [250, 0, 0]).max() < 30


def test_a_camera_that_is_not_there_is_told(read, capfd):
    reader, _ = read(87, patience=1)

    wait_until(lambda: reader.final)

    assert reader.state == "failed"
    assert "no camera 87" in reader.message
    assert capfd.readouterr().err == ""  # where OpenCV told it in a dozen lines at each attempt


def test_how_late_a_picture_is_goes_by_the_quickest_of_the_last_seconds(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = _Clock()
    late = []
    for at, stamp in [(0.0, 5.0), (0.04, 5.04), (1.08, 5.08), (1.09, 6.09), (30.0, 33.0), (30.04, 33.04)]:
        now[0] = 100 + at
        late.append(clock.read(stamp, paced=False)[0])

    # One second behind, then in time again; two seconds less than before are the new measure after a while.
    assert late == pytest.approx([0, 0, 1.0, 0, 0, 0], abs=1e-6)


def test_a_film_waits_for_a_machine_that_stands_still(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = _Clock()
    read = []
    for at, stamp in [(0.0, 0.0), (0.04, 0.04), (1.08, 0.08), (1.1, 0.5), (9.0, 1.0), (9.1, 1.5)]:
        now[0] = 100 + at
        read.append(clock.read(stamp, paced=True))

    # One second is caught up with; after eight the film goes on where it was.
    assert [late for late, _ in read] == pytest.approx([0, 0, 1.0, 0.6, 0, -0.4])
    assert [time_ for _, time_ in read] == pytest.approx([0, 0.04, 0.08, 0.5, 1.0, 1.5])


@pytest.mark.parametrize("anew", [3.0, 48.0], ids=["long before", "a little before"])
def test_times_go_on_when_a_source_sets_its_clock_anew(monkeypatch, anew):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = _Clock()
    times = []
    for at, stamp in [(0.0, 50.0), (0.1, 50.1), (0.2, anew), (0.3, anew + 0.1), (0.4, None), (0.5, anew + 0.3)]:
        now[0] = at
        late, time_ = clock.read(stamp, paced=False)
        times.append(time_)
        assert late < 0.01  # or pictures would be passed over
    clock.connect()
    now[0] = 9.0
    times.append(clock.read(0.0, paced=False)[1])

    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 9.0], abs=0.01)
