"""The server's figures: a long film's page, many readers, a large upload, and work after a kill.

    python benchmarks/server.py [page] [readers] [upload] [kill]

Everything is made up and on loopback. The readers are a process of their own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import psutil
from page import SCROLL, make_project, write_film  # type: ignore[import-not-found]
from playwright.sync_api import sync_playwright

READERS, SECONDS, PAUSE = 200, 60.0, 1.0
PROCESSES = 2
GIGABYTE = 2**30
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Server:
    """A server under measurement."""

    process: subprocess.Popen[str]
    address: str
    token: str

    def ask(self, method: str, path: str, **options: object) -> httpx2.Response:
        """Ask as the owner."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})  # type: ignore[operator]
        return httpx2.request(method, self.address + path, headers=headers, timeout=600, **options)  # type: ignore[arg-type]

    @property
    def family(self) -> list[psutil.Process]:
        """The server's processes."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    @property
    def megabytes(self) -> float:
        """Memory of the server's processes."""
        return float(sum(process.memory_info().rss for process in self.family) / 1e6)

    @property
    def busy(self) -> float:
        """Processor seconds of the server's processes."""
        return sum(sum(process.cpu_times()[:2]) for process in self.family)

    def settle(self) -> None:
        """Wait until it has made ready what it makes ready at its start."""
        before = -1.0
        while self.busy - before > 0.05:
            before = self.busy
            time.sleep(1)


@contextmanager
def serving(folder: Path, token: str = "", *, processes: int = 1) -> Iterator[Server]:
    """Serve the projects of a folder on a free port."""
    options = ["--port", "0", "--data-dir", str(folder / "data"), "--output-dir", str(folder / "output")]
    options += ["--processes", str(processes)]
    program = [sys.executable, "-c", "from facelib.cli import main; main()", "serve", *options]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().rpartition(" ")[2]
        token = token or process.stdout.readline().strip().rpartition(" ")[2]
        try:
            yield Server(process, address, token)
        finally:
            process.terminate()


def measure_page(folder: Path) -> None:
    """Open and scroll a two-hour film of 10,000 tracks."""
    with serving(folder) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(server.address)
        page.get_by_role("textbox", name="Token").fill(server.token)
        page.keyboard.press("Enter")
        page.wait_for_selector(".projects-view .tile-title")
        times = []
        for _ in range(4):  # the first one also reads the tables into the server's memory
            page.goto("about:blank")
            begin = time.perf_counter()
            page.goto(f"{server.address}/projects/long#film=long&t=60")
            page.wait_for_selector(".lane-label")
            page.keyboard.press("n")
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            times.append(time.perf_counter() - begin)
        print(f"usable after {times[0]:.2f} s the first time, then {min(times[1:]):.2f} s")
        print(f"scrolled at {page.evaluate(SCROLL):.0f} frames a second (drawn in software)")
        chromium.close()


async def read(server: Server, paths: list[str], until: float, times: list[float], wrong: list[str]) -> None:
    """Ask for one thing a second, as somebody does who looks around.

    As a browser does, a reader takes compressed answers and asks for what it knows by its ETag. The sheets of faces are
    asked for again each time, though a browser keeps them.
    """
    chance = random.Random(id(times) + len(times))
    known: dict[str, str] = {}
    await asyncio.sleep(chance.random() * PAUSE)
    connection = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
    while time.monotonic() < until:
        path = chance.choice(paths)
        headers = {"If-None-Match": known[path]} if path in known else {}
        if "/media/" in path:
            start = chance.randrange(1000)
            headers = {"Range": f"bytes={start}-{start + 65535}"}
        begin = time.perf_counter()
        try:
            headers |= {"Authorization": f"Bearer {server.token}", "Accept-Encoding": "gzip, deflate, br, zstd"}
            status, told = await get(*connection, path, headers)
        except (OSError, EOFError) as error:
            wrong.append(f"{path}: {type(error).__name__}")
            return
        times.append(time.perf_counter() - begin)
        if status not in (200, 206, 304):
            wrong.append(f"{path}: {status}")
        if "etag" in told:
            known[path] = told["etag"]
        await asyncio.sleep(PAUSE * (0.5 + chance.random()))
    connection[1].close()


