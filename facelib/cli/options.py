"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectName = Annotated[str, typer.Option("--project", help="The project: the name of its folder in the data folder.")]
DataFolder = Annotated[Path, typer.Option("--data-dir", help="Holds NAME/people/<Person Name>/* and NAME/videos/*.")]
OutputFolder = Annotated[Path, typer.Option("--output-dir", help="Everything made is written to NAME/ in here.")]
