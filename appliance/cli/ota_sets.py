"""`tallyman ota publish|approve|withdraw|sets|verify`: model sets from a shell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.ota_shell import AsJson, By, ConfigFile, Secrets, asking, person, registry_here

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from appliance.ota.registry.desk import RegistryDesk
    from ota.registry.records import SetRecord

_Which = Annotated[
    str, typer.Argument(metavar="SET", help="Digest, its first digits, or NAME@VERSION.")
]
_Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
_Key = Annotated[
    Path | None, typer.Option("--key", help="The lane's key file, where it is not at the hub.")
]


def register(ota: typer.Typer) -> None:
    """Add these commands."""
    for command in (publish, approve, withdraw, sets, verify):
        ota.command()(command)


def publish(
    what: Annotated[
        str, typer.Argument(metavar="FOLDER|SET", help="A set's folder, or a proposed set.")
    ],
    *,
    by: By = "",
    why: _Why = "",
    base: Annotated[str, typer.Option(help="The set it was made from; default: the newest.")] = "",
    data: Annotated[str, typer.Option(help="What it learned from, in words.")] = "",
    decision: Annotated[
        Path | None, typer.Option(help="JSON of a recorded decision on its licence.")
    ] = None,
    propose_only: Annotated[
        bool, typer.Option("--propose", help="Take it in and show what speaks against it, no more.")
    ] = False,
    key: _Key = None,
    secrets: Secrets = None,
    config: ConfigFile = None,
) -> None:
    """Take a model set in and, where its gate and the site's policy allow, sign it for boxes.

    Exit 0: published, or proposed and waiting for a second person only; 1: something speaks against
    it (each in words); 2: not a model set.
    """
    from appliance.cli.main import Findings
    from ota.registry.decisions import SECOND_PERSON

    with registry_here(config) as desk:
        record = _taken_in(desk, what, person(by), base=base, data=data, why=why, decision=decision)
        objections = desk.registry.objections(record)
        _tell(record, [each.code for each in objections])
        for each in objections:
            typer.echo(f"  {_words(config, each)}")
        if {each.code for each in objections} - {SECOND_PERSON}:
            raise Findings
        if objections or propose_only:
            return
        signer = _signer(desk, record, by=person(by), key=key, secrets=secrets)
        _tell(desk.publish(record.digest, by=person(by), why=why, signer=signer))


def approve(
    which: _Which,
    *,
    why: Annotated[str, typer.Option("--why", help="What you looked at.")],
    by: By = "",
    config: ConfigFile = None,
) -> None:
    """A second person's yes to a proposed set; it is published afterwards."""
    with registry_here(config) as desk:
        record = desk.registry.find(which)
        _tell(desk.registry.approve(record.digest, by=person(by), reason=why))


def withdraw(
    which: _Which,
    *,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
    by: By = "",
    key: _Key = None,
    sign: Annotated[bool, typer.Option(help="Sign it out of the image plane too.")] = True,
    secrets: Secrets = None,
    config: ConfigFile = None,
) -> None:
    """Never tell a box to run this set again. What runs it now goes on until it is told otherwise."""
    from ota.registry.records import SetState

    with registry_here(config) as desk:
        record = desk.registry.find(which)
        if record.state is not SetState.WITHDRAWN:
            # First of all, whether a passphrase is at hand or not.
            record = desk.registry.withdraw(record.digest, by=person(by), reason=why)
        if sign and not record.signed_out:
            signer = _signer(desk, record, by=person(by), key=key, secrets=secrets)
            record = desk.withdraw(record.digest, by=person(by), reason=why, signer=signer)
        _tell(record)