async def get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str]]:
    """Ask for one thing on an open connection: a client's own work must not count as the server's."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    told = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    left = int(told.get("content-length", 0))
    while left:
        piece = await reader.read(min(left, 2**20))
        if not piece:
            raise EOFError
        left -= len(piece)
    return int(status.split()[1]), told


async def readers(server: Server, paths: list[str]) -> tuple[list[float], list[str]]:
    times: list[float] = []
    wrong: list[str] = []
    until = time.monotonic() + SECONDS
    await asyncio.gather(*(read(server, paths, until, times, wrong) for _ in range(READERS)))
    return times, wrong


def measure_readers(folder: Path) -> None:
    """Let 200 readers look around for a minute."""
    own = "/api/v1/projects/long"
    film = f"{own}/videos/long"
    with serving(folder, processes=PROCESSES) as server:
        page = server.ask("GET", f"{film}/page").json()
        sheets = [f"{own}/{page['sheets']['folder']}faces-{number}.jpg" for number in range(4)]
        paths = [own, f"{own}/page", f"{own}/videos", f"{own}/people", f"{film}/page", f"{film}/media/source",
                 f"{film}/tracks?limit=50", f"{film}/appearances?limit=50", f"{own}/unknowns", *sheets]  # fmt: skip
        for _ in range(4):  # so that each process has answered once
            for path in paths:
                server.ask("GET", path)
        server.settle()
        before, load, busy = server.megabytes, os.getloadavg()[0], server.busy
        asked = json.dumps({"address": server.address, "token": server.token, "paths": paths})
        with subprocess.Popen([sys.executable, __file__, "--read", asked], stdout=subprocess.PIPE, text=True) as reader:
            time.sleep(SECONDS / 2)
            half = server.megabytes
            told = json.loads(reader.communicate()[0])
        busy = server.busy - busy
        times = np.array(told["times"]) * 1000
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        print(f"{READERS} readers for {SECONDS:.0f} s, {PROCESSES} processes: {len(times)} answers,")
        print(f"  median {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms,")
        print(f"  {len(told['wrong'])} errors {told['wrong'][:3]}; load before {load:.1f}")
        print(f"  {busy / len(times) * 1000:.1f} ms of processor time an answer, the reader's own {told['busy']:.0f} s")
        print(f"  memory {before:.0f} MB before, {half:.0f} MB after 30 s, {server.megabytes:.0f} MB after 60 s")


def large_film(folder: Path) -> Path:
    """Return a film of a gigabyte, nearly all of it holes."""
    path = folder / "large.mp4"
    write_film(path, 100)
    with open(path, "ab") as file:
        file.write((GIGABYTE).to_bytes(4, "big") + b"free")
        file.truncate(path.stat().st_size + GIGABYTE)
    return path


def measure_upload(folder: Path) -> None:
    """Upload a gigabyte in one piece."""
    film = large_film(folder)
    size = film.stat().st_size
    with serving(folder) as server:
        server.ask("POST", "/api/v1/projects", json={"name": "large"})
        name = {"Upload-Metadata": f"filename {base64.b64encode(b'large.mp4').decode()}", "Upload-Length": str(size)}
        begun = server.ask("POST", "/api/v1/projects/large/uploads", headers=TUS | name)
        before, most = server.megabytes, 0.0

        def pieces() -> Iterator[bytes]:
            nonlocal most
            with open(film, "rb") as file:
                while block := file.read(2**20):
                    most = max(most, server.megabytes)
                    yield block

        headers = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        begin = time.perf_counter()
        answer = server.ask("PATCH", begun.headers["Location"], headers=headers, content=pieces())
        seconds = time.perf_counter() - begin
        kept = folder / "data" / "large" / "videos" / "large.mp4"
        equal = answer.status_code == 204 and digest(kept) == digest(film)
        print(f"{size / 1e9:.2f} GB uploaded in {seconds:.0f} s, SHA-256 {'equal' if equal else 'DIFFERS'};")
        print(f"  the server's memory {before:.0f} MB before, at most {most:.0f} MB meanwhile")


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure_kill(folder: Path) -> None:
    """Kill a server in the middle of a job, start another one, and wait until the job is at work again."""
    with serving(folder) as server:
        server.ask("POST", "/api/v1/projects", json={"name": "kill"})
        write_film(folder / "data" / "kill" / "videos" / "film.mp4", 20_000)
        jobs = "/api/v1/projects/kill/jobs"
        begun = server.ask("POST", jobs, json={"kind": "run", "steps": [1]}).json()
        while server.ask("GET", f"{jobs}/{begun['id']}").json()["state"] != "running":
            time.sleep(0.2)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        token, killed = server.token, time.perf_counter()
    with serving(folder, token) as server:
        while (job := server.ask("GET", f"{jobs}/{begun['id']}").json())["attempts"] < 2 and job["state"] != "done":
            time.sleep(0.2)
        print(f"work goes on {time.perf_counter() - killed:.0f} s after SIGKILL (attempt {job['attempts']})")


PARTS = {
    "page": measure_page,
    "readers": measure_readers,
    "upload": measure_upload,
    "kill": measure_kill,
}


def main() -> None:
    if sys.argv[1:2] == ["--read"]:
        asked = json.loads(sys.argv[2])
        server = Server(None, asked["address"], asked["token"])  # type: ignore[arg-type]
        times, wrong = asyncio.run(readers(server, asked["paths"]))
        print(json.dumps({"times": times, "wrong": wrong, "busy": sum(os.times()[:2])}))
        return
    for name in sys.argv[1:] or PARTS:
        folder = Path(tempfile.mkdtemp())
        try:
            if name in ("page", "readers"):
                make_project(folder)
            PARTS[name](folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
