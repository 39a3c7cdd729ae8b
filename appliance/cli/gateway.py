"""`tallyman gateway`: the sensors' way in, and who may come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

gateway = typer.Typer(
    help="Sensors' readings in, on disk before they are acknowledged; alarms out to the hub.",
    invoke_without_command=True,
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", resolve_path=True, help="Configuration file (TOML).")
]


@gateway.callback()
def run(context: typer.Context, config: ConfigFile = None) -> None:
    """Run the gateway: MQTT, CoAP and broker in, fences, history, alarms to the hub."""
    if context.invoked_subcommand is not None:
        return
    import uvloop

    from appliance.config import load_config
    from appliance.gateway.run import run_gateway
    from appliance.logs import set_up_logs

    set_up_logs()
    uvloop.run(run_gateway(load_config(config), config_file=config))


@gateway.command()
def sensor(
    name: Annotated[str, typer.Argument(help="The sensor's user name, as in its topic.")],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="MQTT filter it may publish to; may be given often. sensors/NAME/#"),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Let a sensor publish; prints its password, once. A second call gives another password."""
    from appliance.config import load_config
    from appliance.gateway.credentials import SensorCredentials
    from appliance.gateway.doors import credentials_file

    credentials = SensorCredentials(credentials_file(load_config(config)))
    typer.echo(credentials.add(name, tuple(topic or ())))
