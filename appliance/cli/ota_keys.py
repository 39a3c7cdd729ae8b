"""`tallyman ota init|keys`: who may say which model sets run here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.ota_shell import By, ConfigFile, Secrets, asking, person, registry_here
from contracts.errors import BadInputError

if TYPE_CHECKING:
    from ota.registry.plane.ceremony import Proposal

keys = typer.Typer(help="Who may sign for model sets, and how that changes.", no_args_is_help=True)

_Out = Annotated[Path, typer.Option("--out", help="The proposal to write, for holders to sign.")]
_Proposal = Annotated[Path, typer.Argument(help="A proposal.")]
_Above = Annotated[int, typer.Option(help="Go above this snapshot version, which boxes have seen.")]
_HERE = """\
tallyman: ALL KEYS ARE ON THIS MACHINE, WITHOUT A PASSPHRASE.
Whoever takes over this hub can make every box run what they like, and no signature will tell. Where
that matters, use keys held by people instead: tallyman ota init --keys FOLDER --holders a,b,c
"""


def register(ota: typer.Typer) -> None:
    """Add these commands."""
    ota.command()(init)
    ota.add_typer(keys, name="keys")


def init(
    folder: Annotated[
        Path | None, typer.Option("--keys", help="Where the root keys go: a stick, not this disk.")
    ] = None,
    *,
    holders: Annotated[str, typer.Option(help="Who holds a root key, with commas between.")] = "",
    threshold: Annotated[int, typer.Option(help="How many of them must sign together.")] = 2,
    publisher: Annotated[str, typer.Option(help="Who knows the lanes' passphrase.")] = "",
    here: Annotated[
        bool, typer.Option("--here", help="All keys on this machine, open. For a site that may.")
    ] = False,
    by: By = "",
    secrets: Secrets = None,
    config: ConfigFile = None,
) -> None:
    """Make the site's keys for model sets, once."""
    from appliance.config import load_config
    from appliance.layout import Layout
    from appliance.ota.registry.founding import Founding, found_site
    from contracts.clock import SystemClock
    from ota.registry.adapters.disk import DiskMetadata

    layout = Layout(load_config(config).data)
    named = [each.strip() for each in holders.split(",") if each.strip()]
    if here:
        sys.stderr.write(_HERE)
        founding = Founding(layout.hub_ota / "keys", ["hub"], 1, "hub")
    elif folder is None or not named:
        raise BadInputError(
            "Root keys need a folder and their holders",
            mend="--keys FOLDER --holders anna,bert,carl, or --here for a site that may",
        )
    else:
        founding = Founding(folder, named, threshold, publisher or person(by))
    with registry_here(config) as desk:
        people = found_site(
            desk,
            DiskMetadata(layout.hub_ota / "tuf"),
            founding,
            passphrase=(lambda _: "") if here else asking(secrets, twice=True),
            by=person(by),
            clock=SystemClock(),
        )
    for each in people:
        typer.echo(f"root\t{each.file.holder}\t{each.file.key_id}")


@keys.command("list")
def list_keys(config: ConfigFile = None) -> None:
    """Role, version, expiry and key ids of everything that is signed."""
    with registry_here(config) as desk:
        plane = desk.registry.plane
        root = plane.root().signed
        expires = {each.role: each for each in plane.expiries()}
        ids = {role: list(each.keyids) for role, each in root.roles.items() if role in expires}
        ids |= {lane: list(plane.lane_key_ids(lane)) for lane in plane.lanes()}
        for role, key_ids in ids.items():
            each = expires[role]
            until = each.expires.date().isoformat()
            held = root.roles[role].threshold if role in root.roles else 1
            typer.echo(f"{role}\t{each.version}\t{until}\t{held}\t{','.join(key_ids)}")


@keys.command()
def make(
    folder: Annotated[Path, typer.Argument(help="Where the new key file goes.")],
    *,
    role: Annotated[str, typer.Option(help="root, or the lane it shall sign for.")],
    holder: Annotated[str, typer.Option(help="Whose key it is.")],
    secrets: Secrets = None,
) -> None:
    """A new locked key. It counts for nothing before a proposal that names it is adopted."""
    from appliance.ota.keys import make_key

    ask = asking(secrets, twice=True)
    made = make_key(folder, role=role, holder=holder, passphrase=ask(f"{role} {holder}"))
    typer.echo(f"{role}\t{holder}\t{made.file.key_id}")


