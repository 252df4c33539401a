"""Whether the trials say enough, and what would be needed, in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from facelib.recognize.thresholds.trials import Trials

FEWEST_PEOPLE = 10
"""With fewer people, one or two of whom may look alike or very unlike, strangers cannot be judged by the cast."""

ERRORS_NEEDED = 3
"""How many impostor trials must be allowed to err before a rate can be read from them."""

_MOST_LISTED = 4


def people_tried(outcome: Trials) -> int:
    """Return how many people stood for strangers; every picture of the strangers' folder counts as one."""
    return len(outcome.people) + outcome.strangers


def trials_needed(wanted_fpir: float) -> int | None:
    """Return how many impostor trials a wanted FPIR takes; None when no number is enough.

    Example:
        >>> trials_needed(0.01)
        300
    """
    return math.ceil(ERRORS_NEEDED / wanted_fpir - 1e-9) if wanted_fpir > 0 else None


def enough_to_fit(outcome: Trials, wanted_fpir: float) -> bool:
    """Return whether a threshold can be fitted on these trials."""
    needed = trials_needed(wanted_fpir)
    return people_tried(outcome) >= FEWEST_PEOPLE and needed is not None and len(outcome.impostor) >= needed


def pictures_to_add(names: ArrayLike, count: int) -> dict[str, int]:
    """Share out pictures that are to be added, so that the people with the fewest come level.

    Args:
        names: `(n,)`, the person of each picture there is.
        count: How many to add.

    Returns:
        How many of each person, most first; people who need none are left out.

    Example:
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


def advice_on(outcome: Trials, measured: float, fallback: float, wanted: float) -> str:
    """Say what to make of a fitted threshold.

    Args:
        outcome: The trials.
        measured: The threshold that they alone would give.
        fallback: The embedder's own; NaN where nobody measured it.
        wanted: The wanted FPIR.
    """
    count, tried = len(outcome.people), len(outcome.impostor)
    people = "1 person" if count == 1 else f"{count} people"
    by = f"{people} and {_strangers(outcome)}" if outcome.strangers else people
    shown = f"the trials alone would give {measured:.4f}" if tried else "there are no trials of strangers"
    capped = (
        f"so the threshold is kept at or below the embedder's own, {fallback:.4f}"
        if math.isfinite(fallback)
        else "yet nobody measured a threshold for this embedder, and it is taken for want of better"
    )
    if people_tried(outcome) < FEWEST_PEOPLE:
        return (
            f"With {by} in the gallery {shown}, which is no evidence: fewer than {FEWEST_PEOPLE} people cannot "
            f"stand for all strangers, {capped}. To fit it, {_more_people(outcome, wanted)}."
        )
    if not enough_to_fit(outcome, wanted):
        return (
            f"{tried} impostor trials of {by} are too few to see a wanted FPIR of {wanted:g}: {_needed(wanted)} would "
            f"do; {shown}, {capped}. {_more_pictures(outcome, wanted)}"
        )
    return f"Fitted on {tried} impostor trials of {by}."


def _strangers(outcome: Trials) -> str:
    return "1 picture of strangers" if outcome.strangers == 1 else f"{outcome.strangers} pictures of strangers"


def _needed(wanted: float) -> str:
    needed = trials_needed(wanted)
    return "no number" if needed is None else f"about {needed}"


def _more_people(outcome: Trials, wanted: float) -> str:
    needed = trials_needed(wanted) or FEWEST_PEOPLE
    strangers = max(needed - len(outcome.impostor), FEWEST_PEOPLE - people_tried(outcome))
    return (
        f"add pictures of at least {FEWEST_PEOPLE} people, or {strangers} pictures of different people who are not "
        f"of the cast to the project's strangers folder"
    )


def _more_pictures(outcome: Trials, wanted: float) -> str:
    needed = trials_needed(wanted)
    if needed is None:
        return "Want a larger FPIR."
    lacking = needed - len(outcome.impostor)
    names = np.array(outcome.people)[outcome.gallery]
    shared = list(pictures_to_add(names, lacking).items())
    listed = ", ".join(f"{more} more {_pictures(more)} of {person}" for person, more in shared[:_MOST_LISTED])
    rest = sum(more for _, more in shared[_MOST_LISTED:])
    others = f" and {rest} of {len(shared) - _MOST_LISTED} others" if rest else ""
    return f"Add {listed}{others}, or {lacking} {_pictures(lacking)} of strangers, or want a larger FPIR."


def _pictures(count: int) -> str:
    return "picture" if count == 1 else "pictures"
