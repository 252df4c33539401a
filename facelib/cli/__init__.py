"""The command line. Each command is a module of its name, and calls the library."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import facelib

# Everything heavy is imported inside the commands: `facelib --help` answers at once.
from facelib.cli import align, cluster, demo, doctor, forget, live, models, names, page, run, search, serve


class _Commands(TyperGroup):
    """Turns the errors that a user can do something about into one line on stderr and exit code 1."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands:  # such as `facelib train`
            from facelib.pipeline.notebooks import all_steps, find_notebooks

            for step in find_notebooks(steps=all_steps()):
                if args[0] in step.source.stem.split("_"):
                    ctx.fail(
                        f"No such command {args[0]!r}; it is a step: facelib run --project NAME --steps {step.number}"
                    )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands in plain help, each with its first sentence, which click would cut."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in self.commands.items()])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, typer.Exit, typer.Abort):  # such as `facelib models | head`
            raise
        # An extra that is not installed says so, and a network that does not run, on a GPU that is not there or at all.
        except (ValueError, OSError, ImportError, RuntimeError) as error:
            if ctx.params["debug"]:
                raise
            typer.echo(f"Error: {_said(error)}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("\nStopped. Run the same command again to continue.", err=True)
            raise typer.Exit(130) from None


def _said(error: Exception) -> str:
    """Return an error's message; that of a full disk, which the system writes, with the remedy."""
    from facelib.project.files import FULL_DISK

    if isinstance(error, OSError) and error.errno in FULL_DISK and error.filename:
        return (
            f"expected room for {os.fspath(error.filename)!r}, got: {error.strerror}; make room there, "
            f"and run the same command again"
        )
    return str(error)


main = typer.Typer(
    name="facelib",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # In a narrow terminal Rich cuts names and words to fit them into columns; plain help breaks lines instead.
    rich_markup_mode="rich" if shutil.get_terminal_size().columns >= 80 else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"facelib {facelib.__version__}")
        raise typer.Exit


@main.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="FACELIB_DEBUG", help="Show the whole traceback of an error.")
    ] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Who is in a film, and when: recognise a known cast in films."""
    if sys.getfilesystemencoding() != "utf-8":
        raise ValueError(
            f"expected names of files in UTF-8, got {sys.getfilesystemencoding()!r} from LC_ALL, LANG or PYTHONUTF8; "
            f"set the environment variable PYTHONUTF8=1"
        )
    # What is imported stays to the end: to look through it for garbage once more would take up to a second.
    atexit.register(gc.freeze)


main.command()(run.run)
main.command()(demo.demo)
main.command()(page.page)
main.command()(cluster.cluster)
main.command()(search.search)
main.command(cls=live.LiveCommand)(live.live)
main.command(cls=serve.ServeCommand)(serve.serve)
main.command()(align.align)
main.command()(names.merge)
main.command()(names.keep_apart)
main.command()(names.separate)
main.command()(forget.forget)
main.command()(doctor.doctor)
main.add_typer(models.models, name="models")
