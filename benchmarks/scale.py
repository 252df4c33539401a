"""What naming costs as the work grows: tracks of one scene, films of a project, people of a cast.

The tracks are made up from the clips' gallery: half of its people are enrolled, the others and a crowd that changes as
the film goes on are strangers. A third of the tracks are the cast's; up to four faces share a frame; all of it is one
scene. Every row is a process of its own, so that its memory is its own.

With --films, one more film of 400 tracks is named and settled in a project of so many stand-ins of 40 tracks, each with
strangers of its own; the median of five, the projects by turns.

With --people, a cast of so many made-up people with two faces each is tested against itself.

Usage: python benchmarks/scale.py [TRACKS ...] [--films 10 100 1000] [--people 1000 4000] [--data ../shared/data]

Without numbers: 1000 2000 4000 8000 16000 tracks.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from context import info_for
from numpy.typing import NDArray

import facelib
from facelib.films.name import name_film
from facelib.films.naming import name_tracks
from facelib.films.settle import settle_films
from facelib.films.tracking import FilmTracks
from facelib.films.unknowns import grouping_threshold
from facelib.gallery import build_gallery, find_aliases
from facelib.project import write_table, write_text
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN
from facelib.recognize.thresholds import find_look_alikes, near_duplicate_groups, trials

SHARED = Path(__file__).parents[2] / "shared" / "data"
COUNTS = (1000, 2000, 4000, 8000, 16000)
LOOKS = 4  # of each track
STAYS = 40  # tracks of a stranger before another one comes in
CROWD = 12  # strangers about at a time


def clips_gallery(data: Path) -> pd.DataFrame:
    """Return `person`, `picture` and `embedding` of the used pictures of the film clips' people."""
    with tempfile.TemporaryDirectory() as folder:
        project = facelib.Project("scale", Path(folder), Path(folder) / "out")
        project.data.mkdir(parents=True)
        project.people.symlink_to((data / "film_clips" / "people").resolve())
        table = build_gallery(project, facelib.load_detector(), facelib.load_embedder("dlib"), progress=False)
    return table.loc[table["used"], ["person", "picture", "embedding"]].reset_index(drop=True)


