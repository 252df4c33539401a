"""What the index over all films costs: bringing it up to date, and searching it.

Updating: films of 200 made-up tracks, put into the index one by one. Searching: 1,000 films of 10,000 made-up
appearances and 1,000 tracks each, of 500 people of whom few are seen often and many seldom (as 1 / rank), with faces of
128 numbers. "Cold" is a new process whose files the system has dropped from its memory; it includes the imports.

Usage: python benchmarks/archive.py [--films 1000] [--appearances 10000] [--tracks 1000] [--folder FOLDER]

A folder that is named is kept, and used again by the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from facelib.archive import find_company, find_face, find_moments, find_years, list_people, open_archive, update_archive
from facelib.archive.catalogue import Catalogue, FilmRecord
from facelib.archive.tables import APPEARANCES, SHOTS, TRACKS, FilmRows
from facelib.archive.update import ArchiveChanges, _Update
from facelib.project import FilmFiles, Project, write_table, write_text

PEOPLE = 500
HOURS = 2.0


def made_up(seed: int, count: int) -> pd.DataFrame:
    """Return so many stretches of people, a second or several long, in a film of two hours."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, PEOPLE + 1)
    person = random.choice(PEOPLE, count, p=weights / weights.sum())
    start = np.sort(random.uniform(0, HOURS * 3600, count)).round(2)
    end = (start + random.uniform(0.5, 6, count)).round(2)
    names = np.array([f"Person {number:03d}" for number in range(PEOPLE)])[person]
    shot = (start // 4).astype(np.int32)
    return pd.DataFrame({"person": names, "start": start, "end": end, "shot": shot, "scene": shot // 20})


def write_tables(project: Project, number: int, tracks: int = 200) -> FilmFiles:
    """Write the tables of a film as notebook 05 leaves them."""
    files = FilmFiles(project.film_summary.parent / f"film {number}")
    table = made_up(number, tracks)
    vectors = np.random.default_rng(number).normal(size=(tracks, 128)).astype(np.float32)
    table = table.assign(
        cluster="", until=table["end"], confidence=np.float32(0.9), track=range(tracks), embedding=list(vectors)
    )
    write_table(table, files.tracks)
    write_text(f"film {number}.mp4", files.source)
    write_text(json.dumps({"made": {"weights": "made up"}, "duration": HOURS * 3600}), files.followed)
    return files


def updating(films: int) -> None:
    """Measure how long it takes to put each film into the index, and to see that nothing has changed."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project("many", Path(folder) / "data", Path(folder) / "output")
        project.videos.mkdir(parents=True)
        spent = []
        for number in range(1, films + 17):
            files = write_tables(project, number)
            spent.append(timed(lambda: update_archive(project, [files.film])))  # noqa: B023
        for kind, times in zip(("waited", "busy"), np.array(spent).T, strict=True):
            early, late = np.median(times[:15]), np.median(times[films : films + 15])
            print(f"{kind}: a film of the first 15 {early * 1e3:.1f} ms, of 15 after {films} {late * 1e3:.1f} ms")
            print(f"{kind}: that is {late / early:.2f} times as long; slowest film {max(times) * 1e3:.0f} ms")
            print(f"{kind}: with the merging of files, first 16 {np.mean(times[:16]) * 1e3:.1f} ms a film,", end=" ")
            print(f"all {np.mean(times) * 1e3:.1f} ms")
        begun = time.perf_counter()
        changes = update_archive(project)
        print(f"unchanged rerun: {time.perf_counter() - begun:.2f} s ({changes})")


def make_index(project: Project, films: int, appearances: int, tracks: int) -> None:
    """Write an index of made-up films, as `update_archive` writes it."""
    begun = time.perf_counter()
    with closing(Catalogue(project.archive / "catalogue.sqlite", create=True)) as catalogue:
        update = _Update(project, catalogue, 1.0, ArchiveChanges())
        for number in range(films):
            entry = catalogue.next_entry()
            rows = made_up_rows(number, entry, appearances, tracks)
            record = FilmRecord(
                f"film {number}", f"film {number}.mp4", f"{1950 + number % 70}", HOURS * 3600, 0, rows.count,
                str(number), 1.0, "", "", "",
            )  # fmt: skip
            update._write(rows, record)
        for number in catalogue.take_outdated(-1.0):
            for path in project.archive.glob(f"*-{number}.*"):
                path.unlink()
    print(f"index of {films} films written in {time.perf_counter() - begun:.0f} s")


def made_up_rows(number: int, entry: int, appearances: int, tracks: int) -> FilmRows:
    seen = made_up(number, appearances).sort_values(["person", "start"])
    own = seen.sample(tracks, random_state=number).sort_values(["person", "start"])
    tables = []
    for table, schema in ((seen, APPEARANCES), (own, TRACKS)):
        whole = table.assign(film=entry, group=False, confidence=0.9, track=np.arange(len(table)))
        tables.append(pa.table([pa.array(whole[field.name].to_numpy(), field.type) for field in schema], schema))
    start = np.arange(0, HOURS * 3600, 4.0)
    shot = np.arange(len(start))
    shots = pa.table([np.full(len(start), entry), shot, shot // 20, start, start + 4.0], SHOTS.names).cast(SHOTS)
    vectors = np.random.default_rng(number).normal(size=(tracks, 129)).astype(np.float32)
    vectors[:, :128] /= np.linalg.norm(vectors[:, :128], axis=1, keepdims=True)
    vectors[:, 128] = np.einsum("ij,ij->i", vectors[:, :128], vectors[:, :128])
    return FilmRows(*tables, shots, vectors, "made up:128")


def pairs(count: int) -> list[list[str]]:
    """Return pairs of people, often seen ones more often."""
    random = np.random.default_rng(0)
    weights = 1 / np.arange(1, PEOPLE + 1)
    drawn = [random.choice(PEOPLE, 2, replace=False, p=weights / weights.sum()) for _ in range(count)]
    return [[f"Person {one:03d}" for one in pair] for pair in [(0, 1), *drawn]]


def searching(project: Project) -> None:
    """Measure searches of an open index."""
    with open_archive(project) as archive:
        size = sum(path.stat().st_size for path in project.archive.iterdir())
        count = int(list_people(archive)["appearances"].sum())
        segments = len(archive.parts[0].segments)
        print(f"{len(archive.films)} films, {count} appearances, {segments} segments, {size / 1e6:.0f} MB")
        print_times("A and B", [timed(lambda: find_moments(archive, pair)) for pair in pairs(40)])  # noqa: B023
        others = [pair for pair in pairs(40) if "Person 004" not in pair]
        without = [timed(lambda: find_moments(archive, pair, without=["Person 004"])) for pair in others]  # noqa: B023
        print_times("A and B without C", without)
        print_times("A and B by scene", [timed(lambda: find_moments(archive, pair, by="scene")) for pair in pairs(10)])  # noqa: B023
        print_times("who is seen with A", [timed(lambda: find_company(archive, pair[1])) for pair in pairs(10)])  # noqa: B023
        print_times("years of A", [timed(lambda: find_years(archive, pair[1])) for pair in pairs(10)])  # noqa: B023
        print_times("years of all", [timed(lambda: find_years(archive)) for _ in range(3)])
        faces(archive)


def faces(archive) -> None:
    random = np.random.default_rng(1)
    sought = random.normal(size=(20, 128))
    sought /= np.linalg.norm(sought, axis=1, keepdims=True)
    find_face(archive, sought[0])
    print_times("a face", [timed(lambda: find_face(archive, one)) for one in sought])  # noqa: B023
    everything = np.concatenate(
        [np.load(path)[:, :128] for path in sorted(archive.parts[0].project.archive.glob("faces-*.npy"))]
    )
    right = 0
    for one in sought[:5]:
        distances = np.sort(np.linalg.norm(everything - one, axis=1))[:20]
        right += int(np.isclose(np.sort(find_face(archive, one)["distance"]), distances, atol=1e-6).sum())
    print(f"among {len(everything)} tracks; recall of the 20 nearest: {right / 100:.3f}")


def cold(project: Project) -> None:
    """Measure a search in a new process, nothing of the index being in the system's memory."""
    spent = []
    for pair in pairs(10)[:11]:
        for path in project.archive.iterdir():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        program = (
            "from facelib.project import Project; from facelib.archive import open_archive, find_moments\n"
            f"project = Project({project.name!r}, {str(project.data_dir)!r}, {str(project.output_dir)!r})\n"
            f"with open_archive(project) as archive: find_moments(archive, {pair!r})"
        )
        spent.append(timed(lambda: subprocess.run([sys.executable, "-c", program], check=True)))  # noqa: B023
    print_times("A and B, cold", spent)


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return how long a call takes, and how long processors were busy with it, in this process or its children."""
    begun, busy = time.perf_counter(), _busy()
    call()
    return time.perf_counter() - begun, _busy() - busy


def _busy() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def print_times(what: str, spent: list[tuple[float, float]]) -> None:
    shown = []
    for kind, times in zip(("waited", "busy"), zip(*spent, strict=True), strict=True):
        middle, slow = np.percentile(times, [50, 95])
        shown.append(f"{kind} median {middle * 1e3:.0f} ms, p95 {slow * 1e3:.0f} ms")
    print(f"{what}: {'; '.join(shown)} ({len(spent)} times)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--appearances", type=int, default=10_000)
    parser.add_argument("--tracks", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=["updating", "searching"])
    given = parser.parse_args()
    if given.only != "searching":
        updating(given.films)
    if given.only == "updating":
        return
    folder = given.folder or Path(tempfile.mkdtemp())
    project = Project("many", folder / "data", folder / "output")
    try:
        if not (project.archive / "catalogue.sqlite").is_file():
            make_index(project, given.films, given.appearances, given.tracks)
        searching(project)
        cold(project)
    finally:
        if not given.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
