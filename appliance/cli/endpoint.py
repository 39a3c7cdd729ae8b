"""`tallyman gateway-endpoint`: the gateway's own child, which nobody starts by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.up import ConfigFile


def gateway_endpoint(
    socket: Annotated[Path, typer.Argument(help="Where the gateway waits for it.")],
    config: ConfigFile = None,
) -> None:
    """MQTT and TLS with sensors, before the gateway."""
    import uvloop

    from appliance.config import load_config
    from appliance.gateway.fronts import run_endpoint
    from appliance.logs import set_up_logs

    set_up_logs()
    uvloop.run(run_endpoint(load_config(config), socket))
