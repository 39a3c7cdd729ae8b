"""`tallyman bench core`: what the stock-and-order core holds and how fast, with Tryton beside it."""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Part(StrEnum):
    """What to measure."""

    CAMPAIGN = "campaign"
    SHIPMENTS = "shipments"
    VISIBLE = "visible"
    HISTORY = "history"
    REORDER = "reorder"
    PEER = "peer"


def core(
    *,
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="Only these; repeatable. Default: all.")
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option("--database", help="sqlite, postgresql; repeatable. Default: both."),
    ] = None,
    shipments: Annotated[int, typer.Option(min=100, help="Goods issues a round.")] = 2000,
    rounds: Annotated[int, typer.Option(min=1, max=50)] = 5,
    clients: Annotated[int, typer.Option(min=1, max=200, help="Asking at once.")] = 32,
    holds: Annotated[int, typer.Option(min=5, help="Holds to watch for.")] = 100,
    moves: Annotated[
        int, typer.Option(min=20_000, help="Moves in the books; the goal speaks of 10000000.")
    ] = 1_000_000,
    operations: Annotated[int, typer.Option(min=100, help="Random operations.")] = 20_000,
    races: Annotated[int, typer.Option(min=1, help="Races on each database.")] = 200,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 20261122,
    tryton: Annotated[
        Path | None,
        typer.Option(
            "--tryton",
            envvar="TALLYMAN_TRYTON_PYTHON",
            help="Interpreter of Tryton's environment: scripts/extra.sh tryton prints it.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The core, measured: goods issues, holds, long histories, violations; and Tryton."""
    import json

    from appliance.bench.core.databases import KINDS
    from appliance.bench.core.run import Wanted, measure
    from contracts.errors import BadInputError

    kinds = tuple(database or KINDS)
    if unknown := set(kinds) - set(KINDS):
        raise BadInputError(
            f"There is no database {', '.join(sorted(unknown))}", mend=f"Choose of {KINDS}"
        )
    wanted = Wanted(
        parts=frozenset(part or Part),
        databases=kinds,
        shipments=shipments,
        rounds=rounds,
        clients=clients,
        holds=holds,
        moves=moves,
        operations=operations,
        races=races,
        seed=seed,
        tryton=tryton,
    )
    # Threads of a linear algebra library would only take the cores from the database.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder:
        figures = measure(wanted, Path(folder), told=lambda line: typer.echo(line, err=True))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for line in _lines(figures):
        typer.echo(line)


def _lines(figures: dict[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        else:
            shown = f"{value:,.2f}" if isinstance(value, float) else value
            lines.append(f"{indent}{name:32} {shown}")
    return lines
