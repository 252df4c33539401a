"""Pictures from a web that behaves badly: the good ones are kept, the rest is listed, and nothing hangs."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path

import pytest

from facelib.gather import FOUND_COLUMNS, PictureSearch, gather_pictures, not_gathered, read_addresses
from facelib.gather.sources import people_without_folder, read_sources
from facelib.gather.sources.fetched import check_fetched
from facelib.project import Project, file_lock

from ..bombs import bomb
from ..waiting import PATIENCE, kill_once
from .conftest import (
    bing_page,
    endless,
    picture_bytes,
    put_engine,
    sends,
    slow_headers,
)

SCRIPT = """
import json, resource, sys, threading, time
from facelib.gather import PictureSearch, gather_pictures
from facelib.project import Project, file_lock
from facelib.gather.sources import WebLimits

given = json.loads(sys.argv[1])
search = PictureSearch(**given["search"] | {"limits": WebLimits(**given["limits"])})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = gather_pictures(given["names"], Project("cast", given["data"], given["output"]), search)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
threads = {thread.name for thread in threading.enumerate()} - {"MainThread", "tqdm_monitor"}
print(json.dumps({"rows": table.to_dict("records"), "before": before, "after": after, "threads": sorted(threads)}))
"""


def start(names, project, limits, **search):
    """Begin to gather in a process of its own."""
    given = {"names": names, "data": str(project.data_dir), "output": str(project.output_dir)}
    given |= {"search": search, "limits": asdict(limits)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return json.loads(out)


def tree(project: Project) -> dict[str, bytes]:
    """Return every file below the project's data folder; of the ledger all but the times."""
    files = {path.relative_to(project.data).as_posix(): path for path in project.data.rglob("*") if path.is_file()}
    content = {name: path.read_bytes() for name, path in files.items() if name not in {"sources.csv", ".fetch.lock"}}
    rows = sorted((source.file, source.address, source.sha256) for source in read_sources(project))
    return content | {"sources.csv": json.dumps(rows).encode()}


def given(site, count, *, kind="JPEG", first=0):
    """Put pictures on the site and return their addresses."""
    return [
        site.put(f"/p/{number}.jpg", sends(picture_bytes(number, kind=kind))) for number in range(first, first + count)
    ]


