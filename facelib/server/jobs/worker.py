"""Workers: threads of a server that claim jobs and watch over the processes that do them."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from facelib.project import path_of
from facelib.server.database import Job, Store
from facelib.server.events import forget_old
from facelib.server.jobs import queue
from facelib.server.jobs.process import JobProcess, JobProcesses
from facelib.server.settings import ServerSettings, project_names

_log = logging.getLogger("facelib.server.jobs")
_PAUSE = 0.5  # seconds between two looks at the table, where no job waits
_RENEWED = 2.0  # seconds between two renewals of a claim
_BUSY = 5.0  # seconds before a job is tried again that other work was in the way of


class Workers:
    """The workers of one server."""

    def __init__(self, store: Store, settings: ServerSettings) -> None:
        self._store, self._settings = store, settings
        self._processes = JobProcesses(own_notebooks=settings.notebooks is not None)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(f"{socket.gethostname()[:40]} {secrets.token_hex(8)}",))
            for _ in range(settings.workers)
        ]

    def start(self) -> None:
        """Start to claim jobs."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the work under way, which is put back, and wait for the end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._processes.close()

    def _work(self, owner: str) -> None:
        while not self._stop.wait(_PAUSE):
            try:
                while not self._stop.is_set() and (job := self._claim(owner)) is not None:
                    self._do(job, owner)
                self._processes.rest()
            except DBAPIError as error:  # it comes back, or /health reports it
                _log.error("database: %s", type(error.orig).__name__)
                self._stop.wait(2.0)
            except Exception:
                _log.exception("a worker failed")
                self._stop.wait(2.0)

    def _claim(self, owner: str) -> Job | None:
        with self._store.read() as session:  # most looks find nothing, and keep nobody from writing
            if not queue.is_waiting(session):
                return None
        settings = self._settings
        with self._store.begin() as session:
            forget_old(session)
            return queue.claim(session, owner, lease=settings.lease_seconds, most_attempts=settings.job_attempts)

    def _do(self, job: Job, owner: str) -> None:
        """Do a claimed job in a process of its own, until it ends, is cancelled, or is no longer ours."""
        _log.info("job begins", extra={"job": job.id, "kind": job.kind, "attempt": job.attempts})
        if job.project not in project_names(self._settings):
            with self._store.begin() as session:
                queue.end(session, job.id, owner, "failed", f"expected the project {job.project!r}, it is gone")
            return
        with self._processes.start(self._described(job)) as process:
            ended = self._follow(job, owner, process)
        if ended is None:
            return
        with self._store.begin() as session:
            self._end(session, job.id, owner, ended)
        _log.info("job ends", extra={"job": job.id, "kind": job.kind, "how": next(iter(ended))})

    def _follow(self, job: Job, owner: str, process: JobProcess) -> dict[str, Any] | None:
        """Record what a process reports; return how it ended, or None when the job is no longer ours."""
        renewed, values, stages = time.monotonic(), dict[str, Any](), list[dict[str, Any]]()
        until = renewed + self._settings.lease_seconds
        while True:
            if self._stop.is_set():
                return {"busy": "the server was stopped"}
            told = process.next(0.2)
            if told is not None and "stage" in told:
                stages.append(told["stage"])
            elif told is not None and "progress" in told:
                values = told
            elif told is not None:
                return {**told, "last": values}
            at = time.monotonic()
            if stages or at - renewed >= min(_RENEWED, self._settings.lease_seconds / 4):
                try:
                    with self._store.begin() as session:
                        for stage in stages:
                            queue.finish_stage(session, job.id, owner, stage)
                        mine = queue.renew(session, job.id, owner, lease=self._settings.lease_seconds, **values)
                except DBAPIError:
                    if at > until:  # by now another worker may have taken it over
                        return None
                    continue
                if mine is None:
                    return None
                if mine.cancelled:
                    return {"cancelled": True}
                renewed, values, stages, until = at, {}, [], at + self._settings.lease_seconds

    def _end(self, session: Session, number: int, owner: str, ended: dict[str, Any]) -> None:
        if ended.get("last"):  # what it was at when it ended
            queue.renew(session, number, owner, lease=self._settings.lease_seconds, **ended["last"])
        if "busy" in ended:
            queue.put_back(session, number, owner, seconds=_BUSY, reason=ended["busy"])
        elif "crashed" in ended:
            most = self._settings.job_attempts
            queue.crashed(session, number, owner, ended["crashed"], most_attempts=most)
        else:
            state = next(state for state in ("done", "cancelled", "failed") if state in ended)
            queue.end(session, number, owner, state, ended.get("failed", ""))

    def _described(self, job: Job) -> dict[str, Any]:
        settings = self._settings
        parameters = dict(job.parameters)
        if settings.private_addresses and 1 in job.steps:
            parameters["private_addresses"] = True
        return {
            "project": path_of(job.project),
            "data_dir": str(settings.data_dir.absolute()),
            "output_dir": str(settings.output_dir.absolute()),
            "notebooks": str(settings.notebooks.absolute()) if settings.notebooks else "",
            "steps": job.steps,
            "finished": [stage["step"] for stage in job.stages],
            "parameters": parameters,
            "memory_gb": settings.job_memory_gb,
        }
