"""facelib: who is in a film, and when.

The notebooks are the programs; this package is what they call. The names it gives are the ones to
begin with (`__init__.pyi` lists them); everything else is found in the module named after it. Each
is imported when it is first used, so that the command line answers at once.
"""

import logging
import os
import sys
import warnings
from typing import Any

import lazy_loader

_lazy, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_FORMER_NAMES = {"detector": "load_detector", "embedder": "load_embedder"}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used; names of version 0.3 work until the next one, with a warning."""
    if name == "__version__":
        from importlib.metadata import version  # which takes most of what `import facelib` would

        return version("facelib")
    if name in _FORMER_NAMES:
        new = _FORMER_NAMES[name]
        warnings.warn(f"facelib.{name} is called facelib.{new} now", DeprecationWarning, stacklevel=2)
        return _lazy(new)
    return _lazy(name)


def _keep_onnxruntime_silent() -> None:
    """Stop onnxruntime from reporting to its makers, in this process and in those that it starts.

    Its official builds send usage data unless the variable is set before onnxruntime is imported, which only this
    module does early enough. Where it is too late, what onnxruntime itself can still turn off is turned off.
    """
    variable = "ORT_DISABLE_TELEMETRY"
    if "onnxruntime" in sys.modules and os.environ.get(variable) != "1":
        getattr(sys.modules["onnxruntime"], "disable_telemetry_events", lambda: None)()
        logging.getLogger(__name__).warning(
            "expected facelib to be imported before onnxruntime, which was there first and may report its use to "
            "Microsoft; import facelib first, or set %s=1 in the environment",
            variable,
        )
    os.environ[variable] = "1"


_keep_onnxruntime_silent()
