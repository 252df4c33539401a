"""The kernel that the pipeline runs notebooks in: this very Python, whatever kernels the user has installed."""

from __future__ import annotations

import sys

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class ThisPython(AsyncKernelManager):
    """Starts ipykernel in the running interpreter.

    A kernel called `python3` in the user's Jupyter folder may belong to another Python, where facelib is missing.
    """

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
        """Stop the kernel, interrupting a busy one first so that its half-written files are removed."""
        if await self.is_alive():
            await self.interrupt_kernel()
            now = False  # the kernel is given the few seconds it needs to clean up
        await super().shutdown_kernel(now=now, restart=restart)
