"""Several films in work at once: their order, their errors, and how they are stopped."""

from __future__ import annotations

import io
import sys
import threading
from contextlib import closing

import pytest

from facelib.films.threads import together
from tests.waiting import PATIENCE


def test_two_are_in_work_at_once_and_come_in_order():
    meeting = threading.Barrier(2)

    def work(item, tell):
        meeting.wait(PATIENCE)  # until the other one is there too
        return item * 2

    found = [(item, result()) for item, result in together(work, [3, 1], at_once=2, what="", progress=False)]
    assert found == [(3, 6), (1, 2)]


def test_nothing_to_do():
    assert list(together(lambda item, tell: item, [], at_once=2, what="", progress=False)) == []


def test_an_error_is_raised_for_its_item_alone():
    def work(item, tell):
        return 6 // item

    results = dict(together(work, [0, 3], at_once=2, what="", progress=False))
    with pytest.raises(ZeroDivisionError):
        results[0]()
    assert results[3]() == 2


def test_what_is_in_work_is_stopped_and_the_rest_never_begun():
    begun, goes_on = [], threading.Event()

    def work(item, tell):
        begun.append(item)
        while item:  # until it is stopped
            goes_on.wait(0.01)
            tell(0.5)

    running = together(work, [0, 1, 2], at_once=1, what="", progress=False)
    with pytest.raises(KeyboardInterrupt), closing(running):
        for _ in running:
            raise KeyboardInterrupt
    assert begun in ([0], [0, 1])


def test_the_bar_counts_parts_of_films(monkeypatch):
    seen = threading.Event()

    class Screen(io.StringIO):
        def write(self, text):
            if "drawing" in text and "0.25/1" in text:
                seen.set()
            return super().write(text)

    def work(item, tell):
        tell(0.25)
        return seen.wait(PATIENCE)

    monkeypatch.setattr(sys, "stderr", Screen())
    assert [result() for _, result in together(work, ["film"], at_once=1, what="drawing")] == [True]
