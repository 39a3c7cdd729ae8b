"""`tallyman bench ingest`: what the gateway takes, durably, and what others take beside it."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Part(StrEnum):
    """What to measure."""

    DECODE = "decode"
    DIRECT = "direct"
    TLS = "tls"
    BROKER = "broker"
    ALARM = "alarm"
    COAP = "coap"
    HISTORY = "history"
    PEERS = "peers"


def ingest(
    *,
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="Only these; repeatable. Default: all.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Of load in a round.")] = 8.0,
    rounds: Annotated[int, typer.Option(min=1, max=50)] = 3,
    connections: Annotated[int, typer.Option(min=1, max=1000, help="Of the part direct.")] = 4,
    rows: Annotated[int, typer.Option(min=1, help="Readings in one write of a connection.")] = 500,
    window: Annotated[
        int, typer.Option(min=1, help="Readings of a connection that wait for their PUBACK.")
    ] = 4000,
    tls_connections: Annotated[int, typer.Option(min=1, max=10_000)] = 1000,
    processes: Annotated[
        int,
        typer.Option(min=0, max=64, help="Endpoint processes of a second measurement; 0: none."),
    ] = 2,
    count: Annotated[
        int, typer.Option(min=2000, help="Readings a round through a broker; even thousands.")
    ] = 200_000,
    alarm_rate: Annotated[float, typer.Option(min=100, help="Readings a second.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, max=400, help="Of history, at 1 Hz.")] = 90,
    sensors: Annotated[int, typer.Option(min=2, max=1000, help="In the history.")] = 3,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 20261122,
    peers: Annotated[
        Path | None,
        typer.Option(help="Folder of Node-RED and mqtt.js: scripts/peers.sh ingest prints it."),
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Where segments are written; a temporary folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Sensor ingest, measured: on disk before PUBACK; processor time a message; peers."""
    import json

    from appliance.bench.ingest.run import Wanted, measure

    wanted = Wanted(
        parts=frozenset(part or Part),
        seconds=seconds,
        rounds=rounds,
        connections=connections,
        rows=rows,
        window=window,
        tls_connections=tls_connections,
        processes=processes,
        count=count,
        alarm_rate=alarm_rate,
        days=days,
        sensors=sensors,
        seed=seed,
        peers=peers,
    )
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-", dir=work) as folder:
        figures = measure(wanted, Path(folder), told=lambda what: typer.echo(what, err=True))
    typer.echo(json.dumps(figures) if as_json else json.dumps(figures, indent=2))
