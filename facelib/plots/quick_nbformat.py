"""nbformat, which plotly and papermill need, imported without its slowest part.

It imports jsonschema, which compiles a grammar of internationalized addresses where the package rfc3987_syntax is
installed (JupyterLab brings it): more than a second, for the first figure of each notebook and half of what papermill
takes to import. No notebook holds such an address.
"""

from __future__ import annotations

import sys

_SLOW = "rfc3987_syntax"

if "jsonschema" not in sys.modules and _SLOW not in sys.modules:
    sys.modules[_SLOW] = None  # type: ignore[assignment]  # to import it is an ImportError, which jsonschema expects
    try:
        import nbformat  # noqa: F401
    finally:
        del sys.modules[_SLOW]
