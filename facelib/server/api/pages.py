"""Lists that are answered page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from facelib.server.dependencies import Paging

Item = TypeVar("Item")
Shown = TypeVar("Shown")


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    total: int = Field(description="How many there are in all.")
    next_offset: int | None = Field(description="The offset of the next page; null on the last one.")

    def shown_as(self, items: list[Shown]) -> Page[Shown]:
        """Return the same part with its items as the API shows them."""
        return Page(items=items, total=self.total, next_offset=self.next_offset)


def page_of(items: Sequence[Item], paging: Paging) -> Page[Item]:
    """Return the part of a list that is wanted."""
    return page_from(items[paging.offset : paging.offset + paging.limit], len(items), paging)


def page_from(items: Iterable[Item], total: int, paging: Paging) -> Page[Item]:
    """Return the wanted part of a list, which was read from it, with how long the list is."""
    end = paging.offset + paging.limit
    return Page(items=list(items), total=total, next_offset=end if end < total else None)
