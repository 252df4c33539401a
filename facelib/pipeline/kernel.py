"""The kernel that the pipeline runs notebooks in: this very Python, whatever kernels the user has installed."""

from __future__ import annotations

import asyncio
import sys

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class ThisPython(AsyncKernelManager):
    """Starts ipykernel in the running interpreter.

    A kernel called `python3` in the user's Jupyter folder may belong to another Python, where facelib is missing.
    """

    _stopping: asyncio.Future[None] | None = None

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel: this interpreter, with plotly told to leave figures as data for the report."""
        # Of the kernel's own log, only what ends it: it warns of every start over TCP and of every interruption.
        native = get_kernel_dict()
        return KernelSpec(
            **native
            | {
                "argv": [sys.executable, *native["argv"][1:], "--log-level=CRITICAL"],
                "env": {"PLOTLY_RENDERER": "plotly_mimetype"},
            }
        )

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """Interrupt the kernel and stop it, giving it the few seconds in which its half-written files are removed.

        On Ctrl-C nbclient asks twice at once; a second interruption would break off the cleaning up of the first.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(super().shutdown_kernel(now=False))
        await asyncio.shield(self._stopping)