def sets(
    which: Annotated[str, typer.Argument(metavar="[SET]", help="One of them, in full.")] = "",
    *,
    lane: Annotated[str, typer.Option(help="Of one lane only.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Lane, name, version, state, size and digest of each set, newest first."""
    import msgspec

    with registry_here(config) as desk:
        found = [desk.registry.find(which)] if which else desk.registry.sets(lane=lane)
        for each in found:
            against = desk.registry.objections(each) if each.state == "proposed" else ()
            if as_json:
                said = msgspec.to_builtins(each) | {"objections": msgspec.to_builtins(against)}
                typer.echo(msgspec.json.encode(said).decode())
            else:
                _tell(each, [reason.code for reason in against])
            if which and not as_json:
                _tell_all(desk, each, config)


def verify(*, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Read everything that is kept and check every signature and hash. Exit 1: something is wrong."""
    import msgspec

    from appliance.cli.main import Findings
    from contracts.clock import SystemClock
    from ota.registry.verifying import verify as walk

    with registry_here(config) as desk:
        troubles = walk(desk.registry, now=SystemClock().now())
        for each in troubles:
            if as_json:
                typer.echo(msgspec.json.encode(each).decode())
            else:
                typer.echo(f"{each.where}: {_words(config, each.reason)}")
        if not as_json:
            typer.echo(f"{len(desk.registry.sets())} model sets read, {len(troubles)} findings")
    if any(each.serious for each in troubles):
        raise Findings


def _taken_in(
    desk: RegistryDesk,
    what: str,
    by: str,
    *,
    base: str,
    data: str,
    why: str,
    decision: Path | None,
) -> SetRecord:
    from ota.publishing import read_decision
    from ota.registry.registry import Told

    said = read_decision(decision) if decision else None
    if not Path(what).is_dir():
        record = desk.registry.find(what)
    else:
        told = Told(
            base=desk.registry.find(base).digest if base else "", data=data, why=why, decision=said
        )
        record = desk.propose(Path(what), by=by, told=told)
    if said is not None and record.licence_decision is None:
        record = desk.registry.decide_licence(record.digest, said)
    return record


def _signer(
    desk: RegistryDesk, record: SetRecord, *, by: str, key: Path | None, secrets: Path | None
) -> Signer:
    from appliance.ota.keys import open_key, read_key

    ask = asking(secrets)
    if key is not None:
        file = read_key(key)
        return open_key(file, ask(f"{file.role} {file.holder}") if file.locked else "").signer
    locked = desk.needs_passphrase(record.lane)
    return desk.lane_signer(
        record.lane, by=by, passphrase=ask(f"the lane {record.lane}") if locked else ""
    )


def _tell(record: SetRecord, against: list[str] | None = None) -> None:
    size = f"{record.total_bytes / 1e6:.1f} MB"
    row = (record.lane, record.name, record.version, record.state, size, record.digest)
    typer.echo("\t".join((*row, ",".join(against or ()))).rstrip())


def _tell_all(desk: RegistryDesk, record: SetRecord, config: Path | None) -> None:
    from datetime import UTC, datetime

    said = {
        "licence": record.licence,
        "engines": ", ".join(record.variants),
        "made from": record.lineage.base,
        "recipe": record.lineage.recipe,
        "source": record.lineage.source,
        "data": record.lineage.data,
        "golden frames": ", ".join(
            f"{each.engine} {each.alike}/{each.frames}" for each in record.golden
        ),
    }
    for name, value in said.items():
        if value:
            typer.echo(f"  {name}: {value}")
    for reason in desk.registry.objections(record) if record.state == "proposed" else ():
        typer.echo(f"  {_words(config, reason)}")
    for event in reversed(desk.registry.events(digest=record.digest)):
        at = datetime.fromtimestamp(event.at_us / 1e6, UTC).isoformat(timespec="seconds")
        typer.echo(f"  {at} {event.deed} {event.by} {event.why}".rstrip())


def _words(config: Path | None, reason: object) -> str:
    from appliance.config import load_config
    from appliance.words import words
    from contracts.reason import Reason

    assert isinstance(reason, Reason)  # noqa: S101 -- only annotated loosely to import late
    return words(load_config(config).site.language).reason(reason)
