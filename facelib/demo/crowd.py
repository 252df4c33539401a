"""Extra people for a demo of training: the demo's cast of two is too few for a validation on unseen people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from facelib.demo.figures import Figure, collins, hopper, sample
from facelib.demo.pictures import as_jpeg, vary
from facelib.demo.strangers import Paint, Recipe, draw_stranger
from facelib.project import Project
from facelib.project.files import write_bytes

# Faces of `lfw_subset` that lie far from one another in dlib's embedding.
_FACES = (75, 97, 74, 83, 50, 22, 6, 78, 72, 57, 67, 26, 93, 19, 25, 17)
_SKINS: tuple[Paint, ...] = ((250, 208, 176), (244, 200, 166), (226, 178, 140), (198, 150, 118))
_HAIRS: tuple[Paint, ...] = ((30, 24, 22), (48, 36, 28), (92, 66, 44), (120, 118, 116))
_COATS: tuple[Paint, ...] = ((58, 68, 86), (124, 40, 50), (60, 84, 68), (86, 74, 60), (44, 44, 50))
_SHIRTS: tuple[Paint, ...] = ((216, 218, 224), (40, 34, 38), (206, 196, 172), (150, 170, 200))
MOST_PEOPLE = len(_FACES) + 2


def people_folder(project: Project, people_from: str = "", *, progress: bool = True) -> Path:
    """Return the folder of the people to train on: the one named, or the project's own.

    Each person has a folder of pictures in it. The demo has a cast of two; in its place a crowd is made under
    `output/<project>/training/people`.

    Raises:
        OSError: When the crowd cannot be written.
    """
    if people_from:
        return Path(people_from)
    if not (project.data / "demo.json").is_file() or len(project.find_people()) > 2:
        return project.people
    crowd = project.output / "training" / "people"
    make_crowd(crowd, progress=progress)
    return crowd


def make_crowd(
    folder: Path, *, people: int = 10, pictures: int = 10, seed: int = 0, progress: bool = True
) -> list[Path]:
    """Make varied pictures of the demo's two portraits and of drawn people, each in a folder of their own.

    What is there already stays. Takes about 10 s.
    At most `MOST_PEOPLE` are drawn. The same seed gives the same pictures.

    Returns:
        The pictures.

    Raises:
        ValueError: When there are not so many people to draw.
        OSError: When the folder cannot be written.
    """
    if not 1 <= people <= MOST_PEOPLE:
        raise ValueError(f"expected 1 to {MOST_PEOPLE} people, got {people!r}")
    figures = (collins(), hopper(), *_drawn(people - 2))[:people]
    paths = []
    with tqdm(total=len(figures) * pictures, desc="crowd", unit=" pictures", leave=False, disable=not progress) as bar:
        for which, figure in enumerate(figures):
            for number in range(1, pictures + 1):
                paths.append(folder / figure.person / f"{number:02}.jpg")
                if not paths[-1].is_file():
                    rng = np.random.default_rng([seed, which, number, 8])
                    picture = vary(figure, rng, own_background=which < 2 and number % 2 == 1, grey=number % 11 == 6)
                    write_bytes(as_jpeg(picture, rng), paths[-1])
                bar.update()
    return paths


def _drawn(people: int) -> tuple[Figure, ...]:
    """Return drawn people, each with a face of `lfw_subset` and colours of their own."""
    faces = sample("lfw_subset")
    figures = []
    for number, index in enumerate(_FACES[: max(people, 0)]):
        rng = np.random.default_rng([index, 8])
        skin, hair, coat, shirt = (each[rng.integers(len(each))] for each in (_SKINS, _HAIRS, _COATS, _SHIRTS))
        oval, box = (12.2, 12.3, 9.4, 12.0), (2.5, 4.0, 19.0)
        recipe = Recipe(index, oval, box, skin, hair, coat, shirt, long_hair=bool(rng.random() < 0.5))
        drawn = draw_stranger(recipe, faces[index])
        figures.append(Figure(f"Person {chr(ord('A') + number)}", drawn.image, drawn.alpha, drawn.face))
    return tuple(figures)
