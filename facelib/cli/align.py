"""`facelib align`: the faces of a folder tree, cut out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.printing import relative


def align(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, usually with one folder per person.")],
    destination: Annotated[Path, typer.Argument(help="Where the crops go, in folders of the same names.")],
    image_size: Annotated[int, typer.Option(help="Side of the crops, pixels.")] = 160,
    margin: Annotated[float, typer.Option(help="Margin on each side, as a fraction of the face's side.")] = 0.125,
    method: Annotated[str, typer.Option(help="margin, 'five points' or dlib.")] = "margin",
    detector: Annotated[str, typer.Option(help="Finds the faces.")] = "centerface",
    processes: Annotated[int | None, typer.Option(help="How many processes.", show_default="one for each core")] = None,
    random_order: Annotated[
        bool, typer.Option("--random-order", help="In random order, for several runs on one folder.")
    ] = False,
) -> None:
    """Cut the face out of every picture of a folder tree; if it is interrupted, run it again to continue."""
    from facelib.gather.crops import align_tree

    table = align_tree(
        source,
        destination,
        image_size=image_size,
        margin=margin,
        method=method,  # type: ignore[arg-type]  # checked there
        detector=detector,
        processes=processes,
        random_order=random_order,
        progress=sys.stderr.isatty(),
    )
    failed = table.loc[table["crop"] == "", "reason"].map(lambda reason: reason.partition(":")[0]).value_counts()
    typer.echo(f"{int((table['crop'] != '').sum())} of {len(table)} pictures are aligned in {relative(destination)}")
    for reason, count in failed.items():
        typer.echo(f"{count} without a crop: {reason}")
    if len(failed):
        typer.echo(f"They are listed in {relative(destination / 'failed.csv')}")
