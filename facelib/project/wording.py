"""English of messages."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """Return how many of something there are.

    Example:
        >>> counted(1, "film"), counted(2, "film")
        ('1 film', '2 films')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def in_one_line(error: BaseException) -> str:
    r"""Return the message of an error in one line.

    Example:
        >>> in_one_line(ValueError("two\n  lines")), in_one_line(ValueError())
        ('two lines', 'without a message')
    """
    return " ".join(str(error).split()) or "without a message"
