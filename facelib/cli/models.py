"""`facelib models`: the networks, their licences, and the import of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.printing import print_table, relative

models = typer.Typer(invoke_without_command=True)


@models.callback()
def list_models(ctx: typer.Context) -> None:
    """List the networks: where they come from, their licence, and whether commercial use is allowed."""
    if ctx.invoked_subcommand is not None:
        return
    from facelib.nets.cache import cache_folder
    from facelib.nets.catalogue import weights_table

    table = weights_table()
    table["here"] = table["present"].map({True: "yes", False: "no"})
    table["origin"] = (table["origin"] + "; " + table["note"]).str.removesuffix("; ")
    table["network"] = table["name"] + "\n" + table["kind"]
    print_table(table[["network", "here", "commercial", "licence", "origin"]])
    missing = table[~table["present"] & (table["url"] != "")]
    if len(missing):
        typer.echo(
            f"Fetched at first use, or by hand into {relative(cache_folder())} (FACELIB_MODELS names another folder):"
        )
    for name, url, file, sha256 in missing[["name", "url", "file", "sha256"]].itertuples(index=False):
        typer.echo(f"{name}: {url}  as {file}" + ("" if sha256 else ", by hand only"))


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
    """Convert FaceNet's published weights to an ONNX network; every layer's shape and the results are checked."""
    from facelib.train.facenet import import_facenet

    typer.echo(f"Reading {file}; the conversion takes about half a minute ...")
    made = import_facenet(file, output, standardisation=standardisation)  # type: ignore[arg-type]
    typer.echo(str(made))
    name = "facenet" if output is None and made.path.stem.startswith("facenet_2018") else str(relative(made.path))
    typer.echo(f"Next: facelib run --project NAME -p embedder={name}")


@models.command("calibrate")
def calibrate_model(
    network: Annotated[
        str, typer.Argument(metavar="FILE", help="An ONNX file, or the name of an embedding network of the list.")
    ],
    pictures: Annotated[
        list[Path],
        typer.Option(
            "--pictures",
            help="A folder with one folder of pictures per person; may be repeated, as for people with one picture.",
        ),
    ],
    draws: Annotated[int, typer.Option(min=1, help="How many casts of ten people are drawn.")] = 20,
) -> None:
    """Measure the threshold at which a network takes 1 % of strangers for one of ten people; keep it for later runs.

    It also measures how much a distance tells for large faces and for small ones, which the naming in films uses.

    It needs ten people with two or more pictures and 100 others; Labeled Faces in the Wild has enough.
    """
    import facelib
    from facelib.embed.embedders import MIRRORED
    from facelib.evaluate.networks import embed_people, measure_network
    from facelib.nets.figures import write_figures

    embedder = facelib.load_embedder(network)
    if embedder.name in ("dlib", MIRRORED):
        raise typer.BadParameter(f"expected an ONNX file or another network; {embedder.name!r} was measured already")
    faces = embed_people(pictures, facelib.load_detector(), embedder)
    for path, reason in faces.left_out:
        typer.echo(f"left out: {path}: {reason}", err=True)
    found = measure_network(faces.vectors, faces.names, sha256=embedder.sha256, small=faces.small, draws=draws)
    kept = write_figures(found)
    typer.echo(
        f"threshold {found.threshold:.4f} (deviation {found.deviation:.4f} over {draws} casts), by {found.pictures} "
        f"pictures; at it {found.missed:.1%} of a cast's faces are missed"
    )
    typer.echo(
        f"Kept in {kept} with how much its distances say of large and small faces; from now on it is the threshold of "
        f"{embedder.name!r}."
    )
