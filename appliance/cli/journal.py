"""`tallyman journal verify|show FILE`: the record, checked offline. `heads`: the hub's word for it;
`rates`: the read rates filled from it again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    from appliance.journal.heads import Countersigned
    from appliance.journal.verify import VerifyReport

journal = typer.Typer(help="The device's signed record.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(help="The journal's file.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_Ca = Annotated[
    Path | None, typer.Option("--ca", help="The site's device CA (PEM) to check against.")
]
_Key = Annotated[
    Path | None, typer.Option("--key", help="The device's public key (PEM), known from elsewhere.")
]
_Heads = Annotated[
    Path | None,
    typer.Option("--heads", help="What `tallyman journal heads` printed at the hub."),
]


@journal.command()
def verify(
    file: _File,
    *,
    ca: _Ca = None,
    key: _Key = None,
    heads: _Heads = None,
    as_json: _Json = False,
) -> None:
    """Check every entry. Exit 0: it holds; 1: what is broken; 2: not readable as a journal."""
    from appliance.cli.main import Findings
    from appliance.journal.verify import verify_journal

    report = verify_journal(
        file,
        site_ca_pem=_text(ca),
        public_key_pem=_text(key),
        heads=_heads(heads) if heads else (),
    )
    typer.echo(_json(report) if as_json else _summary(file, report))
    if not report.holds:
        raise Findings


@journal.command()
def show(
    file: _File,
    *,
    as_json: _Json = False,
    after: Annotated[int, typer.Option(help="Only entries after this sequence number.")] = 0,
) -> None:
    """Print the entries as stored, oldest first. Does not verify them."""
    import msgspec

    from appliance.journal.verify import read_entries

    for entry in read_entries(file, after_seq=after):
        if as_json:
            typer.echo(msgspec.json.encode(entry).decode())
        else:
            typer.echo(f"{entry.seq:>8}  {_at(entry.at_us)}  {entry.kind:<16} {entry.body}")


@journal.command()
def heads(
    registry: Annotated[Path, typer.Argument(help="The hub's devices.db.")],
) -> None:
    """Print the newest head that the hub countersigned for each device, for `verify --heads`."""
    import msgspec

    from appliance.identity.admission.heads import read_heads

    for head in read_heads(registry):
        typer.echo(msgspec.json.encode(head).decode())


@journal.command()
def rates(
    file: _File,
    *,
    key: _Key = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="The hub's configuration file (TOML).")
    ] = None,
) -> None:
    """Fill the hub's read rates again from a device's journal; what is counted already stays one.

    For cartons judged before the hub counted readings, or after a restore. The journal must hold.
    """
    from appliance.cli.main import Findings
    from appliance.config import load_config
    from appliance.journal.verify import verify_journal
    from appliance.readrates.refill import refill

    report = verify_journal(file, public_key_pem=_text(key))
    if not report.holds:
        typer.echo(_summary(file, report), err=True)
        raise Findings
    cartons = refill(load_config(config), file)
    typer.echo(f"{cartons} entries about cartons of {report.device} are counted")


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}", mend="Name a PEM file") from error


def _heads(path: Path) -> tuple[Countersigned, ...]:
    import msgspec

    from appliance.journal.heads import Countersigned

    lines = (_text(path) or "").splitlines()
    try:
        return tuple(msgspec.json.decode(line, type=Countersigned) for line in lines if line)
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"{path} is not a list of countersigned heads: {error}", mend="Export it from the hub"
        ) from error


def _json(report: VerifyReport) -> str:
    import msgspec

    return msgspec.json.encode({"holds": report.holds, **msgspec.to_builtins(report)}).decode()


def _at(at_us: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return at.isoformat(timespec="milliseconds")


def _summary(file: Path, report: VerifyReport) -> str:
    lines = [
        f"{'entry ' + str(found.seq) if found.seq is not None else 'journal'}: {found.what}"
        for found in report.findings
    ]
    span = ""
    if report.first_at_us is not None and report.last_at_us is not None:
        span = f", {_at(report.first_at_us)} to {_at(report.last_at_us)}"
    state = "holds" if report.holds else "IS BROKEN"
    head = f"countersigned to {report.head_seq}" if report.head_seq else "no countersigned head"
    lines.append(
        f"{file} {state}: {report.entries} entries of {report.device or 'nobody'} "
        f"(key {report.key_id}, by {report.trust}), {report.boots} boots{span}, {head}"
    )
    return "\n".join(lines)
