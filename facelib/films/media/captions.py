"""Closed captions that broadcasts embed in the coded pictures (CTA-608 and CTA-708, as ATSC A/53 user data)."""

from __future__ import annotations

_MARK = b"GA94\x03"
_VALID, _KIND, _LINE_21 = 4, 3, 1  # of the first of three bytes: whether they count, and what they are for
_PARITY = 0x7F
_LOOKED_AT = 1500  # packets: a minute at 25 pictures per second


class CaptionFinder:
    """Looks for captions in the first minute of a film's packets.

    Attributes:
        found: Whether there are any; the empty captions that many encoders write do not count.
    """

    def __init__(self) -> None:
        self.found = False
        self._left = _LOOKED_AT

    def push(self, packet: object) -> None:
        """Take the next packet of pictures."""
        if self.found or not self._left:
            return
        self._left -= 1
        data = bytes(packet)  # type: ignore[call-overload]
        at = data.find(_MARK)
        while at >= 0 and not self.found:
            self.found = _says_something(data[at + len(_MARK) : at + len(_MARK) + 2 + 3 * 31])
            at = data.find(_MARK, at + 1)


def _says_something(data: bytes) -> bool:
    count = data[0] & 31 if data else 0
    for place in range(2, min(2 + 3 * count, len(data) - 2), 3):
        told, first, second = data[place : place + 3]
        if told & _VALID and told & _KIND <= _LINE_21 and (first & _PARITY or second & _PARITY):
            return True
    return False
