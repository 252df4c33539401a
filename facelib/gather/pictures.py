"""Pictures of people from the web: found by name or given by address, checked, and taken into the project."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from facelib.gather.folders import split_sources
from facelib.gather.keeping import PictureStore, folder_of
from facelib.gather.searches import Candidate, Engines, PictureSearch
from facelib.gather.sources.address import redacted
from facelib.gather.sources.fetched import check_fetched
from facelib.gather.sources.ledger import fetching
from facelib.gather.sources.small import fetch_or_reason
from facelib.gather.sources.web import WebLimits
from facelib.gather.workers import in_order
from facelib.images import UnreadablePicture
from facelib.project import Project
from facelib.project.spreadsheets import decoded
from facelib.project.wording import sized

FOUND_COLUMNS = ["person", "address", "engine", "picture", "reason"]
"""A row an address, or an engine in trouble: the picture's path in the data folder, or why there is none."""


def gather_pictures(
    names: str | Iterable[str],
    project: Project,
    search: PictureSearch | None = None,
    *,
    addresses: Mapping[str, Iterable[str]] | str | Path | None = None,
) -> pd.DataFrame:
    """Fetch pictures of people into a project's `people/` folders; each is checked before it is kept.

    A fetched file must be a complete picture of a size that can be decoded, whatever its server says. It is
    named by the first digits of its sha256, and its address and the date are written into the project's `sources.csv`.
    No file of the user's is changed, removed or doubled. Addresses are fetched in the order given until a person has
    enough pictures: those in `addresses` first, then those of the engines in turn.

    It may be killed at any time and run again, with the same pictures as after an unbroken run: what the engines
    found is remembered in `searches.partial.json` in the output folder until everything is done.

    Args:
        names: People to look for, by the names of their folders; a list, or a text with one per line.
        project: Where to.
        search: How; None: as `PictureSearch` says.
        addresses: Pictures that are known, by person; or the path of a CSV file, see `read_addresses`.

    Returns:
        A row an address that was asked, and one with an empty address for each engine that failed: `person`,
        `address`, `engine` (empty where it was given or is not known any more), `picture` (path relative to the data
        folder, empty where nothing was kept) and `reason` (why it was not, empty where it was).

    Raises:
        ValueError: When a name cannot be that of a folder, or a line of the file is malformed.
        FileNotFoundError: When there is no such file.
        ModuleNotFoundError: When an engine is to be asked and icrawler is not installed.
        OSError: When a picture cannot be written, or another fetch into the project runs; what was kept stays.
    """
    search = search or PictureSearch()
    given = _by_folder(read_addresses(addresses) if isinstance(addresses, str | Path) else addresses or {}, project)
    looked_for = list(_by_folder(dict.fromkeys(split_sources(names), ()), project))
    people = dict.fromkeys([*looked_for, *given])
    if not people:
        return _table([])
    with fetching(project):
        store, engines = PictureStore(project), Engines(project, search)
        rows: list[list[str]] = []
        for person in people:
            wanted = [Candidate(address, "") for address in given.get(person, [])]
            if person in looked_for and len(store.pictures_of(person)) < search.max_num:
                found, problems = engines.ask(person)
                wanted, rows = [*wanted, *found], [*rows, *problems]
            rows += _gather_one(person, wanted, store, project, search)
        store.finish()
        engines.forget()
    return _table(rows)


# A name, which may stand in quotes, and an address, which may hold commas, with what a spreadsheet puts between them.
_LINE = re.compile(r'(?:"((?:[^"]|"")*)"\s*|([^,;\t]*))[,;\t]\s*"?(.*?)"?')


def not_gathered(found: pd.DataFrame) -> list[str]:
    """Return a sentence for each address of `gather_pictures` that gave no picture, and for each engine in trouble."""
    rows = found[found["reason"] != ""]
    places = rows["address"].where(rows["address"] != "", rows["engine"])
    return [" - ".join(row) for row in zip(rows["person"], places, rows["reason"], strict=True)]


