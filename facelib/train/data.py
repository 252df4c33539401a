"""Training data: folders of people, their faces as one array, people held out for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facelib.embed import InputForm
from facelib.faces import Image
from facelib.gallery.decisions import find_disabled
from facelib.images import find_pictures_below
from facelib.project import Project
from facelib.project.identities import merged


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The pictures of people who have enough of them, and who was left out.

    Attributes:
        folder: Where they lie.
        table: One row per picture, sorted by person: `picture` (path relative to `folder`, with `/`) and `person`.
        left_out: One row per person with too few pictures: `person`, `pictures`.
    """

    folder: Path
    table: pd.DataFrame
    left_out: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Faces cut out for a network, in memory or in a file that is mapped into it.

    Attributes:
        images: `(m, size, size, 3)` uint8, RGB; read-only where it is a mapped file.
        table: One row per face: `picture`, `person`, `row` (its place in `images`), `digest` (of its pixels).
        left_out: One row per picture that gave no face: `picture`, `person`, `reason`.
        form: How the faces were cut out: its `size` and `alignment`.
    """

    images: Image
    table: pd.DataFrame
    left_out: pd.DataFrame
    form: InputForm

    @classmethod
    def of(cls, images: Image, names: Sequence[str], *, form: InputForm | None = None) -> Self:
        """Make crops from faces that are cut out already.

        Args:
            images: `(n, size, size, 3)` uint8, RGB.
            names: The person of each.
            form: How they were cut out; None says five points.

        Raises:
            ValueError: When shapes or lengths do not fit.
        """
        found = np.asarray(images)
        if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1] != found.shape[2] or found.shape[3] != 3:
            raise ValueError(
                f"expected faces of shape (n, size, size, 3) and dtype uint8, got {found.shape!r} and {found.dtype!s}"
            )
        if len(found) != len(names):
            raise ValueError(f"expected one name per face, got {len(names)} names and {len(found)} faces")
        pictures = [f"{number:06d}" for number in range(len(found))]
        digests = [pixel_digest(image) for image in found]
        table = pd.DataFrame({"picture": pictures, "person": list(names), "row": range(len(found)), "digest": digests})
        return cls(found, table, no_pictures(), form or InputForm(size=found.shape[1] or 1))

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.table)

    @property
    def names(self) -> list[str]:
        """The different people, sorted."""
        return sorted(self.table["person"].unique())

    @property
    def labels(self) -> NDArray[np.int64]:
        """The person of each face as its number in `names`, `(n,)`."""
        return np.searchsorted(np.array(self.names, object), self.table["person"].to_numpy(object)).astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """A hash of people and pixels, by which a training recognises its data."""
        rows = self.table[["person", "digest"]].to_csv(index=False)
        return hashlib.blake2b(rows.encode(), digest_size=16).hexdigest()

    def faces(self, numbers: ArrayLike) -> Image:
        """Return some of the faces, `(k, size, size, 3)` uint8, by their 0-based places in `table`."""
        return np.asarray(self.images[self.table["row"].to_numpy()[np.asarray(numbers, np.intp)]], np.uint8)

    def of_people(self, names: Sequence[str]) -> Self:
        """Return the faces of some of the people."""
        table = self.table[self.table["person"].isin(names)].reset_index(drop=True)
        left_out = self.left_out[self.left_out["person"].isin(names)].reset_index(drop=True)
        return type(self)(self.images, table, left_out, self.form)


def read_people(folder: str | Path, *, least_pictures: int = 5, level: int | None = None) -> People:
    """List the pictures of people, one folder each.

    LFW (`Name/Name_0001.jpg`), FaceScrub (`actors/faces/Name/...`), MS-Celeb (`m.0abc/...`) and a project's own
    `people/Name/...` are all read; files that are no pictures and hidden files are skipped. A
    person who has several folders, such as `actors/faces/Name` and `actors/images/Name`, is one person.

    Args:
        folder: Holds the folders of the people, directly or further down.
        least_pictures: People with fewer are left out, and listed.
        level: Which folder on the way to a picture names the person, 1 being the first below `folder`; None takes
            the one in which the picture lies.

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When there is nobody with enough pictures, or an option is out of range.

    Examples:
        >>> read_people("nowhere")
        Traceback (most recent call last):
        ...
        FileNotFoundError: expected a folder with one folder of pictures per person, found none at 'nowhere'
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"expected a folder with one folder of pictures per person, found none at {str(folder)!r}"
        )
    if least_pictures < 1 or (level is not None and level < 1):
        raise ValueError(f"expected least_pictures and level of at least 1, got {least_pictures!r} and {level!r}")
    below = [path.relative_to(folder) for path in find_pictures_below(folder).pictures]
    rows = [
        (path.as_posix(), path.parts[(level or len(path.parts) - 1) - 1])
        for path in below
        if len(path.parts) > (level or 1)
    ]
    return _with_enough(rows, folder, least_pictures)


