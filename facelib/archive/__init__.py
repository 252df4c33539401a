"""One index over all films of a project, or of several: appearances, tracks and faces, searched in a second.

The index lies in `output/<project>/archive`: `update_archive` brings it up to date, `open_archive` reads it. Searching
needs DuckDB, which the extra `scale` installs.
"""

from facelib.archive.faces import FACE_HIT_COLUMNS, find_face
from facelib.archive.moments import HIT_COLUMNS, Unit, find_scenes
from facelib.archive.opened import Archive, open_archive
from facelib.archive.people import find_company, find_person, find_years, list_people
from facelib.archive.picture_face import embed_face
from facelib.archive.pictures import hit_pictures, write_hits
from facelib.archive.update import ArchiveChanges, update_archive

__all__ = [
    "FACE_HIT_COLUMNS",
    "HIT_COLUMNS",
    "Archive",
    "ArchiveChanges",
    "Unit",
    "embed_face",
    "find_company",
    "find_face",
    "find_person",
    "find_scenes",
    "find_years",
    "hit_pictures",
    "list_people",
    "open_archive",
    "update_archive",
    "write_hits",
]