def test_a_web_that_behaves_badly(site, project, limits):
    good = given(site, 6)
    whole = picture_bytes(77, size=(640, 480))
    bad = {
        "endless": (endless, "larger than 20 MB"),
        "announces far too much": (sends(whole, length=10**12), "announces 1 TB"),
        "sends less than it announces": (sends(whole, length=len(whole) + 500), "500 more expected"),
        "sends more than it announces": (sends(whole, length=len(whole) // 2), "a broken picture"),
        "cut": (sends(whole[: len(whole) // 2]), "a broken picture"),
        "page": (lambda asked: asked.send_text("<html>Not here</html>", kind="image/jpeg"), "not a picture.*<html>"),
        "nothing": (sends(b""), "not a picture"),
        "vector": (sends(b"<svg xmlns='http://www.w3.org/2000/svg'/>", kind="image/svg+xml"), "not a picture"),
        "postscript": (sends(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not a picture"),
        "huge": (sends(bomb(50_000, 50_000), kind="image/png"), "too large: its header announces 2500 million pixels"),
        "dot": (sends(picture_bytes(1, size=(8, 8))), "too small: 8x8"),
        "circle": (lambda asked: asked.begin(302, {"Location": "/circle.jpg", "Content-Length": "0"}), "5 redirects"),
        "elsewhere": (
            lambda asked: asked.begin(302, {"Location": "file:///etc/passwd", "Content-Length": "0"}),
            r"http\(s\)",
        ),
        "gone": (lambda asked: asked.send_text("", status=404), "404"),
        "busy": (lambda asked: asked.send_text("", status=503), "503"),
        "no HTTP": (
            lambda asked: asked.wfile.write(b"\x1b[31m\x00\x07" * 200 + b"\r\n"),
            r"BadStatusLine: [ \[31m]{190,200}$",
        ),
        "hangs up": (lambda asked: setattr(asked, "close_connection", True), "closed connection"),
        "again": (sends(picture_bytes(0)), "the same picture as people/Ada"),
    }
    lies = {
        "kind.html.jpg": sends(picture_bytes(50, kind="PNG"), kind="text/html"),
        "moved.jpg": lambda asked: asked.begin(301, {"Location": "/p/x.jpg", "Content-Length": "0"}),
    }
    site.put("/p/x.jpg", sends(picture_bytes(51, kind="WEBP")))
    named = {name: site.put(f"/{name.replace(' ', '-')}.jpg", answer) for name, (answer, _) in bad.items()}
    good += [site.put(f"/{name}", answer) for name, answer in lies.items()]
    addresses = [*good[:3], *named.values(), *good[3:]]
    base = put_engine(site, "bing", addresses, step=20)
    result = finish(start("Ada", project, limits, engine_addresses={"bing": base}, max_num=40))
    rows = {row["address"]: row for row in result["rows"]}
    assert set(rows) == set(addresses)
    kept = [rows[address]["picture"] for address in good]
    assert all(rows[address]["reason"] == "" for address in good)
    assert {Path(name).name: check_fetched((project.data / name).read_bytes()).sha256[:16] for name in kept} == {
        path.name: path.stem for path in project.find_pictures("Ada")
    }
    assert sorted(path.suffix for path in project.find_pictures("Ada")) == [".jpg"] * 6 + [".png", ".webp"]
    for name, (_, said) in bad.items():
        row = rows[named[name]]
        assert row["picture"] == "" and re.search(said, row["reason"]), (name, row)
    assert result["threads"] == []
    # 4 of 20 MB may be under way; decoded, the huge picture has 7500 MB.
    assert (result["after"] - result["before"]) / 1024 < 300


@pytest.mark.parametrize(
    ("behaviour", "short", "said"),
    [
        (slow_headers, {"longest": 1.0}, "no whole answer in 1 s"),
        (lambda asked: asked.server.dribble(asked, bytes(10**6)), {"longest": 1.0}, "no whole answer in 1 s"),
        (lambda asked: asked.server.dribble(asked, bytes(10**6)), {"timeout": 1.0}, "bytes came in|timed out"),
        (lambda asked: asked.server.stall(asked, bytes(500), 1000), {"timeout": 1.0}, "timed out"),
    ],
    ids=["slow header", "dribble", "slow body", "stall"],
)
def test_a_web_that_is_slow(behaviour, short, said, site, project, limits):
    search = PictureSearch(limits=replace(limits, **short))
    before = set(threading.enumerate())
    table = gather_pictures([], project, search, addresses={"Ada": [site.put("/a.jpg", behaviour)]})
    assert table["picture"].item() == "" and re.search(said, table["reason"].item()), table["reason"].item()
    begun = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in begun if "process_request" not in name and name != "tqdm_monitor"]  # the server's own


def test_the_ledger_tells_where_each_picture_is_from(site, project, limits):
    addresses = given(site, 2)
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": addresses})
    sources = read_sources(project)
    assert [source.address for source in sources] == addresses
    for source in sources:
        content = (project.data / source.file).read_bytes()
        assert (source.bytes, source.people) == (len(content), ("Ada",))
        assert source.sha256 == check_fetched(content).sha256
        assert source.fetched.startswith("20")
    for picture in project.find_pictures("Ada"):
        picture.unlink()
    project.people.joinpath("Ada").rmdir()
    assert people_without_folder(project).empty  # what it lists is of films


def test_nothing_asked(project):
    table = gather_pictures("", project)
    assert list(table.columns) == FOUND_COLUMNS and table.empty
    assert not project.data.exists() and not project.output.exists()


def test_engines_take_turns_and_one_in_trouble_stops_nobody(site, project, limits):
    first, second = given(site, 3), given(site, 3, first=10)
    bases = {
        "bing": put_engine(site, "bing", first, step=20),
        "baidu": put_engine(site, "baidu", second, step=30),
        "google": site.address("/gone"),
    }
    search = PictureSearch(engines=("google", "bing", "baidu"), max_num=4, limits=limits, engine_addresses=bases)
    table = gather_pictures("Ada\nGrace", project, search)
    ada = table[table["person"] == "Ada"]
    assert ada.loc[ada["picture"] != "", "address"].tolist() == [first[0], second[0], first[1], second[1]]
    assert ada.loc[ada["picture"] != "", "engine"].tolist() == ["bing", "baidu"] * 2
    reasons = table.loc[table["engine"] == "google", "reason"].tolist()
    assert "404" in reasons[0] and "not asked again" in reasons[1]
    assert [text.split(" - ")[:2] for text in not_gathered(table)] == [["Ada", "google"], ["Grace", "google"]]
    assert len(project.find_pictures("Grace")) == 4


def test_run_again_asks_nobody_and_keeps_what_was_there(site, project, limits):
    base = put_engine(site, "bing", given(site, 8), step=20)
    search = PictureSearch(max_num=5, limits=limits, engine_addresses={"bing": base})
    own = project.people / "Ada" / "own.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"whatever the user likes")
    gather_pictures("Ada", project, search)
    before, asked = tree(project), len(site.asked)
    assert len(before) == 7
    again = gather_pictures("ada", project, search)  # the folder is there, whatever the letter case
    assert (tree(project), len(site.asked)) == (before, asked)
    assert (again["picture"] != "").sum() == 5
    more = gather_pictures("Ada", project, replace(search, max_num=7))
    assert (more["picture"] != "").sum() == 7
    assert before.items() - tree(project).items() <= {("sources.csv", before["sources.csv"])}
    assert own.read_bytes() == b"whatever the user likes"


def test_what_the_user_took_away_does_not_come_back(site, project, limits):
    addresses = given(site, 3)
    search = PictureSearch(limits=limits)
    gather_pictures([], project, search, addresses={"Ada": addresses})
    wrong = project.find_pictures("Ada")[0]
    wrong.unlink()
    table = gather_pictures([], project, search, addresses={"Ada": addresses})
    assert not wrong.exists()
    assert sum("taken away" in reason for reason in table["reason"]) == 1


def test_the_users_own_pictures_are_not_doubled(site, project, limits):
    own = project.people / "Ada" / "holiday.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(picture_bytes(0))
    table = gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 2)})
    assert table["reason"].tolist() == ["the same picture as people/Ada/holiday.jpg", ""]
    assert len(project.find_pictures("Ada")) == 2


def test_a_file_of_the_users_with_the_wanted_name_stays(site, project, limits):
    name = check_fetched(picture_bytes(0)).sha256
    own = project.people / "Ada" / f"{name[:16]}.jpg"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    table = gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 1)})
    assert own.read_bytes() == b"mine"
    assert table["picture"].tolist() == [f"people/Ada/{name}.jpg"]


