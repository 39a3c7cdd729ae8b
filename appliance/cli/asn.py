"""`tallyman asn check FILE`: is this announced list usable, and what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

asn = typer.Typer(help="Announced lists (CSV, X12 856, EPCIS 2.0).", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(help="The list: CSV, X12 856 or EPCIS 2.0 (JSON-LD).")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@asn.command()
def check(file: _File, *, as_json: _Json = False) -> None:
    """Print the announced lines. Exit 2: every wrong line, and how to mend it."""
    from contracts.errors import BadAsnError
    from erp_link.asn.files import read_asn

    try:
        read = read_asn(file)
    except BadAsnError as error:
        findings = error.data.get("findings")
        for finding in findings if isinstance(findings, list) else []:
            if as_json:
                typer.echo(json.dumps(finding, ensure_ascii=False))
            elif finding["line"] is not None:
                typer.echo(f"line {finding['line']}: {finding['what']}. {finding['mend']}")
        raise
    for line in read.lines:
        if as_json:
            typer.echo(json.dumps(asdict(line), ensure_ascii=False, default=str))
        else:
            named = " ".join(x for x in (line.supplier, line.sku, line.description) if x)
            typer.echo(
                f"{line.number:>5}  {line.gtin}  {line.batch:<20}  {line.expiry}  "
                f"{line.quantity:>6} {line.unit}  {named}".rstrip()
            )
    if not as_json:
        typer.echo(f"{read.number}: {len(read.lines)} lines, in order")


@asn.callback()
def _group() -> None:
    """Keep `check` a subcommand while it is the only one."""
