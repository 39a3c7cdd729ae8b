"""`tallyman telemetry`: try a sensor template on bytes, list templates, check files of your own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from appliance.cli.main import Findings
from contracts.errors import BadInputError, TallymanError

if TYPE_CHECKING:
    from telemetry.describing.compiled import TriedOut
    from telemetry.describing.template import Template

telemetry = typer.Typer(
    help="Sensors: what their bytes mean, by templates without code.", no_args_is_help=True
)
_MOST_BYTES = 1 << 20


@telemetry.command()
def decode(
    payload: Annotated[
        list[str],
        typer.Argument(metavar="HEX", help="Bytes as hexadecimal; - reads raw bytes from stdin."),
    ],
    *,
    template: Annotated[str, typer.Option("--template", help="A name, or the file of your own.")],
    port: Annotated[int | None, typer.Option("--port", help="The LoRaWAN port it came by.")] = None,
    envelope: Annotated[
        str, typer.Option("--envelope", help="none, chirpstack, ttn, hex or base64.")
    ] = "none",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", help="name=value, as the device has it.")
    ] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="The payload is text (JSON, CSV), not hexadecimal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What a payload says. Exit 1 where the template refuses it, with the reason."""
    from telemetry.describing.compiled import try_out

    out = try_out(
        _template(template),
        _payload(payload, as_text=as_text),
        port=port,
        envelope=envelope,
        parameters=_parameters(parameter or []),
    )
    told = _told(out)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _write(told)
    if out.refused is not None:
        raise Findings


@telemetry.command()
def templates(
    *,
    kind: Annotated[str, typer.Option("--kind", help="Only this kind, for example co2.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """The templates that come with the house."""
    from telemetry.describing.compiled import compile_template
    from telemetry.describing.library import shipped

    for each in shipped().values():
        if kind and each.file.kind != kind:
            continue
        words = sorted({column.quantity for column in compile_template(each).columns})
        if as_json:
            typer.echo(json.dumps(_row(each, words), ensure_ascii=False))
        else:
            typer.echo(f"{each.name:38} {each.file.kind:18} {', '.join(words)}")


@telemetry.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Templates of your own.")],
) -> None:
    """Whether template files can be used: all of them, beside those of the house."""
    from telemetry.describing.library import check_own

    wrong = 0
    texts: list[str] = []
    for file in files:
        try:
            text = _read(file)
            check_own(text, texts)
        except TallymanError as error:
            wrong += 1
            typer.echo(f"{file}: {error}", err=True)
        else:
            texts.append(text)
            typer.echo(f"{file}: ok")
    if wrong:
        raise Findings


def _template(name: str) -> Template:
    from telemetry.describing.library import shipped
    from telemetry.describing.template import read_template

    found = shipped().get(name)
    if found is not None:
        return found
    path = Path(name)
    if not path.is_file():
        raise BadInputError(
            f"no template and no file {name!r}", mend="See `tallyman telemetry templates`"
        )
    return read_template(_read(path), where=path.name)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}", mend="Give a TOML file") from error


def _payload(given: list[str], *, as_text: bool) -> bytes:
    from telemetry.describing.binding import Refused
    from telemetry.describing.envelopes import read_hex

    if given == ["-"]:
        return sys.stdin.buffer.read(_MOST_BYTES)
    if as_text:
        return " ".join(given).encode()
    try:
        return read_hex(" ".join(given))
    except Refused as error:
        raise BadInputError(
            f"this is no hexadecimal: {error.detail}", mend="Write 03 67 fa 00, or use --text"
        ) from error


def _parameters(given: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in given:
        name, _, value = each.partition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            raise BadInputError(f"{each!r} is no parameter", mend="Write name=value") from error
    return found


def _told(out: TriedOut) -> dict[str, Any]:
    return {
        "fields": out.fields,
        "readings": [
            {
                "at_us": at,
                "sequence": sequence,
                "values": [
                    {
                        "quantity": column.quantity,
                        "channel": column.channel,
                        "value": value,
                        "unit": column.unit,
                    }
                    for column, value in zip(out.columns, values, strict=False)
                    if value is not None
                ],
            }
            for at, sequence, values in out.readings
        ],
        "refused": None
        if out.refused is None
        else {"code": out.refused.code, "detail": out.refused.detail},
    }


def _write(told: dict[str, Any]) -> None:
    for reading in told["readings"]:
        for value in reading["values"]:
            name = value["quantity"] + (f"/{value['channel']}" if value["channel"] else "")
            typer.echo(f"{name:32} {value['value']:>14.6g} {value['unit']}")
    if told["refused"]:
        for name, value in told["fields"].items():
            typer.echo(f"{name:32} {value!s:>14}")
        refused = told["refused"]
        typer.echo(f"refused: {refused['code']}: {refused['detail']}", err=True)


def _row(template: Template, words: list[str]) -> dict[str, Any]:
    file = template.file
    return {
        "name": file.name,
        "kind": file.kind,
        "maker": file.maker,
        "models": file.models,
        "measures": words,
        "sha256": template.sha256,
    }
