"""Films from everywhere: copied, fetched, resolved; and notebook 1 with them."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.gather import GATHERED_COLUMNS, gather_films
from facelib.gather.sources import read_sources
from facelib.pipeline import run_pipeline

from .conftest import Film

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")

GRAPH = """
    @prefix ebucore: <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#> .
    <http://example.org/film/1> ebucore:title "The journey" ; ebucore:hasCastMember "Ada", "Grace" ;
        ebucore:isInstantiatedBy [ ebucore:locator "%s" ] .
"""


def names(project):
    return [path.name for path in project.find_videos()]


@pytest.mark.parametrize("nothing", ["", "\n", [], [""]])
def test_no_sources(nothing, project):
    table = gather_films(nothing, project)
    assert list(table.columns) == GATHERED_COLUMNS
    assert (len(table), table["new"].sum()) == (0, 0)


@pytest.mark.parametrize("join", [list, "\n".join])
def test_copied_and_fetched_alike(join, site, content, make_film, project, settings):
    folder = make_film("in/own.mp4", frames=70).parent
    sources = [str(folder), site.put("/web.mp4", Film(content)), site.address("/gone.mp4")]
    table = gather_films(join(sources), project, settings=settings)
    assert names(project) == ["own.mp4", "web.mp4"]
    assert table["source"].tolist() == sources
    assert table[["films", "new"]].to_numpy().tolist() == [[1, 1], [1, 1], [0, 0]]
    assert table["problem"].tolist()[:2] == ["", ""]
    assert "404" in table["problem"][2]
    # Run again, only what failed is asked for.
    asked = len(site.asked)
    assert gather_films(sources, project, settings=settings)["new"].tolist() == [0, 0, 0]
    assert [path for _, path, _ in site.asked[asked:]] == ["/gone.mp4"]


def test_a_path_that_leads_nowhere_is_told_before_anything_is_fetched(site, content, project, settings):
    with pytest.raises(FileNotFoundError, match="no_such_folder"):
        gather_films([site.put("/web.mp4", Film(content)), "no_such_folder"], project, settings=settings)
    assert site.asked == []


def test_no_password_is_shown(site, project, settings):
    address = site.address("/gone.mp4").replace("http://", "http://ann:secret@")
    assert "secret" not in gather_films(address, project, settings=settings).to_csv()


@pytest.mark.kernel
def test_the_notebook_fetches_what_the_pipeline_names(site, content, project):
    (project.people / "Ada").mkdir(parents=True)
    film, later = site.put("/media/1", Film(content)), site.address("/later.mp4")
    given = {
        "videos_from": ["http://example.org/film/1", later],
        "sparql_endpoint": site.put_graph("/sparql", GRAPH % film),
        "private_addresses": True,
        "largest_download": 5e-5,
    }

    def run(**changed):
        step = run_pipeline(project, steps=[1], parameters=given | changed)[0]
        assert step.message == ""
        return step

    first = run()
    assert names(project) == ["The journey.mp4"]
    assert read_sources(project)[0].video == film
    report = first.report.read_text(encoding="utf-8")
    assert "Grace" in report and "404 Not Found" in report
    assert pd.read_csv(project.output / "films.csv")["video"].tolist() == ["The journey.mp4"]
    # A film that is not there yet is tried again by every run; one that is there is not.
    asked = len(site.asked)
    site.put("/later.mp4", Film(content + bytes(80_000)))
    assert run().state == "done"
    assert [path for _, path, _ in site.asked[asked:]] == ["/later.mp4"]
    assert "raise largest_download" in pd.read_csv(project.output / "gathered.csv")["problem"][1]
    assert run(largest_download=1.0).state == "done"
    assert names(project) == ["The journey.mp4", "later.mp4"]
    assert [run(largest_download=1.0).state for _ in range(2)] == ["done", "fresh"]


@pytest.mark.kernel
def test_the_notebook_asks_no_private_machine_by_itself(site, content, project):
    project.people.mkdir(parents=True)
    run_pipeline(project, steps=[1], parameters={"videos_from": site.put("/film.mp4", Film(content))})
    assert "private_addresses = True" in pd.read_csv(project.output / "gathered.csv")["problem"][0]
    assert site.asked == []
