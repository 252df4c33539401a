"""Films in the project, each once, each written down."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest

from facelib.films.media.decode import UnreadableFilm, probe
from facelib.gather.sources import fetch_film, find_source, read_sources
from facelib.gather.sources.download import download
from facelib.gather.sources.ledger import SOURCE_COLUMNS, sources_path
from facelib.project import atomic_write
from tests.waiting import wait_until

from .conftest import Film

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")


def videos(project):
    return sorted(path.name for path in project.videos.iterdir())


def test_a_film_comes_into_the_project_and_is_written_down(site, content, project, settings):
    address = site.put("/film.mp4", Film(content, disposition='attachment; filename="La mer.mp4"'))
    source, new = fetch_film(address, project, settings)
    assert new
    assert (source.address, source.file, source.bytes) == (address, "La mer.mp4", len(content))
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert source.fetched.endswith("+00:00")
    assert videos(project) == ["La mer.mp4"]
    assert project.find_videos() == [project.videos / "La mer.mp4"]
    assert read_sources(project) == [source]
    assert sources_path(project).read_text().splitlines()[0] == ",".join(SOURCE_COLUMNS)


def test_nothing_is_fetched_twice(site, content, project, settings):
    address = site.put("/film.mp4", Film(content))
    first, _ = fetch_film(address, project, settings)
    assert fetch_film(address, project, settings) == (first, False)
    assert len(site.asked) == 1
    # The server is not even needed, and a film that the user has edited stays as it is.
    (project.videos / first.file).write_bytes(b"cut")
    site.answers.clear()
    assert fetch_film(address, project, settings) == (first, False)


def test_a_film_that_was_removed_is_fetched_again(site, content, project, settings):
    address = site.put("/film.mp4", Film(content))
    first, _ = fetch_film(address, project, settings)
    (project.videos / first.file).unlink()
    assert fetch_film(address, project, settings)[1]
    assert videos(project) == ["film.mp4"]


def test_the_same_bytes_from_elsewhere_are_kept_once(site, content, project, settings):
    project.videos.mkdir(parents=True)
    (project.videos / "mine.mp4").write_bytes(content)
    for path in ("/a.mp4", "/b.mp4"):
        assert fetch_film(site.put(path, Film(content)), project, settings)[0].file == "mine.mp4"
    assert videos(project) == ["mine.mp4"]
    assert len(read_sources(project)) == 2


def test_films_of_one_name_do_not_share_their_results(site, content, make_film, project, settings):
    other = make_film("other.mp4", frames=70).read_bytes()
    fetch_film(site.put("/a/film.mp4", Film(content)), project, settings)
    fetch_film(site.put("/b/film.mkv", Film(other)), project, settings)
    assert videos(project) == ["film (2).mkv", "film.mp4"]
    assert len(project.find_videos()) == 2


def test_a_name_without_an_end_gets_that_of_its_container(site, make_film, project, settings):
    film = make_film("a.webm", codec="libvpx", sound=None).read_bytes()
    fetch_film(site.put("/get", Film(film)), project, settings)
    assert videos(project) == ["get.webm"]


def test_a_page_leaves_nothing(site, project, settings):
    address = site.put("/film.mp4", lambda asked: asked.send_text("<html>Log in</html>"))
    with pytest.raises(UnreadableFilm, match="a web page"):
        fetch_film(address, project, settings)
    assert videos(project) == []
    assert read_sources(project) == []


@pytest.mark.parametrize("placed", [False, True])
def test_killed_between_the_film_and_the_list(placed, site, content, project, settings, monkeypatch):
    """The whole film is here, named or not, but not written down: it is not asked for again."""
    address = site.put("/film.mp4", Film(content))
    whole = download(address, project.videos, limits=settings.limits)
    if placed:
        (project.videos / "film.mp4").write_bytes(whole.path.read_bytes())
    source, _ = fetch_film(address, project, settings)
    assert (source.file, len(site.asked)) == ("film.mp4", 1)
    assert videos(project) == ["film.mp4"]


def test_killed_half_way_and_run_again(site, content, project, settings):
    address = site.put("/film.mp4", lambda asked: site.stall(asked, content[:6000], len(content)))
    code = (
        "import sys; from facelib.gather.sources import SourceSettings, WebLimits, fetch_film; "
        "from facelib.project import Project; "
        "fetch_film(sys.argv[1], Project('cast', *sys.argv[2:]), SourceSettings(limits=WebLimits(private=True)))"
    )
    command = [sys.executable, "-c", code, address, str(project.data_dir), str(project.output_dir)]
    with subprocess.Popen(command) as process:
        wait_until(lambda: any(path.stat().st_size == 6000 for path in project.videos.glob(".*.part")))
        # Meanwhile nobody else may fetch into the project.
        with pytest.raises(BlockingIOError, match=rf"other fetch into the project 'cast'.*process {process.pid}"):
            fetch_film(address, project, settings)
        process.kill()
    assert project.find_videos() == []
    site.put("/film.mp4", Film(content))
    assert fetch_film(address, project, settings)[1]
    assert site.ranges()[-1] == "bytes=6000-"
    assert (project.videos / "film.mp4").read_bytes() == content
    assert videos(project) == ["film.mp4"]


def test_a_film_of_a_knowledge_graph(site, content, project, settings):
    video = site.put("/media/77", Film(content))
    graph = f"""
        @prefix ebucore: <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#> .
        <http://example.org/p/1> ebucore:title "The journey" ; ebucore:dateCreated "1999" ;
            ebucore:hasCastMember "Ada; Countess", "Grace Hopper" ; ebucore:isInstantiatedBy <http://example.org/m/1> .
        <http://example.org/m/1> ebucore:locator "{video}" .
    """
    endpoint = site.put_graph("/sparql", graph)
    asking = replace(settings, sparql_endpoint=endpoint)
    source, new = fetch_film("http://example.org/p/1", project, asking)
    assert new
    assert (source.file, source.title, source.date, source.video) == ("The journey.mp4", "The journey", "1999", video)
    assert read_sources(project)[0].people == ("Ada, Countess", "Grace Hopper")
    assert probe(project.videos / source.file).frames == 50
    # Neither by its own address nor by another one of the same film is it fetched again.
    asked = len(site.asked)
    assert fetch_film(video, project, settings) == (read_sources(project)[0], False)
    assert len(site.asked) == asked
    other, again = fetch_film(f"sparql+{endpoint}#http://example.org/m/1", project, settings)
    assert (again, other.file, other.video) == (False, source.file, video)
    assert "/media/77" not in [path for _, path, _ in site.asked[asked:]]


def test_passwords_are_not_written_down(site, content, project, settings):
    address = site.put("/film.mp4", Film(content)).replace("http://", "http://ann:secret@")
    fetch_film(address, project, settings)
    assert site.asked[0][2]["Authorization"].startswith("Basic ")
    assert "secret" not in sources_path(project).read_text()
    assert find_source(address, project) is not None
    assert not fetch_film(address, project, settings)[1]


def test_a_disk_that_cannot_be_written(site, content, project, settings):
    project.data.mkdir(parents=True)
    project.videos.write_text("not a folder")
    with pytest.raises(OSError, match="videos"):
        fetch_film(site.put("/film.mp4", Film(content)), project, settings)


def test_hidden_files_are_no_films(site, content, project, settings):
    """What is being written or fetched lies hidden beside the films."""
    address = site.put("/film.mp4", Film(content))
    with atomic_write(project.videos / "film.mp4") as temporary:
        temporary.write_bytes(content)
        assert fetch_film(address, project, settings)[0].file == "film.mp4"
        temporary.unlink()
        temporary.write_bytes(content)
    assert videos(project) == ["film.mp4"]
