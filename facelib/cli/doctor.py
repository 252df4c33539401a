"""`facelib doctor`."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Check what is installed, which weights are there and what networks run on; say how to fix what is wrong."""
    from facelib.cli.checks import check  # which takes a third of what the whole command line does

    findings = check()
    for finding in findings:
        mark = {
            True: typer.style("ok   ", fg="green"),
            None: typer.style("note ", fg="yellow"),
            False: typer.style("WRONG", fg="red", bold=True),
        }[finding.ok]
        typer.echo(f"{mark} {finding.subject}: {finding.found}")
        if not finding.ok and finding.remedy:
            typer.echo(f"      {finding.remedy}")
    wrong = sum(finding.ok is False for finding in findings)
    typer.echo(f"{wrong} of {len(findings)} checks found a problem." if wrong else "All is well.")
    if wrong:
        raise typer.Exit(1)
