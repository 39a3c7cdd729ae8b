"""Which command lives in which file. Command modules import their heavy parts when called."""

from __future__ import annotations

import typer


def register(app: typer.Typer, bench: typer.Typer) -> None:
    """Add every command to `app` and every measurement to `bench`."""
    from appliance.bench.core.command import core as bench_core
    from appliance.bench.inspect import inspect as bench_inspect
    from appliance.bench.inspecting.condition import condition as bench_condition
    from appliance.bench.read import read as bench_read
    from appliance.bench.symbols_read import symbols
    from appliance.cli.agv import agv, fleet
    from appliance.cli.asn import asn
    from appliance.cli.bench import station
    from appliance.cli.condition import condition
    from appliance.cli.config import config
    from appliance.cli.conform import conform
    from appliance.cli.core import core
    from appliance.cli.decision import decision
    from appliance.cli.demo import demo
    from appliance.cli.device import device
    from appliance.cli.export import export
    from appliance.cli.gateway import gateway
    from appliance.cli.inspect import inspect
    from appliance.cli.journal import journal
    from appliance.cli.learn import learn
    from appliance.cli.read import read
    from appliance.cli.tailer import gateway_tailer
    from appliance.cli.telemetry import telemetry
    from appliance.cli.token import token
    from appliance.cli.up import edge, hub, up
    from appliance.cli.user import user

    app.command()(read)
    bench.command("core")(bench_core)
    bench.command("inspect")(bench_inspect)
    bench.command("condition")(bench_condition)
    bench.command("read")(bench_read)
    app.add_typer(journal, name="journal")
    app.add_typer(core, name="core")
    app.add_typer(decision, name="decision")
    app.add_typer(demo, name="demo")
    app.add_typer(device, name="device")
    app.add_typer(user, name="user")
    app.add_typer(token, name="token")
    inspect.command()(conform)
    app.add_typer(inspect, name="inspect")
    app.add_typer(condition, name="condition")
    app.add_typer(learn, name="learn")
    for role in (up, hub, edge, fleet, config):
        app.command()(role)
    app.command(hidden=True)(gateway_tailer)
    app.add_typer(gateway, name="gateway")
    app.add_typer(agv, name="agv")
    app.add_typer(telemetry, name="telemetry")
    for measurement in (station, symbols):
        bench.command()(measurement)
    app.add_typer(asn, name="asn")
    app.add_typer(export, name="export")
