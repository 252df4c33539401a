"""The one place that opens an ONNX Runtime session: where it runs, and on how many threads."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from facelib.project.kept import kept_by_file
from facelib.project.processes import allowed_cores, is_out_of_memory
from facelib.project.wording import in_one_line

_log = logging.getLogger(__name__)

Provider = Literal["auto", "cpu", "cuda"]
"""Where a network runs: `auto` takes a CUDA GPU where onnxruntime can use one, else the CPU."""

_NAMES = {"CUDAExecutionProvider": "CUDA", "CPUExecutionProvider": "CPU"}
_ONNXRUNTIME_ERRORS_ONLY = 3
_NUMBERS: dict[str, Any] = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_GET_CUDA = (
    "put onnxruntime-gpu in the place of onnxruntime (pip uninstall onnxruntime; "
    "pip install 'onnxruntime-gpu[cuda,cudnn]'), or ask for provider 'cpu'"
)
_MEND_CUDA = (
    "see that 'nvidia-smi' finds the GPU and that CUDA and cuDNN are installed in the versions that onnxruntime names "
    "above (pip install 'onnxruntime-gpu[cuda,cudnn]' brings them), or ask for provider 'cpu'"
)


class Network:
    """An open network with one input; made by `open_network`, and safe to use from several threads.

    Where it is copied or unpickled, as in another process, its file is opened anew.

    Attributes:
        path: The ONNX file.
        provider: `CUDA` or `CPU`: where the network in fact runs.
        input_shape: The sides of the input, texts or None for sides of any length.
        output_names: The names of the outputs, in the order in which `run` gives them.
        metadata: The ONNX file's metadata.
    """

    def __init__(self, path: Path, *, cuda: bool, threads: int) -> None:
        """Open a file.

        Raises:
            FileNotFoundError: When there is no such file.
            ValueError: When the network has more than one input, or one that is not an array of numbers.
        """
        if not path.is_file():
            raise FileNotFoundError(f"expected an ONNX file, found none at {str(path)!r}")
        session = _session(path, cuda=cuda, threads=threads)
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _NUMBERS:
            found = [(given.name, given.type) for given in inputs]
            raise ValueError(f"expected a network with one input of numbers in {str(path)!r}, found {found!r}")
        self._session = session
        self._again = partial(Network, path, cuda=cuda, threads=threads)
        self._input = inputs[0].name
        self._dtype = _NUMBERS[inputs[0].type]
        self.path = path
        self.provider = _NAMES.get(session.get_providers()[0], "CPU")
        self.input_shape: tuple[int | str | None, ...] = tuple(inputs[0].shape)
        self.output_names: tuple[str, ...] = tuple(output.name for output in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._again, ()

    def run(self, array: NDArray[Any], outputs: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Return the network's outputs for one batch.

        Args:
            array: As `input_shape`; it is brought to the network's own type of numbers.
            outputs: The names of the outputs wanted; all of them when None.

        Raises:
            ValueError: When the array's shape is not one that the network takes.
            RuntimeError: When the network cannot be run on it.
        """
        fits = array.ndim == len(self.input_shape) and all(
            side == given for side, given in zip(self.input_shape, array.shape, strict=True) if isinstance(side, int)
        )
        if not fits:
            raise ValueError(
                f"expected an array of shape {self.input_shape!r} for {self.path.name}, got {array.shape!r}"
            )
        names = None if outputs is None else list(outputs)
        try:
            return list(self._session.run(names, {self._input: np.ascontiguousarray(array, self._dtype)}))
        except Exception as error:  # onnxruntime's own exceptions share no public base
            if is_out_of_memory(error):
                raise
            raise RuntimeError(
                f"expected {self.path.name} to run on {array.shape!r}, it does not: {in_one_line(error)}"
            ) from error


def available_providers() -> tuple[str, ...]:
    """Return what the installed onnxruntime is built for: `("CPU",)`, or `("CUDA", "CPU")`.

    Whether a GPU is really there shows only when a network is opened.
    """
    return tuple(_NAMES[provider] for provider in onnxruntime.get_available_providers() if provider in _NAMES)


def open_network(path: str | Path, *, provider: Provider = "auto") -> Network:
    """Open an ONNX file.

    Args:
        path: The ONNX file.
        provider: `auto` takes CUDA where it works and says so in the log, and warns when onnxruntime is built for
            CUDA and it does not work; `cuda` insists on it.

    Raises:
        FileNotFoundError: When there is no such file.
        RuntimeError: When CUDA was asked for and the network would not run there.
        ValueError: When the file is no network, is damaged or has several inputs, or an option is not known.
    """
    path = Path(path)
    if provider not in get_args(Provider):
        raise ValueError(f"expected a provider, one of {get_args(Provider)!r}, got {provider!r}")
    offered = "CUDA" in available_providers()
    if provider == "cuda" and not offered:
        raise RuntimeError(f"expected onnxruntime to offer CUDA, it offers only {available_providers()!r}; {_GET_CUDA}")
    network = Network(path, cuda=offered and provider != "cpu", threads=allowed_cores())
    if provider == "cuda" and network.provider != "CUDA":
        raise RuntimeError(f"expected {path.name} to run on CUDA, onnxruntime could not use it; {_MEND_CUDA}")
    if provider == "auto" and offered and network.provider != "CUDA":
        _log.warning("%s runs on the CPU: onnxruntime offers CUDA but could not use it; %s", path.name, _MEND_CUDA)
    else:
        _log.info("%s runs on %s", path.name, network.provider)
    return network


@kept_by_file(most=None)  # whoever closes the last of a network has its memory back
def _session(path: Path, *, cuda: bool, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ONNXRUNTIME_ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: else each open network keeps all cores busy that decoding and the next network need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Pictures and batches are of many sizes: to lay out the memory anew for each takes a quarter more of it in all.
    options.enable_mem_pattern = False
    providers = ["CPUExecutionProvider"]
    if cuda:
        providers.insert(0, "CUDAExecutionProvider")
        _load_cuda_libraries()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise ValueError(
            f"expected an ONNX network in {str(path)!r} ({path.stat().st_size} bytes), onnxruntime could not open it: "
            f"{in_one_line(error)}; put a whole file in its place, or delete it and let it be fetched or converted "
            f"again"
        ) from error


def _load_cuda_libraries() -> None:
    """Load CUDA's libraries where they were installed by pip, off the system's search path."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints the names of missing libraries
        getattr(onnxruntime, "preload_dlls", lambda: None)()
    if said.getvalue():
        _log.debug("loading CUDA's libraries: %s", said.getvalue().strip())
