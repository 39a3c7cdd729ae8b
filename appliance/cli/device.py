"""`tallyman device`: edge boxes that belong to this site."""

from __future__ import annotations

from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

device = typer.Typer(
    help="Edge boxes of this site. Works on the hub's data folder, also while it runs.",
    no_args_is_help=True,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
Name = Annotated[str, typer.Argument(help="The device's id, as in its edge.device setting.")]
Key = Annotated[str, typer.Argument(help="The sixteen digits of its key.")]
Why = Annotated[str, typer.Option(help="What was found; it is kept with the device.")]


@device.command()
def claim(
    name: Name,
    out: Annotated[Path | None, typer.Option(help="File to write (0600); else printed.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long it may be used.")] = 24,
    serial: Annotated[str, typer.Option(help="Good on the machine with this serial only.")] = "",
    *,
    approve: Annotated[
        bool | None,
        typer.Option(
            "--approve/--no-approve",
            help="The device waits for a person's yes. Else as hub.approve_devices says.",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Make a single-use claim. Bring the file to the edge box (edge.enrolment names it there)."""
    import msgspec

    from appliance.config import load_config
    from appliance.hub.folder import claim_paper, open_registry
    from appliance.services.address import write_private

    settings = load_config(config)
    waits = settings.hub.approve_devices if approve is None else approve
    with open_registry(settings) as (registry, ca):
        token = registry.new_claim(name, hours=hours, serial=serial, approve=waits, by=_person())
        paper = claim_paper(settings, ca, name, token)
    text = msgspec.json.encode(paper).decode() + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_private(out, text)


@device.command("list")
def list_devices(config: ConfigFile = None) -> None:
    """Id, state, since when, why, end of its certificate, key and machine of each device, separated
    by tabs.
    """
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        for each in registry.devices():
            since, until = (_minute(at) for at in (each.changed_at, each.expires_at))
            typer.echo(
                f"{each.device}\t{each.state}\t{since}\t{each.note}\t{until}\t{each.key_id}\t{each.serial}"
            )


@device.command()
def waiting(config: ConfigFile = None) -> None:
    """Who waits for a person's yes: id, new or recovery, key, machine, known machine, since when, from
    where, and whether somebody refused it, separated by tabs.
    """
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        for each in registry.waiting():
            typer.echo(
                f"{each.device}\t{each.kind}\t{each.key_id}\t{each.serial}\t{each.known_serial}"
                f"\t{_minute(each.asked_at)}\t{each.address}\t{each.state} {each.why}".rstrip()
            )


@device.command()
def approve(
    name: Name,
    key: Key,
    *,
    new_machine: Annotated[
        bool, typer.Option(help="Its machine was replaced: another serial is right.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Let a device in that waits: compare KEY with the sixteen digits in its own log first."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.approve(name, key, by=_person(), new_machine=new_machine)


@device.command()
def refuse(name: Name, key: Key, why: Why, config: ConfigFile = None) -> None:
    """Let a device that waits stay out. It may be approved later all the same."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.refuse(name, key, by=_person(), why=why)


@device.command()
def story(
    name: Annotated[str, typer.Argument(help="The device's id; empty: all devices.")] = "",
    config: ConfigFile = None,
) -> None:
    """When a device was claimed, approved, certified, shut out, and by whom; newest first."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        for each in registry.story(name):
            typer.echo(
                f"{_minute(each.at)}\t{each.device}\t{each.what}\t{each.by}\t{each.why}".rstrip()
            )


@device.command()
def readmit(name: Name, why: Why, config: ConfigFile = None) -> None:
    """Take entries from a quarantined device again, after somebody has looked into it."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.readmit(name, why, by=_person())


@device.command()
def revoke(name: Name, why: Why, config: ConfigFile = None) -> None:
    """Shut a lost or sold device out, for ever, from its next request on."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.revoke(name, why, by=_person())


@device.command("forget-quality-key")
def forget_quality_key(config: ConfigFile = None) -> None:
    """On an edge box: trust the next quality key that the hub tells. Compare its sixteen digits on
    the station's page Lessons with the quality lead's own, and judge nothing where they differ.
    """
    from appliance.config import load_config
    from appliance.layout import Layout
    from appliance.teaching.trust import TrustedKeys

    was = TrustedKeys(Layout(load_config(config).data).trust).forget()
    typer.echo(f"{was.name}\t{was.holder}" if was else "no key was trusted")


def _minute(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _person() -> str:
    return f"{getuser()} (shell)"
