"""What the tests of clusters share."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from random import SystemRandom

import pytest

from facelib.archive.cluster.shared import WorkingCopy

WEED = str(Path(sys.executable).with_name("weed"))


@pytest.fixture(autouse=True)
def _dropped_connections() -> Iterator[None]:
    """Collect the connections that Dask drops unclosed when the other side dies, while their warning is ignored."""
    yield
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "cluster":
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )


class S3Server:
    """SeaweedFS in a folder: what it holds survives its being killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, free_ports()
        (folder / "objects").mkdir()
        allowed = [("all", ["Admin", "Read", "Write", "List"]), ("reader", ["Read:films", "List:films"])]
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": "secret"}], "actions": actions}
            for name, actions in allowed
        ]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        try:
            self.start()
            self.make_bucket("films")
        except BaseException:
            self.kill()
            raise

    def make_bucket(self, name: str) -> None:
        """Make a folder of the filer, which is what a bucket is."""
        place = f"http://127.0.0.1:{self.ports[2]}/buckets/{name}/"
        urllib.request.urlopen(urllib.request.Request(place, method="POST"), timeout=60).close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports[3]}"

    def start(self) -> None:
        kinds = ("master", "volume", "filer", "s3")
        ports = [f"-{kind}.port={port}" for kind, port in zip(kinds, self.ports, strict=True)]
        # Tables are served at one port for all servers of a machine, a second of which would end.
        alone = ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        single = ["-master.peers=none"]  # a master that was killed would wait 12 s for others to elect it again
        quiet = ["-master.telemetry=false", "-master.telemetry.url=http://127.0.0.1:9/"]  # it reports by default
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    WEED,
                    "server",
                    f"-dir={self.folder}/objects",
                    "-volume.max=8",
                    "-master.volumeSizeLimitMB=64",
                    "-s3",
                    f"-s3.config={self.folder}/s3.json",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    *ports,
                    *alone,
                    *single,
                    *quiet,
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        for _ in range(1200):
            with suppress(urllib.error.HTTPError, OSError):
                urllib.request.urlopen(f"{self.address}/status", timeout=1).close()
                return
            assert self.process.poll() is None, self.told()
            time.sleep(0.1)
        raise AssertionError(f"the S3 server did not start: {self.told()}")

    def told(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def free_ports() -> list[int]:
    """Return four ports; SeaweedFS listens 10,000 above each, too, which is below what Linux gives to clients."""
    ports: list[int] = []
    with ExitStack() as taken:
        for port in SystemRandom().sample(range(20_000, 22_700), 400):  # other tests choose at the same moment
            with suppress(OSError):
                for one in (port, port + 10_000):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", one))
                ports.append(port)
            if len(ports) == 4:
                return ports
    raise AssertionError("expected four free ports between 20,000 and 22,700, found fewer")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch:
        started = S3Server(tmp_path_factory.mktemp("s3"))
        try:
            patch.setenv("AWS_ENDPOINT_URL", started.address)
            patch.setenv("AWS_REGION", "us-east-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "all")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            yield started
        finally:
            started.kill()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a factory of working copies, each as on a machine of its own."""

    def make(name: str, bucket: str = "films") -> WorkingCopy:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("facelib.archive.cluster.shared.folders", lambda: (tmp_path / name,))
            return WorkingCopy.of("demo", f"s3://{bucket}/data", f"s3://{bucket}/output")

    return make