class MadeUpFilm:
    """The tables of a film of one scene.

    Attributes:
        known: The gallery: every second person.
        tracks: As `facelib.films.index.find_tracks` finds them.
        looks: As in `looks.parquet`.
        shots: As in `shots.csv`.
        who: Whose each track is, `unknown` for strangers.
    """

    def __init__(self, gallery: pd.DataFrame, count: int, *, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.count = count
        people = sorted(gallery["person"].unique())
        self.known = gallery[gallery["person"].isin(people[::2])]
        self.others = np.stack(gallery.loc[~gallery["person"].isin(people[::2]), "embedding"].to_list())
        self.wardrobe: dict[str, NDArray[np.float64]] = {}
        self.faces: dict[str, NDArray[np.float64]] = {}
        shot, place, first = self._cut()
        names = self._cast(shot, place)
        cast = set(self.known["person"])
        self.who = np.array([name if name in cast else UNKNOWN for name in names])
        last = first + 60
        self.tracks = pd.DataFrame(
            {"track": np.arange(count), "shot": shot, "start_frame": first, "end_frame": last}
        ).assign(start=first / 25, end=last / 25, faces=60)
        self.looks = self._looks(names, place)
        means = np.stack(self.looks["embedding"].to_list()).reshape(count, LOOKS, -1).mean(axis=1)
        self.tracks["embedding"] = list(means)
        numbers = np.unique(shot)
        self.shots = pd.DataFrame({"shot": numbers, "scene": 0, "setup": self.rng.integers(0, 6, len(numbers))})
        self.shots = self.shots.assign(start_frame=numbers * 80, end_frame=numbers * 80 + 79)

    def _cut(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return shot, place in the picture and first frame of each track: one to four faces per shot of 80 frames."""
        faces = self.rng.integers(1, 5, self.count)
        shot = np.repeat(np.arange(self.count), faces)[: self.count]
        place = np.arange(self.count) - np.searchsorted(shot, shot)
        return shot, place, shot * 80 + self.rng.integers(0, 20, self.count)

    def _cast(self, shot: NDArray[np.int64], place: NDArray[np.int64]) -> list[str]:
        """Return who each track is; nobody twice in a shot."""
        cast = sorted(set(self.known["person"]))
        names: list[str] = []
        for row in range(self.count):
            taken = names[row - place[row] :]
            crowd = [f"stranger {row // STAYS + number}" for number in range(CROWD)]
            some = cast if self.rng.random() < 1 / 3 else crowd
            names.append(str(self.rng.choice([name for name in some if name not in taken])))
        return names

    def _looks(self, names: list[str], place: NDArray[np.int64]) -> pd.DataFrame:
        size = np.exp(self.rng.uniform(np.log(20), np.log(150), self.count)).repeat(LOOKS)
        left = (100 + 280.0 * place).repeat(LOOKS) + self.rng.normal(0, 15, LOOKS * self.count)
        table = pd.DataFrame(
            {
                "track": np.arange(self.count).repeat(LOOKS),
                "shot": self.tracks["shot"].to_numpy().repeat(LOOKS),
                **{"left": left, "top": 200.0, "right": left + size, "bottom": 200 + size},
                "quality": self.rng.uniform(0.05, 0.3, LOOKS * self.count),
                **dict.fromkeys(("yaw", "pitch", "roll", "cut"), 0.0),
            }
        )
        people = zip(names, size[::LOOKS], strict=True)
        return table.assign(
            embedding=[look for name, high in people for look in self._face(name, high)],
            clothes=[self._clothes(name) for name in np.repeat(names, LOOKS)],
            hair=[self._clothes(f"hair of {name}") for name in np.repeat(names, LOOKS)],
        )

    def _face(self, name: str, size: float) -> NDArray[np.float32]:
        """Return the looks of a track, off by more where it is small."""
        own = self.known[self.known["person"] == name]["embedding"] if name not in self.faces else None
        if own is not None and len(own):
            self.faces[name] = np.stack(own.to_list())
        elif own is not None:  # another face as far from the middle of all as a real one: its parts change sign
            middle = self.others.mean(axis=0)
            real = self.others[self.rng.integers(len(self.others))] - middle
            self.faces[name] = (middle + real * self.rng.choice([-1, 1], len(real)))[None]
        pictures = self.faces[name]
        off = self.rng.normal(0, 0.01 + 0.8 / size, pictures.shape[1])  # a small or turned face, in all looks alike
        looks = pictures[self.rng.integers(len(pictures), size=LOOKS)] + off
        return (looks + self.rng.normal(0, 0.01, looks.shape)).astype(np.float32)

    def _clothes(self, name: str) -> NDArray[np.float16]:
        if name not in self.wardrobe:
            self.wardrobe[name] = np.abs(self.rng.normal(size=576)) ** 4
        seen = self.wardrobe[name] + np.abs(self.rng.normal(size=576)) * 2
        return np.sqrt(seen / seen.sum()).astype(np.float16)


def measure(gallery: pd.DataFrame, count: int) -> tuple[float, float, float, float, float]:
    """Return seconds, processor seconds, peak memory (MB), the share of the cast named right, and of names wrong."""
    film = MadeUpFilm(gallery, count)
    vectors, names = np.stack(film.known["embedding"].to_list()), film.known["person"].to_numpy()
    embedder = facelib.load_embedder("dlib")
    knn = OpenSetKNN(k=5, threshold=embedder.threshold).fit(vectors, names)
    info = info_for(film.known, embedder)
    start, before = time.perf_counter(), time.process_time()
    named = name_tracks(film.tracks, knn, info, looks=film.looks, shots=film.shots)["person"].to_numpy()
    seconds, busy = time.perf_counter() - start, time.process_time() - before
    cast, given = film.who != UNKNOWN, named != UNKNOWN
    right = float((named == film.who)[cast].mean())
    wrong = float((named != film.who)[given].mean()) if given.any() else 0.0
    return seconds, busy, peak_memory(), right, wrong


def peak_memory() -> float:
    """Return the most memory that this process has had so far, MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux the other figure begins with that of the process which started this one
        return float(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class StandIns:
    """A project of films that were never made: each has the tables of one, with strangers of its own."""

    def __init__(self, gallery: pd.DataFrame, folder: Path, count: int) -> None:
        self.gallery, self.rng = gallery, np.random.default_rng(0)
        self.project = facelib.Project("films", folder / "data", folder / "out")
        self.project.videos.mkdir(parents=True)
        self.embedder = facelib.load_embedder("dlib")
        self.threshold = grouping_threshold(self.embedder.name, self.embedder.threshold)
        base = self.film("base.mp4", seed=0)
        table, looks = self.name(base, seed=0), pd.read_parquet(self.project.film(base).looks)
        base.unlink()
        films = [self.stand_in(f"film {number}.mp4", table, looks) for number in range(count)]
        self.settle(films)

    def made_up(self, seed: int) -> MadeUpFilm:
        """Return the pattern of the stand-ins for seed 0, and one more film for any other."""
        return MadeUpFilm(self.gallery, 400 if seed else 40, seed=seed)

    def film(self, name: str, *, seed: int) -> Path:
        """Write what indexing would have written, but for the tracks."""
        path = self.project.videos / name
        path.touch()
        files, made = self._files_of(path), self.made_up(seed)
        write_table(made.looks, files.looks)
        made.shots.to_csv(files.shots, index=False)
        write_text(json.dumps({"made": {"weights": self.embedder.sha256}, "duration": 120.0}), files.followed)
        return path

    def name(self, path: Path, *, seed: int) -> pd.DataFrame:
        """Name a film's tracks, and return them."""
        made = self.made_up(seed)
        vectors, names = np.stack(made.known["embedding"].to_list()), made.known["person"].to_numpy()
        knn = OpenSetKNN(k=5, threshold=self.embedder.threshold).fit(vectors, names)
        tracks = made.tracks.assign(until=made.tracks["end"] + 0.04)
        found = FilmTracks(tracks, 120.0, 120.0)
        return name_film(found, self.project.film(path), knn, info_for(made.known, self.embedder))

    def stand_in(self, name: str, table: pd.DataFrame, looks: pd.DataFrame) -> Path:
        """Write a named film, whose strangers are like nobody else."""
        path = self.project.videos / name
        path.touch()
        files = self._files_of(path)
        turned = self.rng.choice([-1, 1], len(table["embedding"].iloc[0])).astype(np.float32)
        stranger = table["person"] == UNKNOWN
        vectors = [vector * turned if own else vector for vector, own in zip(table["embedding"], stranger, strict=True)]
        write_table(table.assign(embedding=vectors), files.named)
        write_table(looks[["track", "quality"]], files.looks)
        write_text(json.dumps({"made": {"weights": self.embedder.sha256}, "duration": 120.0}), files.followed)
        return path

    def _files_of(self, path: Path) -> facelib.project.layout.FilmFiles:
        """Return the files of a film, whose folder is taken for it as indexing does."""
        files = self.project.film(path)
        files.folder.mkdir(parents=True)
        write_text(f"{path.name}\n", files.source)
        return files

    def settle(self, films: list[Path]) -> None:
        """Settle films as `facelib.films.identify.identify_films` does."""
        settle_films(self.project, films, threshold=self.threshold, weights=self.embedder.sha256)

    def one_more(self, number: int) -> tuple[float, float]:
        """Return the seconds, and the processor's, of naming and settling one more film."""
        path = self.film(f"one more {number}.mp4", seed=number)
        start, before = time.perf_counter(), time.process_time()
        self.name(path, seed=number)
        self.settle([path])
        return time.perf_counter() - start, time.process_time() - before


def measure_films(gallery: pd.DataFrame, counts: Sequence[int], *, repeats: int = 5) -> list[tuple[float, float, int]]:
    """Return the median seconds and processor seconds of one more film, and how many groups of strangers there are."""
    with tempfile.TemporaryDirectory() as folder:
        projects = [StandIns(gallery, Path(folder) / str(count), count) for count in counts]
        for films in projects:
            films.one_more(100)  # to warm up
        times = np.array([[films.one_more(101 + number) for films in projects] for number in range(repeats)])
        tables = [films.project.unknowns / "groups.parquet" for films in projects]
        groups = [len(pd.read_parquet(path, columns=["cluster"])) for path in tables]
    return [(*row, count) for row, count in zip(np.median(times, axis=0).tolist(), groups, strict=True)]


def measure_cast(count: int, *, threshold: float = 0.33) -> tuple[list[float], float]:
    """Return the processor seconds of each test of a cast, and peak memory (MB)."""
    rng, names = np.random.default_rng(0), np.repeat([f"Person {number}" for number in range(count)], 2)
    middles = rng.normal(size=(count + 1, 128))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    faces = np.repeat(0.85 * middles[0] + 0.5 * middles[1:], 2, axis=0)  # 0.7 apart, and one's own 0.2
    faces = (faces + rng.normal(size=faces.shape) * 0.013).astype(np.float32)
    times = [time.process_time()]
    near_duplicate_groups(faces, names, threshold=threshold)
    times.append(time.process_time())
    find_aliases(faces, names, threshold=threshold)
    times.append(time.process_time())
    tried = trials(faces, names, k=20)
    times.append(time.process_time())
    find_look_alikes(tried, fallback=threshold)
    times.append(time.process_time())
    return np.diff(times).tolist(), peak_memory()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tracks", nargs="*", type=int)
    parser.add_argument("--films", nargs="+", type=int, default=[])
    parser.add_argument("--people", nargs="+", type=int, default=[])
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    if arguments.people:
        print("| people | near duplicates | one person under two names | trials | look-alikes | peak MB |")
        print("|---|---|---|---|---|---|")
    for count in arguments.people:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            times, peak = pool.submit(measure_cast, count).result()
        print(f"| {count} | {' | '.join(f'{seconds:.2f}' for seconds in times)} | {peak:.0f} |", flush=True)
    if arguments.people and not (arguments.tracks or arguments.films):
        return
    if not (arguments.data / "film_clips").is_dir():
        print(f"left out: expected film_clips/ in {arguments.data}; name its place with --data")
        return
    gallery = clips_gallery(arguments.data)
    tracks = arguments.tracks or ([] if arguments.films else COUNTS)
    if tracks:
        print("| tracks | seconds | peak MB | processor seconds | cast named right | names that are wrong |")
        print("|---|---|---|---|---|---|")
    for count in tracks:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            seconds, busy, peak, right, wrong = pool.submit(measure, gallery, count).result()
        print(f"| {count} | {seconds:.1f} | {peak:.0f} | {busy:.1f} | {right:.3f} | {wrong:.3f} |", flush=True)
    if not arguments.films:
        return
    print("\n| films there | groups of strangers | one more film, seconds | processor seconds |\n|---|---|---|---|")
    for count, (seconds, busy, groups) in zip(arguments.films, measure_films(gallery, arguments.films), strict=True):
        print(f"| {count} | {groups} | {seconds:.2f} | {busy:.2f} |")


if __name__ == "__main__":
    main()
