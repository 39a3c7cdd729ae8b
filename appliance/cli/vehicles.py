"""`tallyman agv enrol`, `list`, `revoke`, `acl`: who may sign in at the broker as a vehicle."""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from appliance.vehicles.office import VehicleOffice
    from appliance.vehicles.registry import Enrolled

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
Name = Annotated[
    str, typer.Argument(help="MANUFACTURER/SERIAL of a vehicle, or a station's topic prefix.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def enrol(
    name: Name,
    *,
    station: Annotated[
        bool, typer.Option("--station", help="A module station: NAME is its topic prefix.")
    ] = False,
    interface: Annotated[
        list[str] | None,
        typer.Option(help="First level of its topics; may be given often. uagv and vda5050"),
    ] = None,
    note: Annotated[str, typer.Option(help="What people should know of it.")] = "",
    config: ConfigFile = None,
) -> None:
    """Let a vehicle or station in; prints its password, once. A second call gives another one.

    A broker that `up` started takes it up at once; its other connections stay.
    """
    office = _office(config)
    made = asyncio.run(
        office.enrol(
            "station" if station else "vehicle",
            name,
            by=_me(),
            interfaces=tuple(interface or ()),
            note=note,
        )
    )
    typer.echo(made.password)
    address = office.address()
    if address is not None:
        typer.echo(f"{made.name} may sign in now at {address.url}", err=True)
    else:
        typer.echo(_NOT_OURS, err=True)


def list_enrolled(*, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Name, kind, state, since when, by whom and why of each, separated by tabs."""
    for one in _office(config).enrolled():
        record = _record(one)
        line = json.dumps(record, ensure_ascii=False) if as_json else "\t".join(record.values())
        typer.echo(line)


def revoke(
    name: Name,
    why: Annotated[str, typer.Option(help="What was found; it is kept with the vehicle.")],
    config: ConfigFile = None,
) -> None:
    """Shut a vehicle or station out: disconnected and refused from now on."""
    if not asyncio.run(_office(config).revoke(name, by=_me(), why=why)):
        typer.echo(_NOT_OURS, err=True)


def acl(
    *,
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Lines for password_file instead.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """The same rules as Mosquitto's acl_file, for a site that runs a broker of its own."""
    from appliance.vehicles.acl import acl_text, password_lines

    enrolled = _office(config).enrolled()
    typer.echo(password_lines(enrolled) if passwords else acl_text(enrolled), nl=False)


_NOT_OURS = (
    "No broker of ours runs here: it is written down. A broker of your own needs the new rules, "
    "tallyman agv acl and tallyman agv acl --passwords"
)


def _record(one: Enrolled) -> dict[str, str]:
    changed = one.revoked_at or one.enrolled_at
    return {
        "name": one.name,
        "kind": one.kind,
        "state": "revoked" if one.is_revoked else "enrolled",
        "since": changed.isoformat(timespec="seconds"),
        "by": one.revoked_by or one.enrolled_by,
        "why": one.why or one.note,
    }


def _office(config: Path | None) -> VehicleOffice:
    from appliance.config import load_config
    from appliance.vehicles.office import open_office

    return open_office(load_config(config).data)


def _me() -> str:
    return f"{getpass.getuser()} (shell)"
