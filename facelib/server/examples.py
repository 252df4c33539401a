"""An example of each body and answer of the API, for its description."""

from __future__ import annotations

from typing import Any

_NOW = 1795880436.1
_PACKED = {"kind": "int32", "data": "AAAAAAEAAAACAAAA"}
_TRACK: dict[str, Any] = {
    "video": "episode_1", "track": 7, "label": "Ada Lovelace", "person": "Ada Lovelace", "cluster": "",
    "confidence": 0.97, "reason": "face: 0.31 from people/Ada Lovelace/1.jpg",
    "evidence": "people/Ada Lovelace/1.jpg", "second_person": "Grace Hopper", "start": 12.4, "end": 15.96,
    "start_frame": 310, "end_frame": 399, "shot": 3, "seconds": 3.6, "worth": 0.1, "decided": False,
    "automatic": "Ada Lovelace", "pictures": 4, "state": "5f1c2b3a4d5e6f70",
    "last": {"when": "2026-11-28T13:40:36.123456+00:00", "by": "ada"},
}  # fmt: skip
_PICTURE: dict[str, Any] = {
    "name": "portrait.jpg", "person": "Ada Lovelace", "disabled": False, "used": True, "reason": "",
    "box": [101.0, 54.5, 188.0, 160.0], "sharpness": 212.4,
}  # fmt: skip
_HIT: dict[str, Any] = {
    "project": "demo", "video": "episode_1", "film": "episode_1.mp4", "date": "2026-11-28", "start": 12.4, "end": 15.96,
}  # fmt: skip
_SCENE_LINK = {"title": "source", "href": "videos/episode_1/media/source", "purpose": "the original film"}
_STRETCHES = {"person": _PACKED, "start": _PACKED, "end": _PACKED, "confidence": _PACKED, "face": _PACKED}
_TOKEN: dict[str, Any] = {
    "id": 3, "name": "nightly run", "user": "ada", "grants": {"demo": "read"}, "created": _NOW, "used": None,
}  # fmt: skip
_STAGE = {"step": 5, "name": "05_annotate_video", "state": "done", "run": "2026-11-28T13-40-36"}
_CANDIDATE = {"person": "Ada Lovelace", "probability": 0.93}
_FACE: dict[str, Any] = {
    "box": [101.0, 54.5, 188.0, 160.0], "score": 0.99, "person": "Ada Lovelace", "probability": 0.97, "distance": 0.31,
    "evidence": "people/Ada Lovelace/1.jpg", "reason": "0.31 from people/Ada Lovelace/1.jpg; at most 0.45 gives a name",
    "candidates": [_CANDIDATE],
}  # fmt: skip
_REF = {"video": "episode_1", "track": 7, "state": "5f1c2b3a4d5e6f70"}
_DECISION = {"action": "name", "name": "Ada Lovelace", "whole_group": True}
_PROPOSAL: dict[str, Any] = {
    "picture": "people/Ada Lovelace/2.jpg", "person": "Ada Lovelace", "kind": "near duplicate",
    "detail": "nearly 1.jpg", "score": 0.9, "fits": "", "used": True,
}  # fmt: skip
_QUESTION = {
    "name": "Ada Lovelace", "other": "Ada King", "words": "look like one person",
    "picture": "people/Ada Lovelace/1.jpg", "other_picture": "people/Ada King/1.jpg",
}  # fmt: skip
_MARKED = {
    "name": "Ada Lovelace", "kind": "cast", "colour": "#0072B2", "symbol": "circle", "picture": "",
}  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "ProblemDocument": {
        "type": "about:blank", "title": "Not Found", "status": 404,
        "detail": "expected the name of a project that you may see, got 'dmeo'; GET /api/v1/projects lists them",
    },
    "Credentials": {"name": "ada", "password": "correct horse battery"},
    "SessionDocument": {"name": "ada", "grants": [{"demo": "correct"}], "is_user": True, "csrf": "Zm9yIHRoaXMgcGFnZQ"},
    "NewUser": {"name": "ada", "password": "correct horse battery", "grants": {"demo": "correct"}},
    "ChangedUser": {"grants": {"demo": "read"}},
    "ChangedPassword": {"old": "correct horse battery", "new": "staple correct horse"},
    "UserDocument": {"id": 1, "name": "ada", "grants": {"demo": "correct"}, "created": _NOW},
    "NewToken": {"name": "nightly run", "grants": {"demo": "read"}},
    "TokenDocument": _TOKEN,
    "MadeToken": _TOKEN | {"token": "facelib_3mX0y5mWk2c9"},
    "NewProject": {"name": "demo"},
    "ProjectSummary": {"name": "demo", "people": 2, "videos": 1, "has_recognizer": True, "problem": ""},
    "NewJob": {"kind": "film", "parameters": {"videos": ["episode_1.mp4"]}},
    "JobStage": _STAGE,
    "JobDocument": {
        "id": 12, "project": "demo", "kind": "film", "steps": [2, 4, 5], "parameters": {"videos": ["episode_1.mp4"]},
        "by": "ada", "state": "running", "created": _NOW, "started": _NOW + 1, "ended": None, "attempts": 1,
        "stages": [_STAGE | {"step": 2, "name": "02_embed_faces"}], "progress": 0.61, "left": 42.0,
        "doing": "05_annotate_video: cell 6 of 14", "reason": "",
    },
    "UploadDocument": {
        "id": "3mX0y5mWk2c9", "name": "episode 1.mp4", "person": None, "length": 734003200, "received": 12582912,
        "state": "receiving", "file": "", "reason": "",
    },
    "NewPerson": {"name": "Grace Hopper"},
    "ChangedPerson": {"name": "Augusta Ada King"},
    "CastMember": {
        "name": "Ada Lovelace", "pictures": 14, "used": 12, "left_out": {"duplicate": 1, "disabled": 1},
        "merged": ["Ada King"],
    },
    "Answer": {"name": "Ada King", "other": "Ada Lovelace", "answer": "merge"},
    "Picture": _PICTURE,
    "AddedPicture": _PICTURE | {"used": None, "box": None, "sharpness": None, "new": True},
    "ChangedPicture": {"disabled": True},
    "Forgetting": {"keep_name": False},
    "ForgetReport": {"removed": ["people/Ada Lovelace/1.jpg", "3 rows of the database"], "stays": []},
    "PictureProposal": _PROPOSAL,
    "NameQuestion": _QUESTION,
    "DoctorFindings": {
        "advice": ["Ada Lovelace has 12 pictures; 50 make names more certain."], "questions": [_QUESTION],
        "proposals": [_PROPOSAL],
    },
    "Training": {"kind": "knn", "k": 5, "wanted_fpir": 0.01},
    "NewThreshold": {"threshold": 0.45},
    "Recognizer": {
        "kind": "knn", "k": 5, "threshold": 0.45, "threshold_from": "trials", "wanted_fpir": 0.01, "fpir": 0.008,
        "fnir": 0.06, "fpir_interval": [0.003, 0.017], "fnir_interval": [0.03, 0.11], "impostor_trials": 1200,
        "genuine_trials": 120, "detector": "centerface", "embedder": "dlib", "per_person": False, "pictures": 120,
        "text": "Faces nearer than 0.45 get a name.", "warnings": [],
    },
    "Video": {
        "id": "episode_1", "name": "season 1/episode_1.mkv", "state": "named", "problem": "", "notes": "",
        "bytes": 734003200, "duration": 1534.2, "tracks": 412, "people": ["Ada Lovelace"], "unknown": 133,
        "annotated": False,
    },
    "EmbedDocument": {
        "key": "3mX0y5mWk2c9", "address": "https://films.example.org/embed/3mX0y5mWk2c9",
        "html": '<iframe src="https://films.example.org/embed/3mX0y5mWk2c9" width="640" height="420"></iframe>',
        "by": "ada", "created": _NOW,
    },
    "Track": _TRACK,
    "Decided": _TRACK["last"],
    "Appearance": {
        "person": "Ada Lovelace", "start": 12.4, "end": 16.0, "start_timecode": "00:00:12:10",
        "end_timecode": "00:00:16:00", "confidence": 0.97, "tracks": [7],
    },
    "TrackRef": _REF,
    "Deciding": _DECISION,
    "NewCorrection": _DECISION | {"tracks": [_REF]},
    "CorrectionResult": {
        "id": "2026-11-28T13:40:36.123456+00:00", "done": "Named 1 track Ada Lovelace.", "tracks": [_TRACK],
        "warnings": [],
    },
    "CorrectionItem": {"video": "episode_1", "track": 7, "was": "", "given": "Ada Lovelace"},
    "Correction": {
        "id": "2026-11-28T13:40:36.123456+00:00", "by": "ada",
        "tracks": [{"video": "episode_1", "track": 7, "was": "", "given": "Ada Lovelace"}],
    },
    "UnknownPerson": {
        "name": "Unknown 1", "seconds": 61.2, "tracks": 18, "films": 2, "video": "episode_1", "track": 9,
    },
    "Hit": _HIT,
    "FaceHit": _HIT | {"track": 7, "person": "Ada Lovelace", "confidence": 0.97, "distance": 0.31},
    "PersonSeen": {
        "person": "Ada Lovelace", "kind": "cast", "films": 3, "seconds": 412.6, "appearances": 51, "moments": None,
    },
    "Year": {
        "person": "Ada Lovelace", "year": 2026, "films": 3, "appearances": 51, "seconds": 412.6,
        "first_project": "demo", "first_film": "episode_1.mp4", "first_start": 12.4, "last_project": "demo",
        "last_film": "episode_3.mp4", "last_end": 1311.2,
    },
    "PossibleName": _CANDIDATE,
    "IdentifiedFace": _FACE,
    "Identified": {"width": 640, "height": 480, "faces": [_FACE]},
    "Health": {"status": "ok"},
    "Packed": _PACKED,
    "PackedTimes": {"start": 0.0, "end": 4.0, "count": 100, "steps": _PACKED},
    "Label": {"name": "Ada Lovelace", "kind": "cast"},
    "Link": {"title": "appearances.csv", "href": "videos/episode_1/exports/csv", "purpose": "for spreadsheets"},
    "FilmSource": _SCENE_LINK | {"start": 0.0},
    "FaceSheets": {"folder": "videos/episode_1/sheets/5f1c2b3a4d5e6f70/", "tile": 80, "columns": 8},
    "BoxKeys": {"offsets": _PACKED, "frames": _PACKED, "boxes": _PACKED, "unit": 0.25},
    "TrackTable": {
        "track": _PACKED, "label": _PACKED, "first": _PACKED, "last": _PACKED, "confidence": _PACKED,
        "reason": _PACKED, "reasons": ["face: 0.31 from people/Ada Lovelace/1.jpg"],
    },
    "Stretches": _STRETCHES,
    "FilmEntry": {
        "id": "episode_1", "title": "episode_1", "data": "videos/episode_1/page", "version": "5f1c2b3a4d5e6f70",
        "duration": 1534.2, "poster": "", "notice": "", "stretches": _STRETCHES,
    },
    "PersonEntry": _MARKED,
}  # fmt: skip

