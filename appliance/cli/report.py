"""`tallyman report`: excursions of the hub as signed files, their check, and loggers' exports."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from appliance.excursions.facts import Signer
    from erp_link.service.excursions.desk import Excursions

report = typer.Typer(
    help="Excursions: what goods went through, signed; and data loggers' exports.",
    no_args_is_help=True,
)

_Config = Annotated[Path | None, typer.Option("--config", help="The hub's configuration (TOML).")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_Out = Annotated[Path | None, typer.Option("--out", help="A file instead of the screen.")]


class Form(StrEnum):
    """What a report is written as."""

    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


@report.command()
def excursion(
    name: Annotated[
        str | None, typer.Argument(help="The excursion's id; none: list the newest.")
    ] = None,
    *,
    form: Annotated[Form, typer.Option("--as", help="The file's kind.")] = Form.JSON,
    out: _Out = None,
    language: Annotated[str, typer.Option(help="en or zh; PDF and CSV have words.")] = "en",
    as_json: _Json = False,
    config: _Config = None,
) -> None:
    """One excursion's report, signed by the hub; without an id, the newest excursions.

    The hub may be running. Exit 2: there is no hub here, no such excursion, no such file.
    """
    from appliance.excursions.pdf import report_pdf
    from appliance.excursions.table import as_csv
    from appliance.words import words
    from contracts.errors import BadInputError

    with _desk(config) as (desk, signer, zone):
        if name is None:
            _list(desk, as_json=as_json)
            return
        found = desk.report(name)
        signed = signer.report(found)
        data = signed.file()
        if form is Form.CSV:
            data = as_csv(found, signed, words(language)).encode()
        elif form is Form.PDF:
            if out is None:
                raise BadInputError("A PDF is no text for the screen", mend="Give --out FILE")
            data = report_pdf(found, signed, words(language), zone=zone, site=signer.site)
    _write(data, out)


@report.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Signed reports (.json).")],
    *,
    authority: Annotated[
        str, typer.Option(help="SHA-256 of the site's authority, as `tallyman device` shows it.")
    ] = "",
    as_json: _Json = False,
) -> None:
    """Check signed reports, with or without the hub. Exit 1 where one does not hold."""
    import msgspec

    from appliance.cli.main import Findings
    from appliance.excursions.facts import authority_of, read_signed
    from contracts.errors import TallymanError

    failed = 0
    for path in files:
        data = _read(path)
        why, said, by = "", "", ""
        try:
            said = str(read_signed(data)["excursion"])
            by = authority_of(data)
            if authority and by != authority.lower().replace(":", ""):
                why = "the authority is not the one given"
        except TallymanError as error:
            why = error.message
        failed += bool(why)
        if as_json:
            line = {"file": str(path), "excursion": said, "authority": by, "why": why}
            typer.echo(msgspec.json.encode(line).decode())
        else:
            typer.echo(f"{'BROKEN' if why else 'holds'}\t{path}\t{said}\t{why or by}")
    if failed:
        raise Findings


@report.command()
def logger(
    files: Annotated[list[Path], typer.Argument(help="Fridge-tag 2 exports (.txt).")],
    *,
    as_json: _Json = False,
) -> None:
    """What data loggers say of each day: least, most, mean, and their own alarm minutes.

    Exit 1 where a logger's own alarm limit was passed, 2 where a file cannot be read.
    """
    import msgspec

    from appliance.cli.main import Findings
    from appliance.excursions.logger_lines import day_lines
    from telemetry.excursions.fridge_tag import read_fridge_tag

    read = [(path, read_fridge_tag(_read(path))) for path in files]
    for path, tag in read:
        for line in day_lines(path.name, tag):
            typer.echo(
                msgspec.json.encode(line).decode()
                if as_json
                else "\t".join(str(value) for value in line.values())
            )
    if any(tag.minutes(limit.number) > limit.minutes for _, tag in read for limit in tag.limits):
        raise Findings


def _list(desk: Excursions, *, as_json: bool) -> None:
    import msgspec

    for line in desk.excursions():
        said = {
            "excursion": line.excursion_id,
            "state": "open" if line.open else "closed",
            "place": line.alarm.place,
            "begun": line.begun.isoformat(timespec="seconds"),
            "sensor": str(line.alarm.series),
            "beyond": line.beyond,
            "within": line.within,
            "calibration": line.calibration.value,
        }
        typer.echo(
            msgspec.json.encode(said).decode()
            if as_json
            else "\t".join(str(value) for value in said.values())
        )


def _read(path: Path) -> bytes:
    from contracts.errors import BadInputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"Cannot read {path}: {error.strerror}", mend="Check the path"
        ) from error


def _write(data: bytes, out: Path | None) -> None:
    from contracts.errors import BadInputError

    if out is None:
        typer.echo(data.decode(), nl=False)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise BadInputError(
            f"{out} cannot be written: {error.strerror}", mend="Name another file"
        ) from error
    typer.echo(f"{out}: {len(data)} bytes", err=True)


@contextmanager
def _desk(config: Path | None) -> Iterator[tuple[Excursions, Signer, tzinfo]]:
    """The hub's desk, its key and the site's time zone. Raises NotFoundError."""
    from zoneinfo import ZoneInfo

    from appliance.config import load_config
    from appliance.excursions.facts import Signer
    from appliance.identity.site_ca import SiteCa
    from appliance.layout import Layout
    from contracts.clock import SystemClock
    from contracts.errors import NotFoundError
    from erp_link.service.core import Core
    from erp_link.service.excursions.desk import Excursions

    settings = load_config(config)
    layout, zone = Layout(settings.data), ZoneInfo(settings.site.time_zone)
    url = settings.database_url
    missing = url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()
    if missing or not layout.site_ca.is_dir():
        raise NotFoundError(
            "There is no hub in this data folder", mend="Start one, or give --config"
        )
    ca = SiteCa.open_or_create(layout.site_ca, names=("127.0.0.1", "::1", *settings.hub.names))
    core = Core(url, clock=SystemClock(), zone=zone)
    try:
        signer = Signer(
            ca.head_signer.sign, ca.head_certificate_pem, ca.device_ca_pem, settings.site.name
        )
        yield Excursions(core), signer, zone
    finally:
        core.close()