def test_no_more_than_are_wanted(site, project, limits):
    table = gather_pictures([], project, PictureSearch(limits=limits, max_num=2), addresses={"Ada": given(site, 30)})
    assert len(project.find_pictures("Ada")) == 2
    assert table["reason"].str.startswith("not asked: 2 pictures").sum() == 28
    assert len(site.asked) <= 6


@pytest.mark.parametrize("after", [2, 6])
def test_killed_and_run_again_it_ends_as_an_unbroken_run(after, site, project, limits, tmp_path):
    addresses = given(site, 12)
    addresses.insert(2, site.put("/gone.jpg", lambda asked: asked.send_text("", status=404)))
    shuffled = random.Random(after)

    def engine(asked):  # whose order changes from one question to the next
        asked.send_text(bing_page(addresses if len(site.asked) == 1 else shuffled.sample(addresses, 13)))

    site.put("/bing/images/async", engine)
    options = {"engine_addresses": {"bing": site.address("/bing")}, "max_num": 8, "connections": 2}
    whole = Project("cast", tmp_path / "whole", tmp_path / "whole_output")
    gather_pictures("Ada", whole, PictureSearch(limits=limits, **options))
    site.asked.clear()
    sent, killed = count(), threading.Event()

    def hold(answer):  # so that there is a moment to kill it in
        return lambda asked: (next(sent) > after and killed.wait(), answer(asked))

    for path in [path for path in site.answers if path.startswith("/p/")]:
        site.put(path, hold(site.answers[path]))
    process = start("Ada", project, limits, **options)
    kill_once(lambda: len(read_sources(project)) >= after, process)
    process.communicate()
    killed.set()
    assert len(project.find_pictures("Ada")) < 8
    gather_pictures("Ada", project, PictureSearch(limits=limits, **options))
    assert tree(project) == tree(whole)
    assert not list(project.output.iterdir())
    assert sum("images/async" in path for _, path, _ in site.asked) == 1  # what it found was remembered


