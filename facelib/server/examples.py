"""An example of each body and answer of the API, for its description."""

from __future__ import annotations

from typing import Any

_NOW = 1795880436.1
_WHEN = "2026-11-28T13:40:36.123456+00:00"

_USUAL: dict[str, Any] = {
    "action": "name", "box": [101.0, 54.5, 188.0, 160.0], "by": "ada", "confidence": 0.97, "created": _NOW,
    "date": "2026-11-28", "disabled": False, "distance": 0.31, "duration": 1534.2, "end": 15.96,
    "evidence": "people/Ada Lovelace/1.jpg", "film": "episode_1.mp4", "films": 3, "grants": {"demo": "read"},
    "id": "episode_1", "kind": "cast", "left_out": [], "name": "Ada Lovelace", "next_offset": None,
    "person": "Ada Lovelace", "project": "demo", "reason": "", "seconds": 412.6, "start": 12.4, "threshold": 0.45,
    "title": "episode_1", "total": 1, "track": 7, "used": None, "user": "ada", "video": "episode_1", "warnings": [],
    "width": 640,
}  # fmt: skip
"""What stands in a field that is required, wherever `_OWN` says nothing else."""

_OWN: dict[str, dict[str, Any]] = {
    "ProblemDocument": {
        "type": "about:blank",
        "detail": "expected the name of a project that you may see, got 'dmeo'; GET /api/v1/projects lists them",
    },
    "Credentials": {"name": "ada", "password": "correct horse battery"},
    "SessionDocument": {"grants": [{"demo": "correct"}], "is_user": True, "csrf": "Zm9yIHRoaXMgcGFnZQ"},
    "NewUser": {"password": "correct horse battery", "grants": {"demo": "correct"}},
    "ChangedUser": {"grants": {"demo": "read"}},
    "ChangedPassword": {"old": "correct horse battery", "new": "staple correct horse"},
    "UserDocument": {"id": 1, "name": "ada", "grants": {"demo": "correct"}},
    "TokenDocument": {"id": 3, "name": "nightly run"},
    "MadeToken": {"id": 3, "name": "nightly run", "token": "facelib_3mX0y5mWk2c9"},
    "NewProject": {"name": "demo"},
    "ProjectSummary": {"people": 2, "videos": 1, "has_recognizer": True, "problem": ""},
    "NewJob": {"parameters": {"videos": ["episode_1.mp4"]}},
    "JobStage": {"step": 2, "name": "02_embed_faces", "state": "done", "run": "2026-11-28T13-40-36"},
    "JobDocument": {
        "id": 12, "kind": "film", "steps": [2, 4, 5], "parameters": {"videos": ["episode_1.mp4"]}, "state": "running",
        "started": _NOW + 1, "ended": None, "attempts": 1, "progress": 0.61, "left": 42.0,
        "doing": "Name the faces in films: Shots, faces, tracks and names",
    },
    "UploadDocument": {
        "id": "3mX0y5mWk2c9", "name": "episode 1.mp4", "person": None, "length": 734003200, "received": 12582912,
        "state": "receiving", "file": "",
    },
    "CastMember": {
        "pictures": 14, "used": 12, "left_out": {"duplicate": 1, "disabled": 1}, "merged": ["Ada King"],
    },
    "Answer": {"name": "Ada King", "answer": "merge"},
    "Picture": {"used": True, "sharpness": 212.4},
    "AddedPicture": {"box": None, "sharpness": None, "new": True},
    "ChangedPicture": {"disabled": True},
    "Forgetting": {"keep_name": False},
    "ForgetReport": {"removed": ["people/Ada Lovelace/1.jpg", "3 rows of the database"], "stays": []},
    "PictureProposal": {
        "picture": "people/Ada Lovelace/2.jpg", "detail": "nearly 1.jpg", "score": 0.9, "fits": "", "used": True,
    },
    "NameQuestion": {"picture": "people/Ada Lovelace/1.jpg", "other_picture": "people/Ada King/1.jpg"},
    "DoctorFindings": {"advice": ["Ada Lovelace has 12 pictures; 50 make names more certain."]},
    "Training": {"kind": "knn", "k": 5, "wanted_fpir": 0.01},
    "Recognizer": {
        "kind": "knn", "k": 5, "threshold_from": "trials", "wanted_fpir": 0.01, "fpir": 0.008, "fnir": 0.06,
        "fpir_interval": [0.003, 0.017], "fnir_interval": [0.03, 0.11], "impostor_trials": 1200,
        "genuine_trials": 120, "detector": "centerface", "embedder": "dlib", "per_person": False, "pictures": 120,
        "text": "Faces nearer than 0.45 get a name.",
    },
    "Video": {
        "state": "named", "problem": "", "notes": "", "bytes": 734003200, "tracks": 412, "people": ["Ada Lovelace"],
        "unknown": 133, "annotated": False,
    },
    "EmbedDocument": {
        "key": "3mX0y5mWk2c9", "address": "https://films.example.org/embed/3mX0y5mWk2c9",
        "html": '<iframe src="https://films.example.org/embed/3mX0y5mWk2c9" width="640" height="420"></iframe>',
    },
    "Track": {
        "label": "Ada Lovelace", "cluster": "", "reason": "face: 0.31 from people/Ada Lovelace/1.jpg",
        "second_person": "Grace Hopper", "start_frame": 310, "end_frame": 399, "shot": 3, "seconds": 3.6, "worth": 0.1,
        "decided": False, "automatic": "Ada Lovelace", "pictures": 4, "state": "5f1c2b3a4d5e6f70",
    },
    "Appearance": {"end": 16.0, "start_timecode": "00:00:12:10", "end_timecode": "00:00:16:00", "tracks": [7]},
    "TrackRef": {"state": "5f1c2b3a4d5e6f70"},
    "Deciding": {"name": "Ada Lovelace", "whole_group": True},
    "NewCorrection": {"name": "Ada Lovelace", "whole_group": True},
    "CorrectionResult": {"id": _WHEN},
    "CorrectionItem": {"was": "", "given": "Ada Lovelace"},
    "Correction": {"id": _WHEN},
    "UnknownPerson": {"seconds": 61.2, "tracks": 18, "films": 2, "track": 9},
    "PersonSeen": {"appearances": 51, "moments": None},
    "Year": {
        "year": 2026, "appearances": 51, "first_project": "demo", "first_film": "episode_1.mp4", "first_start": 12.4,
        "last_project": "demo", "last_film": "episode_3.mp4", "last_end": 1311.2,
    },
    "PossibleName": {"probability": 0.93},
    "IdentifiedFace": {
        "score": 0.99, "probability": 0.97,
        "reason": "0.31 from people/Ada Lovelace/1.jpg; at most 0.45 gives a name",
    },
    "Identified": {"height": 480},
    "Packed": {"kind": "int32", "data": "AAAAAAEAAAACAAAA"},
    "PackedTimes": {"start": 0.0, "end": 4.0, "count": 100},
    "Link": {"title": "appearances.csv", "href": "videos/episode_1/exports/csv", "purpose": "for spreadsheets"},
    "FilmSource": {
        "title": "source", "href": "videos/episode_1/media/source", "purpose": "the original film", "start": 0.0,
    },
    "FaceSheets": {"folder": "videos/episode_1/sheets/5f1c2b3a4d5e6f70/", "tile": 80, "columns": 8},
    "BoxKeys": {"unit": 0.25},
    "TrackTable": {"reasons": ["face: 0.31 from people/Ada Lovelace/1.jpg"]},
    "FilmEntry": {"data": "videos/episode_1/page", "version": "5f1c2b3a4d5e6f70", "poster": "", "notice": ""},
    "PersonEntry": {"colour": "#0072B2", "symbol": "circle", "picture": ""},
    "FilmData": {"height": 360, "longest_gap": 1.0},
    "ProjectData": {"name": "demo"},
}  # fmt: skip
"""What stands in fields of single schemas, by its name; those that hold other schemas have their examples."""


def add_examples(schemas: dict[str, dict[str, Any]]) -> None:
    """Give each schema of a description an example, put together from those of its fields."""
    for name, schema in schemas.items():
        schema["examples"] = [_example(name, schemas)]


def _example(name: str, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    schema, own = schemas[name], _OWN.get(name, {})
    found: dict[str, Any] = {}
    for field, described in schema.get("properties", {}).items():
        whole, one = _part_of(described), _part_of(described.get("items", {}))
        if field in own:
            found[field] = own[field]
        elif field not in schema.get("required", []):
            continue
        elif whole or one:
            found[field] = _example(whole, schemas) if whole else [_example(one, schemas)]
        elif "examples" in described or field in _USUAL:
            found[field] = described["examples"][0] if "examples" in described else _USUAL[field]
    return found


def _part_of(described: dict[str, Any]) -> str:
    """Return the name of the schema that a field holds, empty for none."""
    places = [described, *described.get("anyOf", [])]
    return next((place["$ref"].rpartition("/")[2] for place in places if "$ref" in place), "")
