"""`tallyman bench agv`: a thousand vehicles on one core, and how soon one of them has its order."""

from __future__ import annotations

import asyncio
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Part(StrEnum):
    """What to measure."""

    CODEC = "codec"
    LOAD = "load"
    RATE = "rate"
    PEER = "peer"


class Broker(StrEnum):
    """On which broker."""

    NATS = "nats"
    MOSQUITTO = "mosquitto"


def agv(
    *,
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="Only these; repeatable. Default: all.")
    ] = None,
    broker: Annotated[Broker, typer.Option(help="Ours, or Mosquitto.")] = Broker.NATS,
    vehicles: Annotated[int, typer.Option(min=1, max=10_000, help="On the road.")] = 1000,
    rate: Annotated[float, typer.Option(min=1, help="States a second of them all.")] = 1000.0,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Of load.")] = 30.0,
    working: Annotated[int, typer.Option(min=1, max=200, help="That take orders.")] = 20,
    orders: Annotated[int, typer.Option(min=1, help="Asked for while the load runs.")] = 100,
    put_aways: Annotated[int, typer.Option(min=2, max=10_000, help="Of the part rate.")] = 300,
    peers: Annotated[
        Path | None,
        typer.Option(help="Folder of vda-5050-lib: scripts/peers.sh agv prints it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Vehicles, measured: bridge and core under a thousand of them; a peer on the same states."""
    import json

    from appliance.bench.agv.run import Wanted, measure

    wanted = Wanted(
        parts=frozenset(part or Part),
        broker=broker,
        vehicles=vehicles,
        rate_per_s=rate,
        seconds=seconds,
        working=working,
        orders=orders,
        put_aways=put_aways,
        peers=peers.resolve() if peers else None,
    )
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder:
        found = asyncio.run(
            measure(wanted, Path(folder), told=lambda what: typer.echo(what, err=True))
        )
    typer.echo(json.dumps(found) if as_json else json.dumps(found, indent=2))
