"""The search of many films in JupyterLab: two people chosen, a hit played, the list written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

from facelib.films.spans import spans_of
from facelib.project import Project

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "10_search_archive.ipynb"
BOTH = ["Eileen Collins", "Grace Hopper"]


@pytest.fixture
def searched(lab, identified) -> Project:
    """A short demo in JupyterLab's folder, with the tables of notebook 05."""
    root = lab.make_folder("search", NOTEBOOK)
    shutil.copytree(identified, root, dirs_exist_ok=True)
    return Project("demo", root / "data", root / "output")


def test_two_people_are_chosen_and_a_hit_is_played(searched, run_notebook):
    page = run_notebook(searched.data_dir.parent / "notebooks" / NOTEBOOK.name)
    widget = page.locator(".facelib-archive")
    widget.wait_for()
    expect(page.locator(".jp-OutputArea-output", has_text="hits.csv").last).to_be_visible()
    status = widget.get_by_role("status")

    expect(widget.locator(".chip")).to_have_count(1)  # whoever is in most films is chosen at first
    first = widget.locator(".chip").inner_text()
    (other,) = {*BOTH} - {first}
    widget.get_by_label("On screen: add a person").select_option(other)
    expect(widget.locator(".chip")).to_have_count(2)
    appeared = pd.read_csv(searched.film("demo.mp4").appearances)
    spans = spans_of(appeared, BOTH, together=True)
    expect(status).to_have_text(f"{len(spans)} moments in 1 film")
    expect(widget.locator(".hit")).to_have_count(len(spans))
    page.wait_for_function(
        "[...document.querySelectorAll('.facelib-archive .hit img')].every(i => i.naturalWidth > 50)"
    )

    player = widget.locator("video")
    expect(player).to_be_hidden()
    widget.locator(".hit").last.click()
    expect(player).to_be_visible()
    expect(widget.locator(".hit").last).to_have_attribute("aria-pressed", "true")
    start, end = spans[-1].start, spans[-1].end
    moving = "([video, start]) => video.videoWidth > 0 && video.currentTime >= start + 0.2"
    page.wait_for_function(moving, arg=[player.element_handle(), start])
    page.wait_for_function("video => video.paused", arg=player.element_handle())
    # What is left on the screen is the moment's end, not the first picture of the next shot.
    assert start < player.evaluate("video => video.currentTime") < end
    assert player.evaluate("video => video.src").endswith(
        f"/files/{searched.data_dir.parent.name}/data/demo/videos/demo.mp4"
    )
    expect(widget.get_by_role("alert")).to_be_empty()

    without = widget.get_by_label("but without: add a person")
    without.focus()
    without.select_option("Unknown 1")
    expect(widget.locator(".chip")).to_have_count(3)
    expect(without).to_be_focused()
    widget.get_by_label(f"On screen: take out {other}").click()
    expect(status).to_contain_text("1 film")
    (searched.output / "search" / "hits.csv").unlink()
    widget.get_by_text("Write the list").click()
    expect(status).to_contain_text("Written to")
    assert pd.read_csv(searched.output / "search" / "hits.csv")["film"].unique().tolist() == ["demo.mp4"]

    shortest = widget.get_by_label("Shortest, seconds")
    shortest.fill("9999")
    shortest.press("Enter")
    expect(status).to_contain_text("No moment found")
    expect(shortest).to_be_focused()
    expect(player).to_be_hidden()
    shortest.fill("-5")
    shortest.press("Enter")
    expect(shortest).to_have_value("0")
    expect(widget.locator(".hit").first).to_be_visible()
