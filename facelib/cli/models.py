"""`facelib models`: the networks, their licences, and the import of others'."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.printing import print_table, relative

models = typer.Typer(invoke_without_command=True)


@models.callback()
def list_models(ctx: typer.Context) -> None:
    """List the networks: where they come from, their licence, and whether commercial use is allowed.

    `facelib models import FILE` adds FaceNet's, from the file in which it was published.
    """
    if ctx.invoked_subcommand is not None:
        return
    from facelib.nets.catalogue import weights_table

    table = weights_table()
    table["here"] = table["present"].map({True: "yes", False: "no"})
    table["origin"] = (table["origin"] + "; " + table["note"]).str.removesuffix("; ")
    table["network"] = table["name"] + "\n" + table["kind"]
    print_table(table[["network", "here", "commercial", "licence", "origin"]])
    missing = table[~table["present"] & (table["url"] != "")]
    if len(missing):
        typer.echo("Fetched at first use where there is a network, else by hand into the folder FACELIB_MODELS:")
    for name, url, file in missing[["name", "url", "file"]].itertuples(index=False):
        typer.echo(f"{name}: {url}  as {file}")


@models.command("import")
def import_model(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="FaceNet's weights: facenet-pytorch's state dict, safetensors, TensorFlow's frozen graph (.pb, or the "
            "zip archive with it), or Keras' HDF5.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The ONNX file to write.", show_default="where facelib looks for networks by name"),
    ] = None,
    standardisation: Annotated[
        str,
        typer.Option(
            help="How pixels enter the network: fixed, or 'per picture' (mean and deviation of each, as FaceNet's "
            "networks of 2017 want); auto goes by the length of the vectors."
        ),
    ] = "auto",
) -> None:
    """Make an ONNX network of FaceNet's published weights; every layer's shape is checked, and the result compared."""
    from facelib.train.facenet import import_facenet

    typer.echo(f"Reading {file}; the conversion takes about half a minute ...")
    made = import_facenet(file, output, standardisation=standardisation)  # type: ignore[arg-type]
    typer.echo(str(made))
    name = "facenet" if output is None and made.path.stem.startswith("facenet_2018") else str(relative(made.path))
    typer.echo(f"Next: facelib run --project NAME -p embedder={name}")
