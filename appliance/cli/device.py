"""`tallyman device`: edge boxes that belong to this site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

device = typer.Typer(
    help="Edge boxes of this site. Works on the hub's data folder, also while it runs.",
    no_args_is_help=True,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
Name = Annotated[str, typer.Argument(help="The device's id, as in its edge.device setting.")]
Why = Annotated[str, typer.Option(help="What was found; it is kept with the device.")]


@device.command()
def claim(
    name: Name,
    out: Annotated[Path | None, typer.Option(help="File to write (0600); else printed.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long it may be used.")] = 24,
    config: ConfigFile = None,
) -> None:
    """Make a single-use claim. Bring the file to the edge box (edge.enrolment names it there)."""
    import msgspec

    from appliance.config import load_config
    from appliance.hub.folder import open_registry
    from appliance.services.address import write_private

    with open_registry(load_config(config)) as (registry, ca):
        secret = registry.new_claim(name, hours=hours)
        paper = {"device": name, "fingerprint": ca.fingerprint, "token": secret}
    text = msgspec.json.encode(paper).decode() + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_private(out, text)


@device.command("list")
def list_devices(config: ConfigFile = None) -> None:
    """Id, state, since when and why of each device, separated by tabs."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        for each in registry.devices():
            since = each.changed_at.isoformat(timespec="seconds")
            typer.echo(f"{each.device}\t{each.state}\t{since}\t{each.note}")


@device.command()
def readmit(name: Name, why: Why, config: ConfigFile = None) -> None:
    """Take entries from a quarantined device again, after somebody has looked into it."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.readmit(name, why)


@device.command()
def revoke(name: Name, why: Why, config: ConfigFile = None) -> None:
    """Shut a lost or sold device out, for ever."""
    from appliance.config import load_config
    from appliance.hub.folder import open_registry

    with open_registry(load_config(config)) as (registry, _):
        registry.revoke(name, why)


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
