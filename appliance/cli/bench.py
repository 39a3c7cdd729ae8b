"""`tallyman bench station`: the whole dock, measured."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer


def station(
    *,
    cartons: Annotated[int, typer.Option(min=1, max=1000, help="Cartons to measure.")] = 60,
    warm: Annotated[int, typer.Option(min=0, max=100, help="Cartons before that.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the rendered pictures.")] = 20261121,
    threads: Annotated[int, typer.Option(min=1, help="Of each inference engine.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """From frames to durable verdict and to the hold that the core shows."""
    import msgspec

    from appliance.bench.station import measure

    figures = asyncio.run(measure(cartons=cartons, warm=warm, seed=seed, threads=threads))
    if not as_json:
        for name, value in msgspec.to_builtins(figures).items():
            typer.echo(f"{name:26} {value}")
        return
    typer.echo(msgspec.json.encode(figures).decode())
