"""`tallyman export epcis`: what happened to goods, as an EPCIS 2.0 document for a partner."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

export = typer.Typer(help="What partners and other systems read.", no_args_is_help=True)

_Config = Annotated[
    Path | None, typer.Option("--config", help="The hub's configuration file (TOML).")
]


@export.command()
def epcis(
    *,
    out: Annotated[Path | None, typer.Option("--out", help="A file instead of the screen.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", help="A parameter of the standard's query, such as EQ_bizStep=shipping."
        ),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="One event a line, no document.")] = False,
    config: _Config = None,
) -> None:
    """Print the site's events, oldest first. The hub may be running.

    Exit 2: the configuration or a parameter cannot be used.
    """
    from appliance.config import load_config
    from appliance.hub.exchange import exported

    made = exported(load_config(config), where or [], lines=lines)
    if out is None:
        for part in made:
            typer.echo(part, nl=False)
        return
    from contracts.errors import BadInputError

    try:
        with out.open("w", encoding="utf-8") as file:
            count = sum(file.write(part) for part in made)
    except OSError as error:
        raise BadInputError(
            f"{out} cannot be written: {error.strerror}", mend="Name another file"
        ) from error
    typer.echo(f"{out}: {count} characters", err=True)


@export.callback()
def _group() -> None:
    """Keep `epcis` a subcommand while it is the only one."""