@pytest.mark.parametrize("moment", ["before the row", "before the name", "after the name"])
def test_killed_between_two_steps_of_taking_a_picture_in(moment, site, project, limits, monkeypatch):
    """Each moment between two writes is one at which nothing may be lost or doubled."""

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    where = {
        "before the row": "facelib.gather.keeping.append_source",
        "before the name": "os.link",
        "after the name": "",
    }
    real = Path.unlink
    with monkeypatch.context() as patch:
        if where[moment]:
            patch.setattr(where[moment], killed)
        else:
            patch.setattr(
                Path,
                "unlink",
                lambda path, **kw: (
                    killed()
                    if ".gathering" in path.parts and path.suffix == ".jpg" and path.name[0] != "."
                    else real(path, **kw)
                ),
            )
        with pytest.raises(Killed):
            gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 3)})
    assert list((project.data / ".gathering").iterdir())
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 3)})
    assert len(project.find_pictures("Ada")) == len(read_sources(project)) == 3
    assert not (project.data / ".gathering").exists()


def test_a_full_disk_keeps_what_was_there(site, project, limits):
    search = PictureSearch(limits=replace(limits, spare=10**18))
    with pytest.raises(OSError, match="stay free on the disk"):
        gather_pictures([], project, search, addresses={"Ada": given(site, 3)})
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 3)})
    assert len(project.find_pictures("Ada")) == 3


def test_a_picture_that_cannot_be_written_stops_it_with_what_was_gathered(site, project, limits):
    """Where the folder of the person is to be, there is a file."""
    addresses = given(site, 1)
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": addresses})
    (project.people / "Grace").write_text("no folder")
    with pytest.raises(OSError, match="Grace"):
        gather_pictures([], project, PictureSearch(limits=limits), addresses={"Grace": addresses, "Ada": addresses})
    (project.people / "Grace").unlink()
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Grace": addresses, "Ada": addresses})
    assert [len(project.find_pictures(person)) for person in ("Ada", "Grace")] == [1, 1]


def test_only_one_at_a_time(site, project, limits):
    with file_lock(project.data / ".fetch.lock", what="test"), pytest.raises(BlockingIOError, match="'cast'"):
        gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 1)})


def test_private_machines_are_refused(site, project, limits, monkeypatch):
    closed = PictureSearch(limits=replace(limits, private=False))
    table = gather_pictures([], project, closed, addresses={"Ada": given(site, 1)})
    assert "private_addresses = True" in table["reason"][0]
    assert site.asked == []
    # The first machine counts as public here, as a server on the internet would.
    monkeypatch.setattr("facelib.gather.sources.web._is_public", lambda host: host == "127.0.0.1")
    moved = site.put("/a.jpg", lambda asked: asked.begin(302, {"Location": "http://[::1]/", "Content-Length": "0"}))
    assert "'::1'" in gather_pictures([], project, closed, addresses={"Ada": [moved]})["reason"][0]