@keys.command()
def people(
    *,
    add: Annotated[list[Path] | None, typer.Option(help="Key file of a new root holder.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Key id of one who goes.")] = None,
    threshold: Annotated[int, typer.Option(help="How many must sign; 0: as before.")] = 0,
    out: _Out,
    config: ConfigFile = None,
) -> None:
    """Propose other root holders; without --add and --remove the same ones for longer."""
    from appliance.ota.keys import read_key
    from contracts.clock import SystemClock
    from ota.registry.plane.ceremony import propose_people

    with registry_here(config) as desk:
        proposal = propose_people(
            desk.registry.plane,
            clock=SystemClock(),
            add=[read_key(path).key for path in add or ()],
            remove=remove or (),
            threshold=threshold or None,
        )
        _write(proposal, out)


@keys.command()
def lane(
    name: Annotated[str, typer.Argument(metavar="LANE")],
    *,
    key: Annotated[Path, typer.Option(help="Key file that shall sign for it from now on.")],
    out: _Out,
    config: ConfigFile = None,
) -> None:
    """Propose another key for a lane; the new key signs the proposal too."""
    from appliance.ota.keys import read_key
    from contracts.clock import SystemClock
    from ota.registry.lanes import check_lane
    from ota.registry.plane.ceremony import propose_lane

    with registry_here(config) as desk:
        proposal = propose_lane(
            desk.registry.plane, check_lane(name), read_key(key).key, clock=SystemClock()
        )
        _write(proposal, out)


@keys.command()
def online(*, out: _Out, config: ConfigFile = None) -> None:
    """Propose new keys for what the hub signs by itself, after somebody broke into it."""
    from appliance.ota.registry.founding import online_keys
    from contracts.clock import SystemClock
    from ota.registry.plane.ceremony import propose_online

    with registry_here(config) as desk:
        snapshot, timestamp = online_keys(desk.keys)
        proposal = propose_online(
            desk.registry.plane,
            clock=SystemClock(),
            snapshot=snapshot.file.key,
            timestamp=timestamp.file.key,
        )
        _write(proposal, out)


@keys.command()
def sign(
    proposal: _Proposal,
    *,
    key: Annotated[Path, typer.Option(help="A holder's key file.")],
    secrets: Secrets = None,
) -> None:
    """Add a holder's signature to a proposal. Needs nothing but the two files."""
    from appliance.durable import write_atomic
    from appliance.ota.keys import open_key, read_key
    from ota.registry.plane import ceremony

    file = read_key(key)
    ask = asking(secrets)
    said = ceremony.Proposal.from_bytes(_bytes(proposal))
    opened = open_key(file, ask(f"{file.role} {file.holder}") if file.locked else "")
    roles = ceremony.sign(said, opened.signer)
    write_atomic(proposal, said.to_bytes())
    typer.echo(f"{file.holder} signed {', '.join(roles)}")
    _tell_missing(said)


@keys.command()
def adopt(proposal: _Proposal, *, by: By = "", config: ConfigFile = None) -> None:
    """Bring a proposal into force, once enough holders signed it."""
    from appliance.ota.registry.founding import note_keys
    from contracts.clock import SystemClock
    from ota.registry.plane import ceremony

    with registry_here(config) as desk:
        said = ceremony.Proposal.from_bytes(_bytes(proposal))
        snapshot = ceremony.adopt(desk.registry.plane, said)
        why = f"adopted: {', '.join(said.files)}"
        note_keys(desk, by=person(by), clock=SystemClock(), why=why)
        typer.echo(f"in force from snapshot {snapshot} on")


@keys.command()
def renew(
    name: Annotated[str, typer.Argument(metavar="LANE")],
    *,
    above: _Above = 0,
    by: By = "",
    secrets: Secrets = None,
    config: ConfigFile = None,
) -> None:
    """Sign a lane anew, as it is, before it expires; or above what boxes saw, after a restore."""
    with registry_here(config) as desk:
        locked = desk.needs_passphrase(name)
        secret = asking(secrets)(f"the lane {name}") if locked else ""
        snapshot = desk.renew(name, by=person(by), passphrase=secret, above=above)
        typer.echo(f"snapshot {snapshot}")


@keys.command()
def refresh(
    *,
    above: _Above = 0,
    config: ConfigFile = None,
) -> None:
    """Sign snapshot and timestamp where it is due; the hub does so by itself. After a restore from
    an old backup name the highest version that boxes report with --above.
    """
    with registry_here(config) as desk:
        done = desk.registry.plane.refresh(above=above)
        word = "signed" if done else "nothing was due"
        typer.echo(f"{word}: snapshot {desk.registry.snapshot_version}")


def _write(proposal: Proposal, out: Path) -> None:
    from appliance.durable import write_atomic

    write_atomic(out, proposal.to_bytes())
    _tell_missing(proposal)


def _tell_missing(proposal: Proposal) -> None:
    from ota.registry.plane.ceremony import missing

    for role, number in missing(proposal).items():
        typer.echo(f"{role}: {number} signatures missing")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"Cannot read {path}: {error.strerror}", mend="Check the path"
        ) from error
