"""skops, imported without what its list of trusted types would load beside.

It asks scikit-learn for all its estimators, and that imports PyTorch and dask where they are installed: seconds, for
types that no recognizer holds. Here both look absent meanwhile, unless they are loaded already.
"""

from __future__ import annotations

import sys

_absent = [name for name in ("torch", "dask") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type]  # to import one is an ImportError
try:
    import skops.io as skops_io
    from skops.io.exceptions import UntrustedTypesFoundException
finally:
    for _name in _absent:
        sys.modules.pop(_name, None)

__all__ = ["UntrustedTypesFoundException", "skops_io"]
