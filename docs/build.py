"""Build the site: run the notebooks on the demo, gather the pages, build them, and look for what is not on the machine.

Usage: python docs/build.py [--seconds-per-shot 3]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from plotly.offline import get_plotlyjs

from facelib.demo import make_demo
from facelib.pipeline import run_pipeline
from facelib.pipeline.report import leave_out_empty, replace_outputs
from facelib.plots.dark import site_style
from facelib.project import Project

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".docs"
SITE = ROOT / "site"
STEPS = range(1, 8)
# What a browser fetches by itself; a link that is only followed by a click is no matter.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?(https?:)?//[^"'\s>]+"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|dns-prefetch|icon|modulepreload))[^>]*"""
    r"""\bhref=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|(?:@import\s+|url\()\s*["']?(?:https?:)?//[^"')\s]+""",
    re.IGNORECASE,
)
_LINK = re.compile(r"\]\(\.\./docs/([\w/-]+)\.md")  # from a notebook to a page


def executed(demo: Project, *, seconds_per_shot: float) -> dict[str, Path]:
    """Run what has changed since the last time; return the executed notebooks by name."""
    make_demo(demo, seconds_per_shot=seconds_per_shot, progress=False)
    results = run_pipeline(demo, steps=STEPS, progress=lambda step: print(step.name, step.state, flush=True))
    failed = [step for step in results if step.state == "failed"]
    if failed:
        raise SystemExit(f"expected every notebook to run on the demo, {failed[0].name} failed: {failed[0].message}")
    return {step.name: step.notebook for step in results}


def gather(notebooks: dict[str, Path]) -> None:
    """Copy the pages, the pictures and the notebooks to where mkdocs looks; those not executed stand as they are."""
    pages = BUILD / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (pages / "assets/plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    (pages / "assets/figures.css").write_text(site_style(), encoding="utf-8")
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        document = nbformat.read(notebooks.get(source.stem, source), as_version=4)
        document.metadata.pop("widgets", None)
        replace_outputs(document, script="../assets/plotly.min.js")
        leave_out_empty(document)
        for cell in document.cells:
            cell.source = _LINK.sub(r"](../\1.html", cell.source.replace("](../docs/pictures/", "](../pictures/"))
        # Whose machine built the pages, and where, is nobody's business.
        text = nbformat.writes(document).replace(f"{BUILD}/", "")
        (pages / "notebooks" / source.name).write_text(text, encoding="utf-8")


def fetched(folder: Path) -> list[str]:
    """Return what the pages under a folder would fetch from elsewhere, each with the page."""
    found = []
    for page in sorted(file for kind in ("*.html", "*.css") for file in folder.rglob(kind)):
        for match in _FETCHED.finditer(page.read_text(encoding="utf-8")):
            found.append(f"{page.relative_to(folder)}: {match.group()[-120:]}")
    return found


def main() -> None:
    """Build the site into `site/`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds-per-shot", type=float, default=3.0, help="length of the demo's shots")
    arguments = parser.parse_args()
    demo = Project("demo", BUILD / "data", BUILD / "output")
    gather(executed(demo, seconds_per_shot=arguments.seconds_per_shot))
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(ROOT / "mkdocs.yml")]
    subprocess.run(command, check=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    if outside := fetched(SITE):
        raise SystemExit("expected pages that fetch nothing, found:\n" + "\n".join(outside))
    print(f"{SITE / 'index.html'}")


if __name__ == "__main__":
    main()
