"""Scenes: different films joined in random order, and scenes that are one.

The clips are joined until there are 432 shots, 20 minutes; a change of clip is a change of scene. A sitcom scene and
others of one place should stay one.

Usage: python benchmarks/scenes.py [--data ../shared/data] [--seeds 5]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from facelib.faces import Image
from facelib.films.media.decode import read_frames
from facelib.films.scenes import background, find_scenes, find_setups, small_picture
from facelib.films.shots import split_shots

SHARED = Path(__file__).parents[2] / "shared" / "data"
SCENES = ("sitcom/videos/scene_a.mp4", "scenes/friends_four/videos/friends.mp4", "scenes/table_one/videos/Video_2.mp4")
SHOTS = 432
Shot = tuple[float, Image]


def shots_of(film: Path) -> list[Shot]:
    """Return the length in seconds and the background of each shot."""
    shots: list[Shot] = []
    small: list[Image] = []
    for item in split_shots(read_frames(film)):
        if item.first:
            small, start = [], item.frame.time
        if item.first or item.last or item.frame.index % 3 == 0:
            small.append(small_picture(item.frame.image()))
        if item.last:
            shots.append((item.frame.time - start, background(small)))
    return shots


def joined(clips: list[list[Shot]], random: np.random.Generator) -> tuple[list[Shot], list[int]]:
    """Return the shots of clips in random order, again and again, and which clip each is of."""
    shots: list[Shot] = []
    whose: list[int] = []
    while len(shots) < SHOTS:
        for clip in random.permutation(len(clips)).tolist():
            shots += clips[clip]
            whose += [clip] * len(clips[clip])
    return shots, whose


def scenes_of(shots: list[Shot]) -> np.ndarray:
    """Return the number of the scene of each shot."""
    starts = np.concatenate([[0], np.cumsum([length for length, _ in shots])[:-1]])
    return find_scenes([picture for _, picture in shots], starts.tolist())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    films = sorted((arguments.data / "film_clips" / "videos").glob("*.mp4"))
    if not films:
        print(f"left out: expected film_clips/ in {arguments.data}; name its place with --data")
        return
    clips = [shots_of(film) for film in films]
    print("| joined, seed | shots | clips | scenes | changes of clip found | cuts within a clip taken for one |")
    print("|---|---|---|---|---|---|")
    for seed in range(arguments.seeds):
        shots, whose = joined(clips, np.random.default_rng(seed))
        scenes = scenes_of(shots)
        parted, changed = np.diff(scenes) > 0, np.diff(whose) != 0
        print(
            f"| {seed} | {len(shots)} | {changed.sum() + 1} | {scenes[-1] + 1} | {parted[changed].mean():.3f} | "
            f"{parted[~changed].sum()} of {(~changed).sum()} |"
        )
    print("\n| one scene | shots | scenes | set-ups |\n|---|---|---|---|")
    for name in SCENES:
        if (arguments.data / name).is_file():
            shots = shots_of(arguments.data / name)
            setups = find_setups([picture for _, picture in shots])
            print(f"| {Path(name).stem} | {len(shots)} | {scenes_of(shots)[-1] + 1} | {setups.max() + 1} |")


if __name__ == "__main__":
    main()
