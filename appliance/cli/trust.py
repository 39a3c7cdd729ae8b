"""`tallyman trust`: what phones are asked to trust, for whoever stands beside the hub to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]


def trust(
    config: ConfigFile = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the root here, PEM, for computers and programs.")
    ] = None,
    *,
    new_root: Annotated[
        bool, typer.Option("--new-root", help="Make another root: each phone trusts it anew.")
    ] = False,
) -> None:
    """Print the fingerprint of the root that phones trust, and a QR code of the page that leads a
    phone through it. Works on the hub's data folder, also while it runs.
    """
    from appliance import pages_url
    from appliance.config import load_config
    from appliance.durable import write_atomic
    from appliance.hub.pages import plain_address
    from appliance.identity.spoken import grouped, spoken
    from appliance.shelf.phones.qr import qr_terminal
    from appliance.words import words
    from contracts.errors import BadInputError

    settings = load_config(config)
    if not settings.hub.tls:
        raise BadInputError(
            'hub.tls is not "site": there is no root of this site to trust',
            mend='Set tls = "site" and names in [hub]; with a certificate of your own nothing is '
            "to be trusted",
        )
    ca = pages_url.pages_ca(settings)
    root = ca.renew_root() if new_root else ca.root()
    ca.files()
    say = words(settings.site.language)
    lines = [root.certificate.subject.rfc4514_string(), "", *grouped(root.fingerprint), ""]
    lines += [say("trust.spoken"), " ".join(spoken(root.fingerprint)), ""]
    until = root.certificate.not_valid_after_utc.date().isoformat()
    lines.append(say("trust.only", names=", ".join(root.allowed)))
    lines.append(f"{say('trust.until')} {until}")
    address = plain_address(settings) or f"{pages_url.for_people(settings)}/trust"
    typer.echo("\n".join([*lines, "", address, "", qr_terminal(address)]))
    if export is not None:
        write_atomic(export, root.pem.encode())
