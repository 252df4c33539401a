"""What one choice of k and threshold does to every face, looked up in trials that were made before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.project.names import UNKNOWN
from facelib.recognize.thresholds import Lookups, Trials

MistakeKind = Literal["cast", "left out", "stranger"]
"""Who a false match is of: one of the cast, one of the cast while out of the gallery, or a picture of a stranger."""

STRANGER = "stranger"
"""The row of the confusion matrix for faces of nobody in the gallery."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of faces.

    Attributes:
        right: Faces of the cast named rightly.
        wrong: Faces of the cast named as another.
        rejected: Faces of the cast given no name.
        strangers_named: Impostor trials given a name.
        strangers: All impostor trials.
    """

    right: int
    wrong: int
    rejected: int
    strangers_named: int
    strangers: int

    @property
    def cast(self) -> int:
        """All genuine trials."""
        return self.right + self.wrong + self.rejected

    @property
    def fpir(self) -> float:
        """The fraction of strangers given a name; NaN without trials."""
        return self.strangers_named / self.strangers if self.strangers else math.nan

    @property
    def fnir(self) -> float:
        """The fraction of the cast not given their name; NaN without trials."""
        return 1 - self.right / self.cast if self.cast else math.nan


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """One choice of k and threshold; each figure is made when it is first asked for, in milliseconds.

    Attributes:
        k: How many of the nearest faces vote.
        threshold: In the recognizer's own unit.
        trials: The trials at this k, in distances.
        distance: The threshold as a distance of the trials.
        at_least: Whether the recognizer's unit is a probability, 1 less the distance.
    """

    k: int
    threshold: float
    trials: Trials
    distance: float
    at_least: bool

    @cached_property
    def counts(self) -> Counts:
        """How many faces are named rightly, named wrongly and rejected."""
        named, right = self._cast_named, self._cast_right
        return Counts(
            right=int(right.sum()),
            wrong=int((named & ~right).sum()),
            rejected=int((~named).sum()),
            strangers_named=int(self._others_named.sum()),
            strangers=len(self.trials.others),
        )

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Faces by person (rows) and name given (columns); the last row is strangers, the last column `unknown`."""
        people = [*self.trials.people]
        nobody = len(people)
        table = np.zeros((nobody + 1, nobody + 1), np.int64)
        given = np.where(self._cast_named, self.trials.gallery[self._cast_carrier], nobody)
        np.add.at(table, (self.trials.genuine, given), 1)
        strange = np.where(self._others_named, self.trials.gallery[self._others_carrier], nobody)
        table[nobody] = np.bincount(strange, minlength=nobody + 1)
        return pd.DataFrame(
            table, index=pd.Index([*people, STRANGER], name="person"), columns=pd.Index([*people, UNKNOWN], name="name")
        )

    @cached_property
    def false_matches(self) -> pd.DataFrame:
        """The faces given a name that is not theirs, the most certain mistake first.

        `kind` (see `MistakeKind`), `probe` (row in `gallery.used`, or for a stranger in `strangers.used`), `person`
        (empty for strangers), `name`, `carrier` (row in `gallery.used` of the face that carried the name), `score`
        (of the trial, in the threshold's unit).
        """
        wrong, strange = self._cast_named & ~self._cast_right, self._others_named
        strangers = self.trials.others.people >= len(self.trials.people)
        parts = [
            self._rows(self.trials.cast, wrong, self._cast_carrier, "cast"),
            self._rows(self.trials.others, strange & ~strangers, self._others_carrier, "left out"),
            self._rows(self.trials.others, strange & strangers, self._others_carrier, "stranger"),
        ]
        return self._surest_first(pd.concat(parts, ignore_index=True))

    @cached_property
    def false_rejections(self) -> pd.DataFrame:
        """The faces of the cast that are given no name, the nearest miss first; columns as in `false_matches`.

        `name` and `carrier` are of the nearest face: who it would have been.
        """
        return self._surest_first(self._rows(self.trials.cast, ~self._cast_named, self._cast_carrier, "cast"))

    def _rows(
        self, lookups: Lookups, chosen: NDArray[np.bool_], carrier: NDArray[np.intp], kind: MistakeKind
    ) -> pd.DataFrame:
        names = np.array([*self.trials.people, ""], dtype=object)
        carried = carrier[chosen]
        nearest = lookups.distances[chosen, 0]
        return pd.DataFrame(
            {
                "kind": np.full(len(carried), kind, object),
                "probe": lookups.probes[chosen],
                "person": names[np.minimum(lookups.people[chosen], len(names) - 1)],
                "name": names[self.trials.gallery[carried]],
                "carrier": carried,
                "score": 1 - nearest if self.at_least else nearest,
            }
        )

    def _surest_first(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.sort_values("score", ascending=not self.at_least, kind="stable", ignore_index=True)

    @cached_property
    def _cast_named(self) -> NDArray[np.bool_]:
        return self.trials.named(self.distance)

    @cached_property
    def _cast_carrier(self) -> NDArray[np.intp]:
        return self.trials.cast.carrier(self.distance)

    @cached_property
    def _cast_right(self) -> NDArray[np.bool_]:
        return self.trials.named_right(self.distance)

    @cached_property
    def _others_named(self) -> NDArray[np.bool_]:
        return np.asarray(self.trials.impostor_distances <= self.distance)

    @cached_property
    def _others_carrier(self) -> NDArray[np.intp]:
        return self.trials.others.carrier(self.distance)
