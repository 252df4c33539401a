"""One job in a process of its own: `python -m facelib.server.jobs.child`.

The job comes as one line of JSON on standard input; what happens goes as lines of JSON to standard output. Standard
input stays open as long as the server lives: when it ends, this process ends itself and what it started.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from facelib.project import path_of
from facelib.project.processes import answer_parent, end_with_parent, limit_memory

_GIGABYTE = 2**30


def main() -> None:
    """Run the job that standard input names."""
    job, tell = answer_parent()
    end_with_parent()
    limit_memory(int(job["memory_gb"] * _GIGABYTE))
    try:
        told = _run(job, tell)
    except BlockingIOError as error:
        told = {"busy": str(error)}
    except MemoryError:
        told = {"crashed": f"it needs more than the {job['memory_gb']:g} GB of memory that a job may take"}
    except (ValueError, OSError) as error:
        told = {"failed": str(error)}
    tell(told)


def _run(job: dict[str, Any], tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """Run the stages that are left; return how it ended."""
    from facelib.pipeline import run_pipeline
    from facelib.pipeline.kernel import Kernels
    from facelib.pipeline.notebooks import find_notebooks
    from facelib.pipeline.progress import Progress
    from facelib.project import Project
    from facelib.server.settings import while_nobody_is_forgotten

    project = Project(path_of(job["project"]), Path(job["data_dir"]), Path(job["output_dir"]))
    with while_nobody_is_forgotten(project):
        pass  # from here on the job is seen to be at work
    folder = Path(job["notebooks"]) if job["notebooks"] else None
    steps, finished = job["steps"], set(job["finished"])
    with Kernels(job["kernels"], forks=folder is None) as kernels:
        for position, step in enumerate(steps):
            if step in finished:
                continue
            (notebook,) = find_notebooks(folder, [step])
            taken = {name: value for name, value in job["parameters"].items() if name in notebook.model.model_fields}

            def watch(progress: Progress, position: int = position, name: str = notebook.source.stem) -> None:
                done = (position + progress.fraction) / len(steps)
                where = ": ".join(filter(None, (progress.title or name, progress.section)))
                doing = ", ".join([where, *progress.bars])
                tell({"progress": round(done, 4), "left": progress.left, "doing": doing[:500]})

            kernels.later = len(steps) - position - 1
            (result,) = run_pipeline(
                project, steps=[step], parameters=taken, notebooks=folder, watch=watch, kernels=kernels
            )
            if result.state == "failed":
                return _failed(_problem_of_films(project, job) or result.message, job)
            run = result.notebook.parent.name
            tell({"stage": {"step": step, "name": result.name, "state": result.state, "run": run}})
    return {"done": True}


def _problem_of_films(project: Any, job: dict[str, Any]) -> str:
    """Return why the films of the job were left out, where the last run says so."""
    from facelib.films.record import read_summary

    wanted = job["parameters"].get("videos") or []
    rows = read_summary(project).to_dict("records") if wanted else []
    missing = [video for video in wanted if not project.film(path_of(video)).tracks.is_file()]
    return "; ".join(f"{row['film']}: {row['problem']}" for row in rows if row["film"] in missing and row["problem"])


def _failed(message: str, job: dict[str, Any]) -> dict[str, Any]:
    from facelib.pipeline.run import PROCESS_ENDED

    if message.startswith("BlockingIOError"):
        return {"busy": message.partition(": ")[2]}
    if PROCESS_ENDED in message or message.startswith("MemoryError"):
        return {"crashed": f"{message}; a job may take {job['memory_gb']:g} GB"}
    return {"failed": message}


if __name__ == "__main__":
    main()
    os._exit(0)  # all is reported; unloading the imports would take a quarter of a second
