"""Servers that play a film on loopback: RTSP by GStreamer, and a camera's MJPEG by Python's own HTTP server."""

import subprocess
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.serving import Quiet, free_port

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspServer:
    """A real RTSP server on loopback, which can be killed and started again on the same port."""

    def __init__(self, film: Path) -> None:
        self.film, self.port = film, free_port()
        self.address = f"rtsp://127.0.0.1:{self.port}/live"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [SYSTEM_PYTHON, str(SERVER), str(self.film), str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class MjpegServer:
    """A camera as many sell them: JPEG pictures without end, in one answer of HTTP, as they are filmed.

    Attributes:
        address: Of the stream.
        sent: When each picture was sent to the last who asked, in seconds of `time.monotonic`.
        silent: While set, it keeps the line and sends nothing.
    """

    def __init__(self, pictures: list[bytes], *, rate: float = 25.0) -> None:
        self._pictures, self._rate = pictures, rate
        self.sent: list[float] = []
        self.silent, self._ended = threading.Event(), threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}/video.mjpg"

    def start(self) -> None:
        owner = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
                self.end_headers()
                owner._play(self.wfile)

        self._ended.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _play(self, line: object) -> None:
        self.sent, began, number = [], time.monotonic(), 0
        try:
            while not self._ended.wait(max(0.0, began + number / self._rate - time.monotonic())):
                if not self.silent.is_set():
                    picture = self._pictures[number % len(self._pictures)]
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    line.write(head.encode() + picture + b"\r\n")
                    self.sent.append(time.monotonic())
                number += 1
        except OSError:  # who asked has gone
            pass