def test_no_password_is_kept_or_shown(site, project, limits):
    address = given(site, 1)[0].replace("http://", "http://ann:secret@")
    table = gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": [address, address + "x"]})
    assert table["picture"].tolist()[1] == ""
    assert "secret" not in table.to_csv() + (project.data / "sources.csv").read_text()


@pytest.mark.parametrize("name", ["../Ada", "a/b", ".hidden", "unknown", "a" * 300])
def test_a_name_that_no_folder_can_have(name, project):
    with pytest.raises(ValueError):
        gather_pictures(name, project)
    assert not project.data.exists()


@pytest.mark.parametrize("wrong", [{"max_num": 0}, {"max_num": 1001}, {"connections": 0}])
def test_numbers_out_of_range(wrong):
    with pytest.raises(ValueError, match="expected"):
        PictureSearch(**wrong)


LISTS = {
    "": {},
    "# nothing\n\n": {},
    "name,address\nAda,http://a/1.jpg\n": {"Ada": ["http://a/1.jpg"]},
    "\ufeffAda,http://a/1,2.jpg\r\nAda , http://a/2.jpg \r\n": {"Ada": ["http://a/1,2.jpg", "http://a/2.jpg"]},
    '"Lovelace, Ada",http://a/1.jpg': {"Lovelace, Ada": ["http://a/1.jpg"]},
    'name;address\nAda;http://a/1,2;3.jpg\n"the ""A""" ;"http://a/2.jpg"': {
        "Ada": ["http://a/1,2;3.jpg"],
        'the "A"': ["http://a/2.jpg"],
    },
    'Ada\thttp://a/1.jpg\nO\'Hara "B" Z,http://a/2.jpg': {
        "Ada": ["http://a/1.jpg"],
        'O\'Hara "B" Z': ["http://a/2.jpg"],
    },
}


@pytest.mark.parametrize("text", LISTS)
def test_a_list_of_addresses(text, tmp_path):
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert read_addresses(tmp_path / "list.csv") == LISTS[text]


def test_a_list_that_is_none(tmp_path, project):
    with pytest.raises(FileNotFoundError, match="name,address"):
        gather_pictures([], project, addresses=tmp_path / "none.csv")
    (tmp_path / "list.csv").write_text("Ada,http://a/1.jpg\nhttp://a/2.jpg\n")
    with pytest.raises(ValueError, match="line 2 of"):
        read_addresses(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_text("Ada" * 100_000)
    with pytest.raises(ValueError, match="line 1 of"):
        read_addresses(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_bytes("Ada;http://a/1.jpg".encode("utf-16"))
    assert read_addresses(tmp_path / "list.csv") == {"Ada": ["http://a/1.jpg"]}
    (tmp_path / "list.csv").write_bytes(b"Ren\xe9e,http://a/1.jpg")
    with pytest.raises(ValueError, match="UTF-8"):
        read_addresses(tmp_path / "list.csv")


def test_a_broken_memory_of_searches_is_no_trouble(site, project, limits):
    project.output.mkdir(parents=True)
    (project.output / "searches.partial.json").write_text("[1")
    base = put_engine(site, "bing", given(site, 2), step=20)
    gather_pictures("Ada", project, PictureSearch(limits=limits, engine_addresses={"bing": base}))
    assert len(project.find_pictures("Ada")) == 2


def test_no_thread_is_left(site, project, limits):
    before = set(threading.enumerate())
    gather_pictures([], project, PictureSearch(limits=limits), addresses={"Ada": given(site, 3)})
    left = [thread for thread in set(threading.enumerate()) - before if "process_request" not in thread.name]
    assert left == []
