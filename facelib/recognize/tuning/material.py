"""What a gallery is tested with: its faces, those of one source, strangers, and names that may be one person."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from facelib.embed.neighbours import ALIKE
from facelib.faces import FloatArray
from facelib.gallery import Gallery, find_aliases
from facelib.recognize import OpenSetSVM
from facelib.recognize.thresholds import Trials, near_duplicate_groups, trials
from facelib.recognize.thresholds.trials import strangers_to_each_other
from facelib.recognize.tuning.svm import svm_trials


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What all trials of a gallery have in common.

    Attributes:
        vectors: `(n, d)`, of the faces in use.
        names: `(n,)`.
        groups: `(n,)`, the source of each face; None where near duplicates are tried against each other.
        strangers: `(s, d)`; None where there are none.
        aliases: Pairs of names that may be one person's.
        copies: The distance within which two faces are of one picture; 0 where nobody measured the threshold.
    """

    vectors: FloatArray
    names: NDArray[Any]
    groups: NDArray[np.intp] | None
    strangers: FloatArray | None
    aliases: tuple[tuple[str, str], ...]
    copies: float

    @classmethod
    def of(
        cls,
        gallery: Gallery,
        *,
        fallback: float,
        strangers: Gallery | ArrayLike | None,
        aliases: Iterable[tuple[str, str]] | None,
        leave_out_near_duplicates: bool,
    ) -> Self:
        """Take it from a gallery; the arguments are those of `tune`.

        Raises:
            ValueError: When no face is used, or the strangers were embedded by another network than the gallery's.
        """
        vectors, names = gallery.vectors, gallery.names
        if aliases is None:
            found = find_aliases(vectors, names, threshold=fallback)
            aliases = zip(found["person"], found["other"], strict=True)
        return cls(
            vectors,
            names,
            near_duplicate_groups(vectors, names, threshold=fallback) if leave_out_near_duplicates else None,
            _vectors_of(strangers, gallery),
            tuple((str(one), str(other)) for one, other in aliases),
            0.0 if math.isnan(fallback) else ALIKE * fallback,
        )

    @property
    def near_duplicates(self) -> int:
        """How many faces are not tried against others, for being of the same source."""
        return 0 if self.groups is None else int((np.bincount(self.groups)[self.groups] > 1).sum())

    def trials(self, **options: Any) -> Trials:
        """Try the faces by their distances, see `thresholds.trials`, which takes the options."""
        given = {"groups": self.groups, "strangers": self.strangers, "aliases": self.aliases, "copies": self.copies}
        return trials(self.vectors, self.names, **(given | options))

    def svm_trials(self, svm: OpenSetSVM, *, seed: int, progress: bool) -> Trials:
        """Try the faces by machines that have not seen them, see `svm_trials`."""
        return svm_trials(
            svm,
            self.vectors,
            self.names,
            groups=self.groups,
            strangers=self.strangers,
            aliases=self.aliases,
            seed=seed,
            progress=progress,
        )

    def with_aliases_as_one(self) -> Self:
        """Return it with each pair of aliases as one person: a name taken for the other is no mistake of theirs."""
        people, codes = np.unique(self.names, return_inverse=True)
        person = connected_components(~strangers_to_each_other(people, self.aliases), directed=False)[1]
        return replace(self, names=person[codes].astype(str), aliases=())


def _vectors_of(strangers: Gallery | ArrayLike | None, gallery: Gallery) -> FloatArray | None:
    if not isinstance(strangers, Gallery):
        return None if strangers is None else np.asarray(strangers, np.float32)
    if strangers.weights_sha256 != gallery.weights_sha256:
        raise ValueError(
            f"expected strangers embedded by {gallery.embedder!r} with the gallery's weights, got them by "
            f"{strangers.embedder!r}; embed the strangers folder again"
        )
    return None if strangers.used.empty else strangers.vectors
