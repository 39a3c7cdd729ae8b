"""`tallyman bench shelf`: the phone at the shelf before films whose every frame is known."""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Part(StrEnum):
    """What to measure."""

    BROWSER = "browser"
    """The overlay in Chromium whose camera sees a film: speed, anchors, wrong products."""
    NODE = "node"
    """The page's decode-and-confirm code in Node: wrong products."""
    APPLIANCE = "appliance"
    """The appliance's own reader."""
    OFFLINE = "offline"
    """The log of a phone whose browser is killed, and how fast the page opens without the network."""
    PAYLOAD = "payload"


def shelf(
    *,
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="Only these; repeatable. Default: all.")
    ] = None,
    frames: Annotated[
        int, typer.Option(min=60, help="Drawn in the browser; the goal speaks of 2000.")
    ] = 600,
    scene: Annotated[
        list[str] | None,
        typer.Option(help="Only this film: walk_12, still_12, hand_40, small_12; repeatable."),
    ] = None,
    camera_fps: Annotated[int, typer.Option(min=5, max=60, help="Of the camera's film.")] = 30,
    shots: Annotated[int, typer.Option(min=0, max=100, help="Screenshots of each film.")] = 10,
    node_frames: Annotated[
        int,
        typer.Option(min=10, help="Frames in Node; the goal's 100000 are make campaign-shelf."),
    ] = 1_000,
    entries: Annotated[
        int, typer.Option(min=1, help="Of the offline log; the goal speaks of 10000.")
    ] = 300,
    kills: Annotated[int, typer.Option(min=1, help="Of the browser, by kill -9.")] = 4,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Films in Node side by side.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of every film and choice.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, one line.")] = False,
) -> None:
    """The phone at the shelf, measured: overlay, wrong products, damaged codes, offline."""
    import json

    from appliance.bench.shelf.run import Wanted, measure

    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    wanted = Wanted(
        parts=frozenset(part or Part),
        frames=frames,
        scenes=tuple(scene or ()),
        camera_fps=camera_fps,
        shots=shots,
        node_frames=node_frames,
        entries=entries,
        kills=kills,
        workers=workers,
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-") as folder:
        found = measure(wanted, Path(folder), told=lambda line: typer.echo(line, err=True))
    typer.echo(json.dumps(found) if as_json else json.dumps(found, indent=2))
    if found["wrong_overlays"] or found.get("lost_entries"):
        raise typer.Exit(1)
