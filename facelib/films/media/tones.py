"""Tone mapping from high dynamic range (PQ and HLG in BT.2020) to standard range (BT.709)."""

from __future__ import annotations

import tempfile
import threading
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
HDR_CURVES = frozenset({PQ, HLG})
"""FFmpeg's numbers of the transfer curves of SMPTE ST 2084 and ARIB STD-B67."""

_Light = NDArray[np.float64]
_EDGE = 33  # entries of the table along each colour
_WHITE = 203.0  # cd/m2 of a sheet of paper, ITU-R BT.2408
_PEAK = 1000.0  # cd/m2 of the brightest distinguished light
_KNEE = 0.6  # of an ordinary screen's white: darker light is left as it is
_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_LUMA = np.array([0.2627, 0.6780, 0.0593])  # BT.2020


class ToneMap:
    """Maps pictures of one size and curve to BT.709, through FFmpeg's filter for tables of colours."""

    def __init__(self, width: int, height: int, curve: int) -> None:
        self._graph = av.filter.Graph()
        self._count = 0
        self._lock = threading.Lock()  # several threads convert frames of one film
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tones.cube"
            path.write_text(_cube(curve))
            source = self._graph.add_buffer(
                width=width, height=height, format=av.VideoFormat("gbrp10le"), time_base=Fraction(1, 1000)
            )
            table = self._graph.add("lut3d", file=str(path))
            self._graph.link_nodes(source, table, self._graph.add("buffersink")).configure()

    def __call__(self, raw: av.VideoFrame) -> av.VideoFrame:
        """Return a picture as ten-bit RGB in standard dynamic range."""
        light = raw.reformat(format="gbrp10le")
        with self._lock:
            light.pts, light.time_base = self._count, Fraction(1, 1000)
            self._count += 1
            self._graph.vpush(light)
            return self._graph.vpull()


def to_ordinary(signal: _Light, curve: int) -> _Light:
    """Map colours of high dynamic range to standard dynamic range.

    Light below three fifths of a sheet of paper's is left as it is; brighter light is compressed smoothly up to 1000
    cd/m2, by the brightest of the three colours so that hues stay.

    Args:
        signal: `(..., 3)` R, G and B of BT.2020 as they are stored, 0 to 1.
        curve: `PQ` or `HLG`.

    Returns:
        R, G and B of BT.709 as they are stored, 0 to 1.

    Examples:
        >>> to_ordinary(np.array([0.58, 0.58, 0.58]), PQ).round(1)  # a sheet of paper
        array([0.9, 0.9, 0.9])
    """
    light = (_pq_light(signal) if curve == PQ else _hlg_light(signal)) / _WHITE
    brightest = light.max(axis=-1, keepdims=True)
    light = light * _pressed(brightest) / np.maximum(brightest, 1e-6)
    return np.asarray(np.clip(light @ _TO_BT709.T, 0, 1) ** (1 / 2.2))


def _pressed(light: _Light) -> _Light:
    peak = _PEAK / _WHITE
    above = np.clip((light - _KNEE) / (peak - _KNEE), 0, 1)
    steep = (peak - _KNEE) / (1 - _KNEE)  # so that the curve has no corner at the knee
    return np.where(light < _KNEE, light, 1 - (1 - _KNEE) * (1 - above) ** steep)


def _pq_light(signal: _Light) -> _Light:
    """SMPTE ST 2084, in cd/m2."""
    power = signal ** (1 / 78.84375)
    return np.asarray(
        10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    )


def _hlg_light(signal: _Light) -> _Light:
    """ARIB STD-B67 on a screen of 1000 cd/m2, ITU-R BT.2100."""
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luma = np.maximum((scene @ _LUMA)[..., None], 1e-6)
    return np.asarray(_PEAK * luma**0.2 * scene)


def _cube(curve: int) -> str:
    steps = np.linspace(0, 1, _EDGE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red runs fastest
    table = to_ordinary(np.stack([red, green, blue], axis=-1).reshape(-1, 3), curve)
    return f"LUT_3D_SIZE {_EDGE}\n" + "\n".join(" ".join(f"{value:.6f}" for value in row) for row in table) + "\n"
