import dataclasses
import hashlib
import io
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from facelib.nets.cache import folders
from facelib.nets.catalogue import MissingWeights, fetch_weights, find_weights, weights_table
from facelib.nets.weights import Weights, catalogue
from facelib.project.digests import sha256_of
from tests.serving import Quiet, running, serving

CONTENT = bytes(range(256)) * 400
OPEN = {"MIT", "Apache-2.0"}


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".onnx", content)
    return buffer.getvalue()


class Server(Quiet):
    """Gives the content, a redirection to it, half of it, archives, or errors."""

    def do_GET(self):
        answers = {
            "/whole/net.onnx": (200, CONTENT, len(CONTENT)),
            "/half/net.onnx": (200, CONTENT[: len(CONTENT) // 2], len(CONTENT)),
            "/short/net.onnx": (200, CONTENT[:-1], len(CONTENT) - 1),
            "/empty/net.onnx": (200, b"", 0),
            "/page/net.onnx": (200, b"<html>Please sign in</html>", 27),
            "/broken/net.onnx": (500, b"", 0),
            "/pack.zip": (200, packed := zipped(a__other=b"x", pack__net=CONTENT), len(packed)),
            "/without.zip": (200, without := zipped(other=b"x"), len(without)),
            "/outside.zip": (200, outside := zipped(**{"..__..__net": CONTENT}), len(outside)),
            "/notzip.zip": (200, b"no archive", 10),
        }
        if self.path == "/moved/net.onnx":
            self.send_response(302)
            self.send_header("Location", "/whole/net.onnx")
            self.end_headers()
            return
        status, content, length = answers.get(self.path, (404, b"", 0))
        self.give(content, status=status, length=length)


@pytest.fixture(scope="module")
def address():
    with running(serving(Server)) as address:
        yield address


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for weights, and no other place where any may lie."""
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "models"


def weights(url: str) -> Weights:
    return Weights(
        name="net",
        kind="embedder",
        file="net.onnx",
        origin="this test",
        licence="MIT",
        commercial=True,
        url=url,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


@pytest.mark.parametrize("path", ["/whole/net.onnx", "/moved/net.onnx", "/pack.zip", "/outside.zip"])
def test_what_is_fetched_is_whole_and_alone(path, address, folder):
    found = fetch_weights(weights(address + path), folder, progress=False)
    assert found == folder / "net.onnx"
    assert found.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == ["net.onnx"]
    assert [file.name for file in folder.parent.iterdir()] == ["models"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing/net.onnx", "404"),
        ("/broken/net.onnx", "500"),
        ("/half/net.onnx", "could not fetch"),  # the connection ends before what was announced
        ("/short/net.onnx", "sha256 is"),  # the server's own file is cut short
        ("/empty/net.onnx", "sha256 is"),
        ("/page/net.onnx", "sha256 is"),  # a portal's page in place of the file
        ("/without.zip", "found .'other.onnx'."),
        ("/notzip.zip", "not a zip file"),
    ],
)
def test_what_cannot_be_fetched_leaves_nothing_and_tells_how_to_get_it(path, reason, address, folder):
    wanted = weights(address + path)
    with pytest.raises(MissingWeights, match=reason) as caught:
        fetch_weights(wanted, folder, progress=False)
    for part in (wanted.url, wanted.sha256, str(folder / "net.onnx"), "FACELIB_MODELS"):
        assert part in str(caught.value)
    assert list(folder.iterdir()) == []


def test_without_a_server_it_tells_how_to_get_it(folder):
    with pytest.raises(MissingWeights, match="could not fetch it"):
        fetch_weights(weights("http://127.0.0.1:1/net.onnx"), folder, progress=False)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(address, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MissingWeights, match="FACELIB_MODELS"):
        fetch_weights(weights(address + "/whole/net.onnx"), tmp_path / "file" / "models", progress=False)


def test_an_older_file_stays_when_fetching_fails(address, folder):
    folder.mkdir()
    (folder / "net.onnx").write_bytes(b"older")
    with pytest.raises(MissingWeights):
        fetch_weights(weights(address + "/short/net.onnx"), folder, progress=False)
    assert (folder / "net.onnx").read_bytes() == b"older"


def test_nothing_is_fetched_that_cannot_be_checked(address, folder):
    unknown = dataclasses.replace(weights(address + "/whole/net.onnx"), sha256=None)
    assert not unknown.fetchable
    with pytest.raises(ValueError, match="sha256"):
        fetch_weights(unknown, folder, progress=False)


def test_the_progress_bar_can_be_shown(address, folder, capfd):
    fetch_weights(weights(address + "/whole/net.onnx"), folder, progress=True)
    assert "102k/102k" in capfd.readouterr().err


def test_the_catalogue_is_sound():
    entries = catalogue()
    assert {"yunet", "sface", "mobilefacenet", "facenet", "arcface-r50", "arcface-r100", "scrfd"} <= {
        w.name for w in entries
    }
    assert len({entry.name for entry in entries}) == len({entry.file for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.url is None or entry.url.startswith("https://")
        assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.commercial is not True or entry.licence in OPEN
        assert "non-commercial" not in entry.licence or entry.commercial is False


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("yunet", "yunet_n_640_640.onnx"),
        ("yunet-2023mar", "face_detection_yunet_2023mar.onnx"),
        ("mobilefacenet", "mobilefacenet.onnx"),
    ],
)
def test_weights_are_found_by_name_and_by_file(name, file, models_folder, folder, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(models_folder))
    (entry,) = (entry for entry in catalogue() if entry.name == name)
    assert find_weights(name, fetch=False) == find_weights(file, fetch=False) == models_folder / file
    assert (entry.sha256, entry.size) == (sha256_of(models_folder / file), (models_folder / file).stat().st_size)


@pytest.mark.real_data
def test_the_users_cache_is_searched_after_the_named_folder(models_folder, folder):
    assert len(folders()) == 2
    folders()[1].mkdir(parents=True)
    shutil.copyfile(models_folder / "mobilefacenet.onnx", folders()[1] / "mobilefacenet.onnx")
    assert find_weights("mobilefacenet") == folders()[1] / "mobilefacenet.onnx"


@pytest.mark.parametrize("name", ["mobilefacenet", "facenet", "yunet", "sface", "scrfd"])
def test_missing_weights_say_what_where_and_whence(name, folder):
    (entry,) = (entry for entry in catalogue() if entry.name == name)
    with pytest.raises(MissingWeights) as caught:
        find_weights(name, fetch=False)
    said = str(caught.value)
    assert str(folder / entry.file) in said
    assert (entry.url or "no address is known") in said
    assert (entry.sha256 or "sha256 not known") in said


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it has 0 bytes, not 3981135"), (b"x" * 3981135, "its sha256 is")],
)
def test_another_file_under_the_name_is_not_taken(content, reason, folder):
    folder.mkdir()
    (folder / "mobilefacenet.onnx").write_bytes(content)
    with pytest.raises(MissingWeights, match=f"{reason}.*remove it"):
        find_weights("mobilefacenet")
    assert (folder / "mobilefacenet.onnx").read_bytes() == content  # the user's file is left alone


def test_a_path_is_taken_as_it_is(tmp_path, folder):
    path = tmp_path / "my own.onnx"
    path.write_bytes(CONTENT)
    assert find_weights(path) == find_weights(str(path)) == path


def test_an_own_file_in_the_folder_is_found_by_its_name(folder):
    folder.mkdir()
    (folder / "own.onnx").write_bytes(CONTENT)
    assert find_weights("own.onnx") == folder / "own.onnx"


@pytest.mark.parametrize("name", ["other.onnx", "no/such/folder/net.onnx", "./yunet"])
def test_a_path_without_a_file_is_told(name, folder):
    with pytest.raises(MissingWeights, match=re.escape(Path(name).name)):
        find_weights(Path("no") / name)


@pytest.mark.parametrize("name", ["YuNet", "arcface", "", "yunett"])
def test_an_unknown_name_lists_the_known_ones(name, folder):
    with pytest.raises(ValueError, match=r"one of the names .*'yunet'"):
        find_weights(name)


def test_the_table_has_everything_with_its_licence(folder):
    table = weights_table().set_index("name")
    assert list(table.columns[:4]) == ["kind", "present", "commercial", "licence"]
    assert {"dlib", "cnn", "hog", "haar", "mtcnn pnet", "mtcnn rnet", "mtcnn onet", "dlib 5 points"} <= set(table.index)
    assert {entry.name for entry in catalogue()} <= set(table.index)
    installed = table[~table.index.isin([entry.name for entry in catalogue()])]
    assert installed["present"].all(), installed["note"]
    assert all(Path(path).is_file() for path in installed["path"])
    assert not table.loc["yunet", "present"]
    assert table.loc["yunet", "path"] == ""
    commercial = {"dlib": "yes", "dlib 68 points": "no", "arcface-r50": "no", "facenet": "unclear", "yunet": "yes"}
    assert table.loc[list(commercial), "commercial"].to_dict() == commercial
    assert table.loc["dlib", "licence"].startswith("CC0")


@pytest.mark.real_data
def test_the_table_says_what_is_there_and_what_is_not_it(models_folder, folder):
    folder.mkdir()
    shutil.copyfile(models_folder / "yunet_n_640_640.onnx", folder / "yunet_n_640_640.onnx")
    (folder / "mobilefacenet.onnx").write_bytes(b"something else")
    table = weights_table().set_index("name")
    assert table.loc["yunet", "present"]
    assert table.loc["yunet", "path"] == str(folder / "yunet_n_640_640.onnx")
    assert not table.loc["mobilefacenet", "present"]
    assert "it has 14 bytes" in table.loc["mobilefacenet", "note"]
