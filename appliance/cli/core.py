"""`tallyman core verify|rebuild`: are the books right, and could they be made again?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

core = typer.Typer(
    help="The stock-and-order core's books. Works on its database, also while the hub runs.",
    no_args_is_help=True,
)

_Config = Annotated[
    Path | None, typer.Option("--config", help="The hub's configuration file (TOML).")
]
_Database = Annotated[
    str | None, typer.Option("--database", help="Another database than the hub's, by URL.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@core.command()
def verify(*, config: _Config = None, database: _Database = None, as_json: _Json = False) -> None:
    """Check the books: the state against its record, row by row; every move, reservation and hold.

    Exit 0: they are right; 1: what contradicts what; 2: no readable database.
    """
    import msgspec

    from appliance.cli.main import Findings
    from erp_link.service.proof import verify as proof

    with _opened(config, database) as engine, _progress("record") as (began, advanced):
        verified = proof.verify(engine, began=began, advanced=advanced)
    if as_json:
        told = {"holds": verified.holds, **msgspec.to_builtins(verified)}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        for finding in verified.findings:
            typer.echo(f"{finding.check}: {finding.found}")
        state = "hold" if verified.holds else "DO NOT HOLD"
        typer.echo(
            f"The books {state}: {verified.rows} rows in {verified.tables} tables,"
            f" {verified.changes} changes replayed\n"
            f"state  {verified.state_sha256}\nrecord {verified.record_sha256}"
        )
    if not verified.holds:
        raise Findings


@core.command()
def rebuild(
    *,
    to: Annotated[str, typer.Option("--to", help="An empty database, by URL.")],
    config: _Config = None,
    database: _Database = None,
    as_json: _Json = False,
) -> None:
    """Make the books again from their record in an empty database, of either kind, and check them.

    The tables that change are not read, only what was recorded of them. Exit 1 where the rebuilt
    books do not hold.
    """
    import msgspec

    from appliance.cli.main import Findings
    from erp_link.service.proof import rebuild as making
    from erp_link.service.proof import verify as proof

    with _opened(config, database) as source, _opened(None, to, must_be_there=False) as target:
        with _progress("record") as (began, advanced):
            rows = making.rebuild(source, target, began=began, advanced=advanced)
        with _progress("rebuilt") as (began, advanced):
            verified = proof.verify(target, began=began, advanced=advanced)
    if as_json:
        told = {"rows": rows, "holds": verified.holds, **msgspec.to_builtins(verified)}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        for finding in verified.findings:
            typer.echo(f"{finding.check}: {finding.found}")
        typer.echo(f"{rows} rows rebuilt\nstate  {verified.state_sha256}")
    if not verified.holds:
        raise Findings


@contextmanager
def _opened(
    config: Path | None, database: str | None, *, must_be_there: bool = True
) -> Iterator[Engine]:
    from appliance.config import load_config
    from erp_link.adapters.database import open_engine

    url = database or load_config(config).database_url
    file = Path(url.removeprefix("sqlite:///"))
    if must_be_there and url.startswith("sqlite:///") and not file.exists():
        raise BadInputError(f"There is no database {file}", mend="Name the hub's, or start it once")
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _progress(what: str) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield (
            lambda total: bar.update(task, total=total),
            lambda more: bar.advance(task, more),
        )
