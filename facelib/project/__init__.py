"""The paths of a project's files, atomic writes, and locks."""

from facelib.project.content import VIDEO_SUFFIXES
from facelib.project.digests import digest, file_digest
from facelib.project.files import atomic_write, file_lock, path_of, text_of, write_table, write_text, writer_lock
from facelib.project.layout import FilmFiles, Project
from facelib.project.spreadsheets import read_csv_table

__all__ = [
    "VIDEO_SUFFIXES",
    "FilmFiles",
    "Project",
    "atomic_write",
    "digest",
    "file_digest",
    "file_lock",
    "path_of",
    "read_csv_table",
    "text_of",
    "write_table",
    "write_text",
    "writer_lock",
]
