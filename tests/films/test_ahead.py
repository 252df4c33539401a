"""An iterator that works ahead in a thread gives what it gives without one."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from facelib.films.threads import ahead
from tests.waiting import wait_until


def counted(count, seen, *, broken=False):
    for number in range(count):
        seen.append(threading.current_thread().name)
        yield number
    if broken:
        raise OSError("expected more, got no more")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_items_keep_their_order(count):
    assert list(ahead(counted(count, []), most=3)) == list(range(count))


def test_the_items_are_made_in_one_other_thread():
    seen = []
    list(ahead(counted(20, seen), most=3))
    assert len(set(seen)) == 1 and threading.current_thread().name not in seen


def test_without_room_items_are_made_when_they_are_asked_for():
    seen = []
    with closing(ahead(counted(3, seen), most=0)) as items:
        assert next(items) == 0 and seen == [threading.current_thread().name]
        assert list(items) == [1, 2]


def test_an_error_comes_after_the_items_before_it():
    found = []
    with pytest.raises(OSError, match="no more"):
        for item in ahead(counted(5, [], broken=True), most=2):
            found.append(item)
    assert found == [0, 1, 2, 3, 4]


def test_no_more_items_are_made_than_may_wait_and_closing_ends_the_thread():
    seen = []
    with closing(ahead(counted(1000, seen), most=4)) as items:
        assert next(items) == 0
        wait_until(lambda: len(seen) >= 5)
        time.sleep(0.05)
        assert len(seen) == 5  # the one taken, and four that wait
    assert not [one for one in threading.enumerate() if one.name in seen]