def _with_enough(rows: Sequence[tuple[str, str]], folder: Path, least_pictures: int) -> People:
    """Leave out the people with too few pictures."""
    table = pd.DataFrame(rows, columns=["picture", "person"], dtype=object).sort_values(["person", "picture"])
    counts = table["person"].value_counts().sort_index()
    enough = counts[counts >= least_pictures]
    few = counts[counts < least_pictures]
    if not len(enough):
        raise ValueError(
            f"expected people with at least {least_pictures} pictures each in {str(folder)!r}, found {len(few)} with "
            f"fewer; put each person's pictures into a folder named as the person is, or lower least_pictures"
        )
    left_out = pd.DataFrame({"person": few.index.to_list(), "pictures": few.to_list()})
    return People(folder, table[table["person"].isin(enough.index)].reset_index(drop=True), left_out)


def read_cast(folder: str | Path, project: Project, *, least_pictures: int = 5) -> People:
    """Read the people to train on, as `read_people` does; a project's own cast as it stands after its user's decisions.

    In the project's `people/`, merged names are one person, who has all pictures in the folders below the person's, and
    what `disabled.txt` leaves out is not trained on. People with fewer than `least_pictures` are left out, and listed.

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When there is nobody with enough pictures, or `disabled.txt` or `corrections.csv` cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir() or not project.people.is_dir() or not folder.samefile(project.people):
        return read_people(folder, least_pictures=least_pictures)
    into = merged(project)
    places = {
        project.label(path): (path.relative_to(project.people).as_posix(), into.get(person, person))
        for person in project.find_people()
        for path in project.find_pictures(person)
    }
    left_out = find_disabled(project, places.keys())
    return _with_enough([row for label, row in places.items() if label not in left_out], folder, least_pictures)


def split_people(
    crops: Crops, *, share: float = 0.2, people: int | Sequence[str] | None = None, seed: int = 0
) -> tuple[Crops, Crops]:
    """Split the people into training and validation; nobody is in both.

    The draw depends only on the name and the seed, so that most people stay in their group when others are added.

    Args:
        crops: Of all of them.
        share: Fraction of the people to validate with.
        people: Their number or names, in place of `share`.
        seed: Another seed draws other people.

    Returns:
        The crops to train on, and those to validate with.

    Raises:
        ValueError: When fewer than two people would be left on a side, or a name is not among them.
    """
    names = crops.names
    if isinstance(people, str):
        raise ValueError(f"expected a number or a list of names for people, got the text {people!r}")
    if people is None or isinstance(people, int):
        count = round(share * len(names)) if people is None else people
        lots = sorted(names, key=lambda name: hashlib.blake2b(f"{seed} {name}".encode()).digest())
        chosen = set(lots[: max(0, count)])
    else:
        chosen = set(people)
        if missing := sorted(chosen - set(names)):
            raise ValueError(f"expected people among {names!r}, got {missing!r} as well")
    if min(len(chosen), len(names) - len(chosen)) < 2:
        raise ValueError(
            f"expected at least two people to train on and two to validate with, got {len(names) - len(chosen)} and "
            f"{len(chosen)} of {len(names)}; add people, or change share={share!r} or people={people!r}"
        )
    rest = [name for name in names if name not in chosen]
    return crops.of_people(rest), crops.of_people(sorted(chosen))


def pixel_digest(image: Image) -> str:
    """Return a hash of a face's pixels."""
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=8).hexdigest()


def no_pictures() -> pd.DataFrame:
    """Return the empty table of pictures left out."""
    return pd.DataFrame(columns=["picture", "person", "reason"], dtype=object)
