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
    from appliance.bench.rollout.command import rollout as bench_rollout
    from appliance.bench.shelf.command import shelf as bench_shelf
    from appliance.bench.symbols_read import symbols
    from appliance.cli.agent import agent
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
    from appliance.cli.ota import ota
    from appliance.cli.read import read
    from appliance.cli.report import report
    from appliance.cli.shelf import shelf
    from appliance.cli.tailer import gateway_tailer
    from appliance.cli.telemetry import telemetry
    from appliance.cli.token import token
    from appliance.cli.trust import trust
    from appliance.cli.up import edge, hub, up
    from appliance.cli.user import user
    from appliance.cli.vehicles import acl, enrol, list_enrolled, revoke

    app.command()(read)
    measured = (bench_agv, bench_core, bench_ingest, bench_inspect, bench_condition, bench_read)
    inspect.command()(conform)
    for role in (up, hub, edge, fleet, config, trust):
        app.command()(role)
    for action in (enrol, revoke, acl):
        agv.command()(action)
    agv.command("list")(list_enrolled)
    for child in (gateway_tailer, gateway_endpoint):
        app.command(hidden=True)(child)
    for measurement in (*measured, station, symbols, bench_rollout, bench_shelf):
        bench.command()(measurement)
    groups = {
        "agent": agent,
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
        "ota": ota,
        "shelf": shelf,
    }
    for name, group in groups.items():
        app.add_typer(group, name=name)
