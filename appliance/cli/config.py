"""`tallyman config`: what is in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def config(
    file: Annotated[Path | None, typer.Option(help="Configuration file (TOML).")] = None,
) -> None:
    """Show the configuration in force: file, then environment, then defaults."""
    from appliance.config import load_config, show_config

    typer.echo(show_config(load_config(file)), nl=False)
