"""`tallyman decision`: check what people signed, with or without the hub; keys of programs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.main import Findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.claims.exported import ExportedDecision
    from erp_link.service.core import Core
    from erp_link.service.quality.desk import Quality

decision = typer.Typer(
    help="Usage decisions: what was signed, and the keys it is checked with.", no_args_is_help=True
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@decision.command()
def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="decisions.json of a claims pack; none: the hub's own database."),
    ] = None,
    *,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Check every signature. Exit 1 where one does not hold.

    A decision that was recorded without a signature is told, and fails only in a file.
    """
    import msgspec

    from appliance.claims.exported import check, read_exported

    made: Sequence[ExportedDecision]
    made = [each for path in files for each in read_exported(path)] if files else _all(config)
    failed = 0
    if not made:
        typer.echo("There is no decision to check yet.", err=True)
    for each in made:
        found = check(each)
        unsigned = not each.proofs and not files
        failed += bool(found.why) and not unsigned
        if as_json:
            typer.echo(msgspec.json.encode(found).decode())
            continue
        word = "unsigned" if unsigned else "BROKEN" if found.why else "holds"
        who = ", ".join(found.signers) or each.made_by
        typer.echo(f"{word}\t{found.ticket}\t{found.decision}\t{who}\t{found.why}".rstrip())
    if failed:
        raise Findings


@decision.command()
def export(config: ConfigFile = None) -> None:
    """Every decision of the hub as JSON, to check elsewhere."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(_all(config)), indent=2).decode())


@decision.command("add-key")
def add_key(
    person: Annotated[str, typer.Argument(help="The API token's name, or a person's.")],
    public_key: Annotated[Path, typer.Argument(help="ECDSA P-256 public key, PEM.")],
    proof: Annotated[
        str,
        typer.Option(
            help="Signature of `tallyman signing key v1`, a zero byte and the name, r and s in hex."
        ),
    ],
    label: Annotated[str, typer.Option(help="What holds the key.")] = "program",
    config: ConfigFile = None,
) -> None:
    """Register the key that a program signs with; prints its id."""
    from contracts.errors import BadInputError

    try:
        pem = public_key.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"Cannot read {public_key}", mend="Give a PEM file") from error
    with _desk(config) as desk:
        key = desk.register_key(person, pem, label=label, proof=proof, by="command line")
        typer.echo(key.key_id)


@decision.command("keys")
def list_keys(config: ConfigFile = None) -> None:
    """Id, person, state, since when and label of each key, separated by tabs."""
    with _desk(config) as desk:
        every = desk.keys()
    for key in every:
        state = "good" if key.is_good else "revoked"
        since = key.registered_at.isoformat(timespec="seconds")
        typer.echo(f"{key.key_id}\t{key.person}\t{state}\t{since}\t{key.label}")


@decision.command("revoke-key")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id.")], config: ConfigFile = None
) -> None:
    """Nothing is signed with it from now on; what it signed stays signed."""
    with _desk(config) as desk:
        desk.revoke_key(key_id, by="command line")


def _all(config: Path | None) -> list[ExportedDecision]:
    from appliance.claims.exported import exported

    with _desk(config) as desk:
        return [exported(made) for made in desk.every_decision()]


@contextmanager
def _desk(config: Path | None) -> Iterator[Quality]:
    """The hub's quality desk; the hub itself may be running."""
    from erp_link.service.quality.desk import Quality

    with open_core(config) as core:
        yield Quality(core)


@contextmanager
def open_core(config: Path | None) -> Iterator[Core]:
    """The hub's core; the hub itself may be running. Raises NotFoundError where there is none."""
    from zoneinfo import ZoneInfo

    from appliance.config import load_config
    from contracts.clock import SystemClock
    from contracts.errors import NotFoundError
    from erp_link.domain.places import SiteLayout, Slot
    from erp_link.service.core import Core

    settings = load_config(config)
    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise NotFoundError(
            "There is no hub in this data folder", mend="Start one, or give --config"
        )
    slots = tuple(Slot(code) for code in settings.hub.slots)
    core = Core(
        url,
        clock=SystemClock(),
        layout=SiteLayout(slots) if slots else SiteLayout(),
        zone=ZoneInfo(settings.site.time_zone),
    )
    try:
        yield core
    finally:
        core.close()
