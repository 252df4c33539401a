"""The page's modules as one script: browsers load no module files from `file://`, and notebooks take one text."""

from __future__ import annotations

import re
from importlib import resources
from importlib.resources.abc import Traversable

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const|let)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let|var) (\w+)", re.MULTILINE)


def page_folder() -> Traversable:
    """Return the folder with `page.css`, `page.html` and the modules; the server serves it as it is."""
    return resources.files("facelib.page")


def page_style() -> str:
    """Return the page's CSS."""
    return page_folder().joinpath("page.css").read_text(encoding="utf-8")


def bundle(entry: str) -> str:
    """Return a module and all that it imports as one module without imports.

    The modules use a part of JavaScript that can be joined without a parser: named imports, one declaration per export,
    and no top-level name in two modules.

    Raises:
        ValueError: When a module does not keep to these rules.
    """
    texts: dict[str, str] = {}
    _collect(entry, texts, ())
    owners: dict[str, str] = {}
    for name, text in texts.items():
        for declared in _NAME.findall(text):
            if declared in owners:
                raise ValueError(f"expected {declared!r} in one module only, got it in {owners[declared]} and {name}")
            owners[declared] = name
    joined = [f"// {name}\n{_EXPORT.sub('', _IMPORT.sub('', text))}" for name, text in texts.items()]
    return "\n".join(joined)


def _collect(name: str, texts: dict[str, str], above: tuple[str, ...]) -> None:
    """Add a module after those that it imports."""
    if name in above:
        raise ValueError(f"expected modules without import circles, got {' -> '.join((*above, name))}")
    if name in texts:
        return
    text = page_folder().joinpath("modules", name).read_text(encoding="utf-8")
    for _, other in _IMPORT.findall(text):
        _collect(other, texts, (*above, name))
    rest = _EXPORT.sub("", _IMPORT.sub("", text))
    if re.search(r"^(?:import|export)\b", rest, re.MULTILINE) or "</script" in text.lower():
        raise ValueError(
            f"expected imports such as 'import {{ a }} from \"./b.js\";' and exports of one name, got others in {name}"
        )
    texts[name] = text
