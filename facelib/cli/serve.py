"""`facelib serve`: the projects as a service, with a REST API and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from facelib.server.settings import ServerSettings


class ServeCommand(TyperCommand):
    """The command whose help ends with every setting of the server."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the options, and behind them the settings in the server's own words."""
        super().format_help(ctx, formatter)
        fields = _settings_class().model_fields
        # As they are written in the environment: false, and none for what is empty.
        defaults = {name: str(field.get_default()).lower().strip("[]") or "none" for name, field in fields.items()}
        lines = [
            (f"FACELIB_{name.upper()}", f"{field.description} [default: {defaults[name]}]")
            for name, field in fields.items()
        ]
        with formatter.section("Settings in the environment (in the file port for FACELIB_PORT, and so on)"):
            formatter.write_dl(lines)
        formatter.write_paragraph()


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.", show_default="8000")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Holds the projects.", show_default="data")] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Results are written here.", show_default="output")] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes that answer requests, as many as cores.", show_default="1")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="A TOML file of settings, such as port = 9000.", envvar="FACELIB_SETTINGS")
    ] = None,
) -> None:
    """Serve the projects to browsers and programs: a REST API and a page over the same folders.

    The first start prints a token to log in with. Options override the environment, which overrides the file.
    """
    cls = _settings_class()
    given = {"host": host, "port": port, "data_dir": data_dir, "output_dir": output_dir, "processes": processes}
    chosen = cls.read(settings, **{name: value for name, value in given.items() if value is not None})
    from facelib.server.serve import serve as run

    run(chosen, tell=typer.echo)


def _settings_class() -> type[ServerSettings]:
    try:
        from facelib.server.settings import ServerSettings
    except ModuleNotFoundError as error:
        raise ImportError(
            f"expected the packages of the server, {error.name!r} is missing; "
            "install them: make server, or pip install '.[server]' in the checkout"
        ) from None
    return ServerSettings