EXAMPLES["FilmData"] = {
    "id": "episode_1", "title": "episode_1", "width": 640, "height": 360, "times": EXAMPLES["PackedTimes"],
    "labels": [EXAMPLES["Label"]], "tracks": EXAMPLES["TrackTable"], "keys": EXAMPLES["BoxKeys"],
    "sheets": EXAMPLES["FaceSheets"], "cuts": _PACKED, "longest_gap": 1.0, "sources": [EXAMPLES["FilmSource"]],
    "exports": [EXAMPLES["Link"]],
}  # fmt: skip
EXAMPLES["ProjectData"] = {
    "name": "demo",
    "people": [_MARKED],
    "films": [EXAMPLES["FilmEntry"]],
    "reports": [EXAMPLES["Link"]],
}


def add_examples(schemas: dict[str, dict[str, Any]]) -> None:
    """Give each schema of a description its example; the page of a list has one item."""
    for name, schema in schemas.items():
        listed = schema.get("properties", {}).get("items", {}).get("items", {}).get("$ref", "").rpartition("/")[2]
        if name.startswith(("Page_", "Found_")) and listed in EXAMPLES:
            page = {"items": [EXAMPLES[listed]], "total": 1, "next_offset": None}
            schema["examples"] = [page | ({"left_out": []} if name.startswith("Found_") else {})]
        elif name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
