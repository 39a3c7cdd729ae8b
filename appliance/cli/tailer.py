"""`tallyman gateway-tailer`: the gateway's own child, which nobody starts by hand."""

from __future__ import annotations

import asyncio

from appliance.cli.up import ConfigFile


def gateway_tailer(config: ConfigFile = None) -> None:
    """From a gateway's segments into its history and to the pages."""
    from appliance.config import load_config
    from appliance.gateway.tailer import run_tailer
    from appliance.logs import set_up_logs
    from contracts.clock import SystemClock

    set_up_logs()
    asyncio.run(run_tailer(load_config(config), clock=SystemClock()))
