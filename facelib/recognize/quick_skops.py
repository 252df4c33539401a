"""skops, imported with a list of trusted types that holds what recognizers do, and no more.

Its own list names all of scikit-learn's estimators and NumPy's and SciPy's functions: to make it, all of scikit-learn
is imported, with PyTorch and dask where they are installed, and every loaded module is looked through for each
function. That takes a second or more. The copy with the short list is facelib's own: whoever imports skops beside it
gets the whole one. Where skops is loaded already, or no longer has such a list, it is taken as it is.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

_LIST = "skops.io._trusted_types"


def _short_list() -> ModuleType:
    module = ModuleType(_LIST)
    vars(module).update(
        PRIMITIVE_TYPE_NAMES=["builtins.int", "builtins.float", "builtins.str", "builtins.bool"],
        CONTAINER_TYPE_NAMES=["builtins.list", "builtins.set", "builtins.tuple"],
        NUMPY_DTYPE_TYPE_NAMES=sorted({f"numpy.{kind.__name__}" for kind in np.sctypeDict.values()}),
        SKLEARN_ESTIMATOR_TYPE_NAMES=[  # of an SVM
            "sklearn.multiclass.OneVsRestClassifier",
            "sklearn.preprocessing._label.LabelBinarizer",
            "sklearn.svm._classes.SVC",
        ],
        SKLEARN_INTERNAL_TYPE_NAMES=[],
        NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES=[],
        NUMPY_UFUNC_TYPE_NAMES=[],
        SCIPY_UFUNC_TYPE_NAMES=[],
    )
    return module


def _load() -> Any:
    if "skops.io" not in sys.modules:
        sys.modules[_LIST] = _short_list()
        try:
            return import_module("skops.io")
        except ImportError:  # it asks the list for more
            pass
        finally:
            for name in [name for name in sys.modules if f"{name}.".startswith("skops.io.")]:
                del sys.modules[name]
    return import_module("skops.io")


skops_io = _load()
UntrustedTypesFoundException: type[Exception] = skops_io.exceptions.UntrustedTypesFoundException
