"""English of messages."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """Return how many of something there are.

    Example:
        >>> counted(1, "film"), counted(2, "film")
        ('1 film', '2 films')
    """
    return f"{count} {what}{'s' * (count != 1)}"
