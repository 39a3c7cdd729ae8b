"""`tallyman agent`: the updater of a box, beside its edge."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

agent = typer.Typer(
    help="The updater of a box: fetches model sets, proves them, hands them to the station.",
    invoke_without_command=True,
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", resolve_path=True, help="Configuration file (TOML).")
]


@agent.callback()
def run(context: typer.Context, config: ConfigFile = None) -> None:
    """Run the updater beside the edge: ask the hub, fetch, prove, switch, watch, go back."""
    if context.invoked_subcommand is not None:
        return
    from appliance.agent.run import run_agent
    from appliance.config import load_config
    from appliance.logs import set_up_logs

    set_up_logs()
    asyncio.run(run_agent(load_config(config), config_file=config))


@agent.command()
def prove(
    lane: Annotated[str, typer.Argument(help="What it is for: read, inspect, cracks, ...")],
    digest: Annotated[str, typer.Argument(help="sha256: and 64 hex digits of a set held here.")],
    config: ConfigFile = None,
) -> None:
    """Hold a fetched set to golden frames on this machine; prints why it must not run, or null."""
    import msgspec

    from appliance.agent import golden
    from appliance.agent.prover import go_last
    from appliance.config import load_config

    go_last()
    reason = golden.prove(load_config(config), lane, digest)
    sys.stdout.write(msgspec.json.encode(reason).decode() + "\n")


@agent.command()
def show(config: ConfigFile = None) -> None:
    """What this box holds, runs and goes back to, as its files say."""
    import msgspec

    from appliance.config import load_config
    from appliance.layout import Layout
    from ota.agent.files import RealFiles
    from ota.agent.handover import read_active, read_running
    from ota.agent.sets.shelf import Shelf
    from ota.agent.steps.state import read_state

    files = RealFiles(Layout(load_config(config).data).sets)
    state = read_state(files)
    told = {
        "active": read_active(files),
        "running": read_running(files),
        "held": Shelf(files, {}).held(),
        "floors": state.floors,
        "proven": sorted(state.proven),
        "refused": state.refused,
    }
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
