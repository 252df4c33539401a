"""The pace of pictures to a page: no faster than it shows them, and only while it is open."""

from __future__ import annotations

from dataclasses import dataclass, field

_UNANSWERED = 1.0  # seconds after which a picture is sent although the page did not say that it has the last one
_QUIET = 5.0  # seconds after which the last picture is sent again, to learn whether the page is still open
_LEFT = 4.0  # seconds for a page that removed the picture to show it again


@dataclass(slots=True)
class Pace:
    """Decides when the next picture may go to the page, and when the page is closed.

    A page answers each picture with its number once it is drawn, and only then gets the next: where it is slow, it
    gets fewer pictures, and none waits in a queue to grow old. All times are of `time.monotonic`.

    Args:
        pause: Seconds between two pictures at least.
        patience: Seconds without an answer after which the page counts as closed.

    Attributes:
        delay: Seconds from the arrival of the last answered picture to its being drawn; NaN before the first.
        heard: Whether any page ever answered; a run without a page, as with papermill, is not stopped.
    """

    pause: float
    patience: float
    delay: float = float("nan")
    heard: bool = False
    _number: int = field(init=False, default=0)
    _arrived: float = field(init=False, default=0.0)
    _sent: float = field(init=False, default=float("-inf"))
    _waiting: float | None = field(init=False, default=None)  # since when an answer is awaited
    _grace: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Begin without a page."""
        self._grace = self.patience

    def may_send(self, now: float) -> bool:
        """Return whether a new picture may go out."""
        since = now - self._sent
        return since >= self.pause and (self._waiting is None or since >= _UNANSWERED)

    def is_quiet(self, now: float) -> bool:
        """Return whether nothing was sent for so long that the page should be asked for a sign of life."""
        return now - self._sent >= _QUIET

    def sent(self, number: int, now: float, *, arrived: float) -> None:
        """Note that a picture went out, and when it had arrived from its source."""
        self._number, self._arrived, self._sent = number, arrived, now
        if self._waiting is None:
            self._waiting = now

    def answered(self, number: int, now: float) -> None:
        """Note what the page said that it shows; -1: nothing any more."""
        self.heard = True
        if number < 0:
            self._grace, self._waiting = min(_LEFT, self.patience), now
            return
        self._grace = self.patience
        if number == self._number:
            self._waiting, self.delay = None, now - self._arrived

    def excuse(self, now: float) -> None:
        """Count the page's silence from now on only: it could not have been heard before."""
        if self._waiting is not None:
            self._waiting = now

    def is_alone(self, now: float) -> bool:
        """Return whether there was a page, and it has been silent for too long."""
        return self.heard and self._waiting is not None and now - self._waiting > self._grace
