"""What pytest leaves out where the extra `train` is not installed; with `CI` set its absence is a failure."""

import os
from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("torch") or os.environ.get("CI")
    else ["facelib/train", "tests/train", "tests/notebooks/test_notebook_08.py"]
)
