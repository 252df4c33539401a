"""A film in a bucket read in place by ranges, beside fetching it first: time, bytes fetched, room taken on the disk.

Each is a process of its own, the median of three: all frames decoded, none looked at. The first frame is when work on
the film can begin.

Usage: AWS_ENDPOINT_URL=... python benchmarks/ranges.py s3://bucket/folder/film.mp4 [...]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from facelib.films.media.reader import open_reader
from facelib.project import ranges
from facelib.project.store import Store

Figures = tuple[float, float, float, int, int]


def measure(address: str, in_place: bool) -> Figures:
    """Return seconds to the first frame and to the last, of processor, bytes fetched and bytes on the disk."""
    begun, busy = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        film: str | Path = address
        if not in_place:
            film = Path(folder) / address.rpartition("/")[2]
            Store(address.rpartition("/")[0]).fetch(film.name, film)
        first = 0.0
        with open_reader(film) as reader:
            for _ in reader.frames(count_sound=True):
                first = first or time.perf_counter() - begun
            reader.problem()
        spent, busy = time.perf_counter() - begun, time.process_time() - busy
        if isinstance(film, Path):
            return first, spent, busy, film.stat().st_size, film.stat().st_size
        kept = os.fstat(ranges._blocks_of(address)._kept.fileno()).st_size
        return first, spent, busy, ranges.fetched_bytes(address), kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+")
    print("| film | how | first frame, s | all, s | processor, s | MB fetched | MB on the disk |")
    print("|---|---|---|---|---|---|---|")
    for address in parser.parse_args().films:
        for how in ("fetched first", "in place"):
            runs = []
            for _ in range(3):
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    runs.append(pool.submit(measure, address, how == "in place").result())
            first, spent, busy, fetched, kept = (statistics.median(column) for column in zip(*runs, strict=True))
            row = f"{first:.2f} | {spent:.2f} | {busy:.2f} | {fetched / 1e6:.1f} | {kept / 1e6:.1f}"
            print(f"| {address.rpartition('/')[2]} | {how} | {row} |", flush=True)


if __name__ == "__main__":
    main()
