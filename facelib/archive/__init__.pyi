from .faces import FACE_HIT_COLUMNS, films_of_other_networks, find_face
from .moments import HIT_COLUMNS, Unit, find_moments
from .opened import Archive, open_archive
from .people import find_company, find_person, find_years, list_people
from .picture_face import embed_face
from .pictures import hit_pictures, write_hits
from .update import ArchiveChanges, update_archive

__all__ = [
    "FACE_HIT_COLUMNS",
    "HIT_COLUMNS",
    "Archive",
    "ArchiveChanges",
    "Unit",
    "embed_face",
    "films_of_other_networks",
    "find_company",
    "find_face",
    "find_moments",
    "find_person",
    "find_years",
    "hit_pictures",
    "list_people",
    "open_archive",
    "update_archive",
    "write_hits",
]
