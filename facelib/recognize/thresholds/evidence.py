"""Whether there are enough trials to fit a threshold, and what is missing, in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from facelib.project.wording import counted
from facelib.recognize.thresholds.trials import Trials

FEWEST_PEOPLE = 10
"""With fewer people, the cast cannot stand in for strangers: one or two may look unusually alike or different."""

ERRORS_NEEDED = 3
"""How many impostor trials must be allowed to err before a rate can be read from them."""

_MOST_LISTED = 4


def people_tried(outcome: Trials) -> int:
    """Return how many people were tested as strangers; every picture of the strangers' folder counts as one."""
    return len(outcome.people) + outcome.strangers


def trials_needed(wanted_fpir: float) -> int | None:
    """Return how many impostor trials a wanted FPIR takes; None when no number is enough.

    Examples:
        >>> trials_needed(0.01)
        300
    """
    return math.ceil(ERRORS_NEEDED / wanted_fpir - 1e-9) if wanted_fpir > 0 else None


def evidence(outcome: Trials, wanted_fpir: float) -> float:
    """Return how many impostor trials count, in parts of those that a wanted FPIR takes.

    Faces of one person are no independent trials, so nobody counts for more than one in `FEWEST_PEOPLE` of what is
    needed. 0 where no number is enough.
    """
    needed = trials_needed(wanted_fpir)
    if needed is None:
        return 0.0
    return float(np.minimum(np.bincount(outcome.impostor), needed / FEWEST_PEOPLE).sum() / needed)


def enough_to_fit(outcome: Trials, wanted_fpir: float) -> bool:
    """Return whether a threshold can be fitted on these trials."""
    return people_tried(outcome) >= FEWEST_PEOPLE and evidence(outcome, wanted_fpir) >= 1 - 1e-9


def weight_of(outcome: Trials, wanted_fpir: float) -> float:
    """Return the weight of the trials against the embedder's own threshold, 0 to below 1; 0 with just enough of them.

    Of casts of 10 to 40 people drawn from Labeled Faces in the Wild the trials' own threshold scatters by 0.02 to
    0.04, and named up to 25 % of the others where 1 % was wanted; weighted, the mean rate is nearest to the wanted one.
    """
    return 1 - 1 / evidence(outcome, wanted_fpir) if enough_to_fit(outcome, wanted_fpir) else 0.0


def pictures_to_add(names: ArrayLike, count: int) -> dict[str, int]:
    """Distribute pictures to be added so that the people with the fewest catch up.

    Args:
        names: `(n,)`, the person of each picture there is.
        count: How many to add.

    Returns:
        How many of each person, most first; people who need none are left out.

    Examples:
        >>> pictures_to_add(["Ada"] * 3 + ["Grace"] * 5 + ["Mary"] * 9, 4)
        {'Ada': 3, 'Grace': 1}
    """
    people, had = np.unique(np.asarray(names, dtype=str), return_counts=True)
    now = had.copy()
    for _ in range(count):
        now[now.argmin()] += 1
    added = now - had
    order = np.argsort(-added, kind="stable")
    return {str(people[row]): int(added[row]) for row in order if added[row]}


def advice_on(outcome: Trials, measured: float, fallback: float, wanted: float, chosen: float) -> str:
    """Say how reliable a fitted threshold is."""
    count, tried = len(outcome.people), len(outcome.impostor)
    people = counted(count, "person")
    by = f"{people} and {counted(outcome.strangers, 'picture')} of strangers" if outcome.strangers else people
    shown = f"the trials alone would give {measured:.4f}" if tried else "there are no trials of strangers"
    source = "the embedder's own" if chosen == fallback else "a guess"
    capped = f"so the threshold is {source}, {chosen:.4f}"
    if math.isnan(fallback):
        capped = "but no threshold was measured for this embedder, so this one is used anyway"
    if people_tried(outcome) < FEWEST_PEOPLE:
        return (
            f"With {by} in the gallery {shown}, which is not enough evidence: fewer than {FEWEST_PEOPLE} people cannot "
            f"stand for all strangers, {capped}. To fit it, {_more_people(outcome, wanted)}."
        )
    if not enough_to_fit(outcome, wanted):
        needed = trials_needed(wanted)
        return (
            f"{tried} impostor trials of {by} are too few to see a wanted FPIR of {wanted:g}: "
            f"{'no number' if needed is None else f'about {needed}'} would do; {shown}, {capped}. "
            f"{_more_pictures(outcome, wanted)}"
        )
    weight = weight_of(outcome, wanted)
    blend = (
        f" They alone would give {measured:.4f}, and count {weight:.0%}; the embedder's own {fallback:.4f} is the rest."
        if math.isfinite(fallback)
        else ""
    )
    return f"Fitted on {tried} impostor trials of {by}.{blend}"


def _more_people(outcome: Trials, wanted: float) -> str:
    needed = trials_needed(wanted) or FEWEST_PEOPLE
    strangers = max(needed - len(outcome.impostor), FEWEST_PEOPLE - people_tried(outcome))
    return (
        f"add pictures of at least {FEWEST_PEOPLE} people, or {strangers} pictures of different people outside "
        f"the cast to the project's strangers folder"
    )


def _more_pictures(outcome: Trials, wanted: float) -> str:
    needed = trials_needed(wanted)
    if needed is None:
        return "Choose a larger FPIR."
    lacking = math.ceil(needed * (1 - evidence(outcome, wanted)) - 1e-9)
    names = np.array(outcome.people)[outcome.gallery]
    shared = list(pictures_to_add(names, lacking).items())
    listed = ", ".join(f"{counted(more, 'more picture')} of {person}" for person, more in shared[:_MOST_LISTED])
    rest = sum(more for _, more in shared[_MOST_LISTED:])
    others = f" and {rest} of {len(shared) - _MOST_LISTED} others" if rest else ""
    return f"Add {listed}{others}, or {counted(lacking, 'picture')} of strangers, or choose a larger FPIR."
