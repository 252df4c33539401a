"""The demo project, generated from pictures that installed packages carry."""

from __future__ import annotations

import json
from pathlib import Path

from tqdm.auto import tqdm

from facelib.demo.figures import collins, hopper
from facelib.demo.film import FRAME_RATE, write_demo_film
from facelib.demo.pictures import PICTURES, gallery
from facelib.demo.script import SHOTS
from facelib.demo.strangers import strangers
from facelib.project import Project, write_text
from facelib.project.digests import sha256_of
from facelib.project.files import write_bytes

_FILMS = ("demo.mp4", "demo_vfr.mp4")
_LONGEST_SHOT = 600.0  # seconds
VERSION = 1  # raised whenever the demo's content changes, so that an older one is made again


def make_demo(project: Project, *, seed: int = 0, seconds_per_shot: float = 3.0, progress: bool = True) -> None:
    """Make the demo: pictures of a cast of two, a film with them and with strangers, and its ground truth.

    Under the project's `people/` come 24 varied pictures each of Eileen Collins and Grace Hopper, and four
    faults for the gallery to find: a duplicate, a picture with both, a truncated file and a picture without
    a face. Under `videos/` come `demo.mp4` (H.264 with AAC sound, 640x360, 25 frames a second, ten shots)
    and `demo_vfr.mp4`, the same with a variable frame rate. `truth/demo.csv` and `truth/demo_vfr.csv` beside
    them have a row for every face in every frame: `frame` (0-based), `left top right bottom` (pixels) and
    `person` (`unknown` for strangers). `demo.json` names every file with its sha256.

    When all of it is there and whole, nothing is done; otherwise it is made again. Files that were added to a demo
    are left alone. The same seed gives the same pictures and film on one machine. Takes about 20 s.

    Args:
        project: Where to make it.
        seed: Seeds everything drawn by chance.
        seconds_per_shot: 0.08 to 600; the film has ten shots.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: When `seconds_per_shot` is too short for two frames, or too long.
        FileExistsError: When the project is another one, with pictures or films.
        OSError: When the project's folder cannot be written.
    """
    if not 2 / FRAME_RATE <= seconds_per_shot <= _LONGEST_SHOT:
        raise ValueError(f"expected seconds_per_shot of {2 / FRAME_RATE} to {_LONGEST_SHOT}, got {seconds_per_shot!r}")
    frames_per_shot = round(seconds_per_shot * FRAME_RATE)
    made_with = {"version": VERSION, "seed": seed, "frames_per_shot": frames_per_shot}
    manifest = project.data / "demo.json"
    if _is_whole(manifest, made_with):
        return
    cast = (collins(), hopper())
    own = {*(figure.person for figure in cast), *_FILMS}
    folders = [folder for folder in (project.people, project.videos) if folder.is_dir()]
    others = {path.name for folder in folders for path in folder.iterdir() if not path.name.startswith(".")} - own
    if others and not manifest.exists():
        raise FileExistsError(
            f"expected a new project or a demo in {str(project.data)!r}, found one with pictures or films of its own; "
            "choose another name"
        )
    paths = []
    with tqdm(
        total=2 * PICTURES + 4 + SHOTS * frames_per_shot,
        unit=" pictures",
        desc="demo",
        leave=False,
        disable=not progress,
    ) as bar:
        for name, content in gallery(cast, seed=seed):
            paths.append(project.people / name)
            write_bytes(content, paths[-1])
            bar.update()
        truth = project.data / "truth"
        figures = (*cast, *strangers())
        films = write_demo_film(figures, videos=project.videos, truth=truth, frames_per_shot=frames_per_shot, seed=seed)
        for _ in films:
            bar.update()
    paths += [place for film in _FILMS for place in (project.videos / film, (truth / film).with_suffix(".csv"))]
    files = {path.relative_to(project.data).as_posix(): sha256_of(path) for path in paths}
    write_text(json.dumps({**made_with, "files": files}, indent=1, ensure_ascii=False) + "\n", manifest)


def _is_whole(manifest: Path, made_with: dict[str, int]) -> bool:
    """Return whether the demo was made with these parameters and all its files are still as they were made."""
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        if {key: found[key] for key in made_with} != made_with:
            return False
        return all(sha256_of(manifest.parent / name) == digest for name, digest in found["files"].items())
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return False
