"""`tallyman device claim`: introduce an edge box on another machine to this hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

device = typer.Typer(help="Edge boxes that belong to this site.", no_args_is_help=True)


@device.callback()
def _group() -> None:
    """Keeps `claim` a command of its own while it is the only one."""


@device.command()
def claim(
    name: Annotated[str, typer.Argument(help="The device's id, as in its edge.device setting.")],
    out: Annotated[Path | None, typer.Option(help="File to write (0600); else printed.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How long it may be used.")] = 24,
    config: Annotated[Path | None, typer.Option(help="Configuration file (TOML).")] = None,
) -> None:
    """Make a single-use claim. Bring the file to the edge box (edge.enrolment names it there)."""
    import msgspec

    from appliance.config import load_config
    from appliance.identity.registry import DeviceRegistry
    from appliance.identity.site_ca import SiteCa
    from appliance.layout import Layout
    from appliance.services.address import write_private
    from contracts.clock import SystemClock

    settings, clock = load_config(config), SystemClock()
    layout = Layout(settings.data)
    names = ("127.0.0.1", "::1", *settings.hub.names)
    ca = SiteCa.open_or_create(layout.site_ca, clock=clock, names=names)
    registry = DeviceRegistry(layout.devices_db, ca, clock)
    try:
        token = registry.new_claim(name, hours=hours)
    finally:
        registry.close()
    paper = {"device": name, "fingerprint": ca.fingerprint, "token": token}
    text = msgspec.json.encode(paper).decode() + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_private(out, text)
