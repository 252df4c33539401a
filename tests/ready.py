"""What commands and kernels make once each, made for all of them in the processes that they are forked from."""

import inspect
from pathlib import Path
from tempfile import TemporaryDirectory


def unpack() -> None:
    """Have dlib unpack its HOG detector and its predictor of points, most of a second each time; hash its weights."""
    from facelib.detect.hog import _trained
    from facelib.embed.align import DlibAligner
    from facelib.nets.dlib import embedding_network, landmark_file

    _trained()
    DlibAligner(landmark_file())
    embedding_network()


def start_server() -> None:
    """Have the routes of the API put together, and what the database's tables are made by imported."""
    from starlette.testclient import TestClient

    from facelib.server.app import create_app
    from facelib.server.settings import ServerSettings

    with TemporaryDirectory() as folder:
        place = Path(folder)
        app = create_app(ServerSettings(data_dir=place / "data", output_dir=place / "output", workers=0))
        with TestClient(app) as client:
            assert client.get("/api/v1/projects").status_code == 401


def note_modules() -> None:
    """Have `inspect` note which file each module is from, as the first traceback of each notebook would."""
    inspect.getmodule(inspect.currentframe())
