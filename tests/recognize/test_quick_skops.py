"""Recognizers are read and written without all of scikit-learn, and nothing else is taken from a file."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from pandas.testing import assert_frame_equal

from facelib.recognize import OpenSetKNN, OpenSetSVM
from facelib.recognize.quick_skops import UntrustedTypesFoundException, skops_io

vectors = np.vstack([np.eye(4, dtype=np.float32) + shift for shift in (0, 0.01, 0.02)])
names = np.array(["Ada", "Grace", "Łucja", "Mary"] * 3)
for estimator in (OpenSetKNN(k=3, thresholds={"Ada": 0.5}), OpenSetSVM(), OpenSetSVM(kernel="rbf", farthest=0.5)):
    content = skops_io.dumps(estimator.fit(vectors, names))
    loaded = skops_io.loads(content, trusted=[type(estimator)])
    assert_frame_equal(loaded.decide(vectors), estimator.decide(vectors), atol=1e-6)
assert not {"torch", "dask", "sklearn.ensemble", "skops.io"} & set(sys.modules), "more was imported than needed"

from sklearn.linear_model import LogisticRegression

for other in (LogisticRegression(), np.add, Fraction(1, 2)):
    try:
        skops_io.loads(skops_io.dumps(OpenSetKNN(k=other)), trusted=[OpenSetKNN])
    except UntrustedTypesFoundException:
        pass
    else:
        raise AssertionError(f"{other!r} was taken")

import skops.io  # the user's own, which trusts what it always does

assert skops.io.loads(skops.io.dumps([LogisticRegression(C=3), np.add]))[0].C == 3
"""


def test_recognizers_come_back_with_the_short_list_and_nothing_else_does() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
