"""Saving the chosen threshold, where a refusal is shown at once and raised at the end of the notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facelib.recognize.tuning.choice import ThresholdChoice
from facelib.recognize.tuning.tuning import MOST_UNNAMED, Tuning


@dataclass(frozen=True, slots=True)
class Saved:
    """Whether the recognizer was saved, in words when printed.

    Attributes:
        path: The project's `recognizer`.
        refusal: Why it was not saved; empty where it was, or was not to be.
        asked: Whether it was to be saved.
    """

    path: Path
    refusal: str = ""
    asked: bool = True

    def __str__(self) -> str:
        if self.refusal:
            return f"Not saved: {self.refusal}."
        return f"Saved: {self.path}" if self.asked else "Not saved: the button below saves."

    def files(self) -> list[str]:
        """Return the files of the recognizer that are there.

        Raises:
            ValueError: When saving was refused.
        """
        if self.refusal:
            raise ValueError(self.refusal)
        return [str(path) for path in (self.path, self.path.with_suffix(".json")) if path.is_file()]


def save_choice(
    tuning: Tuning, choice: ThresholdChoice, path: str | Path, *, save: bool = True, most_unnamed: float = MOST_UNNAMED
) -> Saved:
    """Save the recognizer with the chosen threshold; one that leaves too many without a name is refused, not raised.

    So a notebook still shows the figures and the sliders that help to choose a better threshold; its last cell asks for
    `Saved.files`, which raises the refusal. A refusal leaves what was saved at `path` before.

    Raises:
        ValueError: When the threshold is out of range.
        OSError: When the folder cannot be written.
    """
    threshold = choice.measured.threshold
    if not save:
        return Saved(Path(path), asked=False)
    refusal = tuning.refusal(threshold, most_unnamed=most_unnamed)
    if not refusal:
        tuning.save(path, threshold, most_unnamed=most_unnamed, by_hand=choice.by_hand)
    return Saved(Path(path), refusal)
