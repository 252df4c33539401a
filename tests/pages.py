"""What tests of pages in a browser share: patience, waiting for a condition, and what keeps people out."""

import json
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .conftest import PLENTY
from .conftest import new_context as new_context

_VIOLATIONS = """axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes[0].html]))"""


def show_text(page: Page, text: str, folder: Path) -> None:
    """Show a page that has a library in it, from a file in a folder.

    To hand over megabytes by `set_content` takes a third of the time that such a page takes.
    """
    path = folder / "page.html"
    path.write_text(f'<meta charset="utf-8">{text}', encoding="utf-8")
    page.goto(path.as_uri())


def until(page: Page, condition: str) -> None:
    """Wait until a condition holds; a page's own rules forbid `wait_for_function` to build one from text in it.

    The page looks itself: to ask it from here each time keeps three processes busy.
    """
    page.evaluate(
        f"""(async () => {{
            const end = performance.now() + {PLENTY};
            while (!({condition})) {{
                if (performance.now() > end) throw new Error({json.dumps("expected " + condition)});
                await new Promise((done) => setTimeout(done, 50));
            }}
        }})()"""
    )


def find_barriers(page: Page) -> list[list[str]]:
    """Return what axe-core holds against a page as it stands, serious and critical: each rule, and its first element.

    The program, half a megabyte, is given to a page once, however often it is asked.
    """
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(Axe().axe_script)
    found: list[list[str]] = page.evaluate(_VIOLATIONS)
    return found