def read_addresses(path: str | Path) -> dict[str, list[str]]:
    """Read a list of pictures: a line each, `name,address`; empty lines and those that begin with `#` are skipped.

    Between the two may stand a semicolon or a tab, as some spreadsheets save a list.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a line has no name or no address, or the file is neither UTF-8 nor UTF-16 text.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a file with 'name,address' lines at {str(path)!r}, found none")
    try:
        lines = decoded(path.read_bytes()).splitlines()
    except ValueError as error:
        raise ValueError(f"expected a list of pictures at {str(path)!r}, got: {error}") from error
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        name, address = ((parts[1] or parts[2]).replace('""', '"'), parts[3]) if parts else ("", "")
        if not name.strip() or not address:
            raise ValueError(f"expected 'name,address' in line {number} of {str(path)!r}, got {line[:200]!r}")
        if (number, address.lower()) != (1, "address"):  # the heading
            found.setdefault(name.strip(), []).append(address)
    return found


def _by_folder(wanted: Mapping[str, Iterable[str]], project: Project) -> dict[str, list[str]]:
    """Return the addresses by the name of each person's folder, each once, in the order given."""
    from facelib.project.names import checked_name

    found: dict[str, list[str]] = {}
    for name, addresses in wanted.items():
        own = found.setdefault(folder_of(checked_name(name), project), [])
        listed = [addresses] if isinstance(addresses, str) else addresses
        own += [one for one in dict.fromkeys(map(str.strip, listed)) if one and one not in own]
    return found


def _gather_one(
    person: str, wanted: list[Candidate], store: PictureStore, project: Project, search: PictureSearch
) -> Iterator[list[str]]:
    """Fetch one person's pictures until there are enough, and give a row each."""
    wanted = list({redacted(one.address): one for one in reversed(wanted)}.values())[::-1]
    earlier = {source.address: source for source in store.pictures_of(person)}
    engines = {redacted(candidate.address): candidate.engine for candidate in wanted}
    for address, source in earlier.items():
        there = (project.data / source.file).is_file()
        reason = "" if there else "taken away since; remove its row from sources.csv to have it fetched again"
        yield [person, address, engines.get(address, ""), source.file if there else "", reason]
    new = [candidate for candidate in wanted if redacted(candidate.address) not in earlier]
    missing, asked = max(0, search.max_num - len(earlier)), 0
    bar = tqdm(total=search.max_num, initial=len(earlier), desc=person, unit=" pictures", leave=False, disable=None)
    fetch = partial(fetch_or_reason, limits=search.limits)
    contents = in_order(fetch, [one.address for one in new], threads=search.connections, ahead=search.connections)
    with bar, closing(contents):
        while missing and asked < len(new):
            candidate, asked = new[asked], asked + 1
            content = next(contents)
            _check_space(project, search.limits)
            picture, reason = _taken_in(content, person, candidate, store, search)
            missing, _ = missing - bool(picture), bar.update(bool(picture))
            yield [person, redacted(candidate.address), candidate.engine, picture, reason]
    enough = f"not asked: {search.max_num} pictures were fetched; raise max_num for more"
    yield from ([person, redacted(left.address), "", "", enough] for left in new[asked:] if not left.engine)


def _taken_in(
    result: bytes | str, person: str, candidate: Candidate, store: PictureStore, search: PictureSearch
) -> tuple[str, str]:
    """Return the path of the new picture and no reason, or the other way round."""
    if isinstance(result, str):
        return "", result
    try:
        # One at a time, here: decoding takes memory, and how Pillow takes truncated files is set for all threads.
        picture = check_fetched(result, most_pixels=search.most_pixels, least_side=search.least_side)
    except UnreadablePicture as error:
        return "", str(error)
    licence = search.licence if candidate.engine else ""
    file, new = store.keep(picture, person=person, address=candidate.address, licence=licence)
    return (file, "") if new else ("", f"the same picture as {file}")


def _check_space(project: Project, limits: WebLimits) -> None:
    free = shutil.disk_usage(project.data).free
    if free < limits.spare:
        raise OSError(
            f"expected {sized(limits.spare)} to stay free on the disk of {str(project.data)!r}, found "
            f"{sized(free, beside=limits.spare)}; what was gathered stays: free some space and run it again"
        )


def _table(rows: list[list[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=pd.Index(FOUND_COLUMNS), dtype="str")
