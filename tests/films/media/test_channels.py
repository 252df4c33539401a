"""Sound whose file lists its channels in an order of its own."""

from __future__ import annotations

import av
import numpy as np
import pytest

from facelib.films.media.encode import WriteReport, write_film
from facelib.films.media.opening import open_film
from facelib.films.media.sound import open_sound

# Core Audio's tags for orders of channels, and the places in the file of the channels in FFmpeg's order.
ORDERS = {
    "5.1": ((121 << 16) | 6, [0, 1, 2, 3, 4, 5]),  # L R C LFE Ls Rs
    "5.1 with C first": ((124 << 16) | 6, [1, 2, 0, 5, 3, 4]),  # C L R Ls Rs LFE
    "5.1 with LFE last": ((122 << 16) | 6, [0, 1, 4, 5, 2, 3]),  # L R Ls Rs C LFE
    "6.1": ((125 << 16) | 7, [0, 1, 2, 3, 6, 4, 5]),  # L R C LFE Ls Rs Cs
    "7.1": ((128 << 16) | 8, [0, 1, 2, 3, 6, 7, 4, 5]),  # L R C LFE Ls Rs Rls Rrs
}
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]


def tones(path) -> list[int]:
    """Return the strongest frequency of each channel, Hz."""
    with av.open(str(path)) as container:
        packed = av.AudioResampler(format="flt")
        parts = [one for frame in container.decode(audio=0) for one in packed.resample(frame)]
        count, rate = parts[0].layout.nb_channels, parts[0].sample_rate
        samples = np.concatenate([one.to_ndarray().reshape(-1, count) for one in parts])[4800:28800]
    return [round(int(one.argmax()) * rate / len(samples)) for one in np.abs(np.fft.rfft(samples, axis=0)).T]


def make(ffmpeg, path, layout, *options):
    """Write a film whose channels sound at 60, 100, 140 ... Hz, in the order of its layout."""
    count = av.AudioLayout(layout).nb_channels
    waves = "|".join(f"0.5*sin(2*PI*{60 + 40 * number}*t)" for number in range(count))
    sound = ["-f", "lavfi", "-i", f"aevalsrc={waves}:c={layout}:s=48000:d=0.8"]
    return ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:d=0.8", *sound, *H264, *options, path)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24be", "pcm_f32le"])
@pytest.mark.parametrize("kind", ORDERS)
def test_every_channel_stays_where_it_is(kind, codec, ffmpeg, tmp_path):
    (tag, order), layout = ORDERS[kind], kind.split()[0]
    film = make(ffmpeg, tmp_path / "film.mov", layout, "-c:a", codec)
    content = bytearray(film.read_bytes())
    at = content.index(b"chan") + 8
    content[at : at + 4] = tag.to_bytes(4, "big")
    film.write_bytes(content)
    expected, report = [60 + 40 * place for place in order], WriteReport()
    write_film(film, tmp_path / "written.mp4", lambda frame, planes: None, report=report)
    assert tones(tmp_path / "written.mp4") == expected and report.problem == ""
    with open_film(film) as container:
        sound = open_sound(container, film)
        assert sound is not None and sound.layout == (layout if layout != "6.1" else "stereo")
        samples = sound.take(4800, 24000)
    if layout != "6.1":
        assert [round(int(one.argmax()) * 2) for one in np.abs(np.fft.rfft(samples, axis=1))] == expected
