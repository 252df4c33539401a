"""A fitted recognizer on disk: the estimator as `.skops`, what it was made from as `.json` beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from facelib.project import atomic_write, write_text
from facelib.project.plain import plain
from facelib.project.wording import with_type
from facelib.recognize.info import RecognizerInfo, read_description, two_runs
from facelib.recognize.knn import OpenSetKNN
from facelib.recognize.svm import OpenSetSVM

_ESTIMATORS: dict[str, type[OpenSetKNN] | type[OpenSetSVM]] = {"knn": OpenSetKNN, "svm": OpenSetSVM}


def save_recognizer(estimator: OpenSetKNN | OpenSetSVM, path: str | Path, info: RecognizerInfo) -> None:
    """Write a fitted recognizer to `path` and its description beside it, ending in `.json`.

    The description holds the sha256 of the first file, so that files of two runs are never taken for a pair.

    Raises:
        ValueError: When estimator and description disagree on the kind, or on the number of gallery faces.
        OSError: When the folder cannot be written.
    """
    path = Path(path)
    if type(estimator) is not _ESTIMATORS[info.kind]:
        raise ValueError(f"expected the kind of a {type(estimator).__name__}, got {info.kind!r}")
    if len(info.pictures) != len(estimator.vectors_):
        raise ValueError(
            f"expected one picture a gallery face, {len(estimator.vectors_)}, got {len(info.pictures)!r} pictures"
        )
    from facelib.recognize.quick_skops import skops_io  # here, since it loads all of scikit-learn

    with atomic_write(path) as temporary:
        skops_io.dump(estimator, temporary)
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
        fields = {"recognizer_sha256": digest} | plain(dataclasses.asdict(info))
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
        write_text(f"{text}\n", path.with_suffix(".json"))  # here: without room for it, the pair that was there stays


def load_recognizer(path: str | Path) -> tuple[OpenSetKNN | OpenSetSVM, RecognizerInfo]:
    """Read a recognizer written by `save_recognizer`. No code from the file is ever run.

    Only numbers, text and the types of numpy, scikit-learn and the two recognizers are taken.

    Raises:
        FileNotFoundError: When one of the two files is missing.
        ValueError: When a file is broken, holds any other type, or is not of the same run as the other.
    """
    path = Path(path)
    digest, info = read_description(path)
    content = path.read_bytes()
    estimator = _read_estimator(content, path)
    if hashlib.sha256(content).hexdigest() != digest or type(estimator) is not _ESTIMATORS[info.kind]:
        raise two_runs(path)
    return estimator, info


def _read_estimator(content: bytes, path: Path) -> OpenSetKNN | OpenSetSVM:
    from facelib.recognize.quick_skops import UntrustedTypesFoundException, skops_io

    ours = [f"{estimator.__module__}.{estimator.__qualname__}" for estimator in _ESTIMATORS.values()]
    try:
        estimator = skops_io.loads(content, trusted=ours)
    except UntrustedTypesFoundException as error:
        raise ValueError(
            f"expected only types of numpy, scikit-learn and facelib in {str(path)!r}, refused: {error}"
        ) from error
    except Exception as error:  # a broken archive can raise almost anything
        raise ValueError(
            f"expected a recognizer in skops form at {str(path)!r}, could not read it: {with_type(error)}; "
            f"run notebook 04_tune_threshold again"
        ) from error
    if type(estimator) not in _ESTIMATORS.values() or not hasattr(estimator, "vectors_"):
        raise ValueError(f"expected a fitted OpenSetKNN or OpenSetSVM in {str(path)!r}, got {type(estimator)!r}")
    assert isinstance(estimator, OpenSetKNN | OpenSetSVM)
    return estimator
