"""Which command lives in which file. Command modules import their heavy parts when called."""

from __future__ import annotations

import typer


def register(app: typer.Typer, bench: typer.Typer) -> None:
    """Add every command to `app` and every measurement to `bench`."""
    from appliance.bench.agv.command import agv as bench_agv
    from appliance.bench.core.command import core as bench_core
    from appliance.bench.ingest.command import ingest as bench_ingest
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
    from appliance.cli.endpoint import gateway_endpoint
    from appliance.cli.export import export
    from appliance.cli.gateway import gateway
    from appliance.cli.inspect import inspect
    from appliance.cli.journal import journal
    from appliance.cli.learn import learn
    from appliance.cli.read import read
    from appliance.cli.report import report
    from appliance.cli.tailer import gateway_tailer
    from appliance.cli.telemetry import telemetry
    from appliance.cli.token import token
    from appliance.cli.up import edge, hub, up
    from appliance.cli.user import user
    from appliance.cli.vehicles import acl, enrol, list_enrolled, revoke

    app.command()(read)
    bench.command("agv")(bench_agv)
    bench.command("core")(bench_core)
    bench.command("ingest")(bench_ingest)
    bench.command("inspect")(bench_inspect)
    bench.command("condition")(bench_condition)
    bench.command("read")(bench_read)
    inspect.command()(conform)
    for role in (up, hub, edge, fleet, config):
        app.command()(role)
    for action in (enrol, revoke, acl):
        agv.command()(action)
    agv.command("list")(list_enrolled)
    for child in (gateway_tailer, gateway_endpoint):
        app.command(hidden=True)(child)
    for measurement in (station, symbols):
        bench.command()(measurement)
    groups = {
        "journal": journal,
        "core": core,
        "decision": decision,
        "demo": demo,
        "device": device,
        "user": user,
        "token": token,
        "inspect": inspect,
        "condition": condition,
        "learn": learn,
        "gateway": gateway,
        "agv": agv,
        "telemetry": telemetry,
        "report": report,
        "asn": asn,
        "export": export,
    }
    for name, group in groups.items():
        app.add_typer(group, name=name)
