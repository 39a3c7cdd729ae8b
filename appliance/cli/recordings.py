"""`tallyman agv replay` and `tallyman agv check`: recordings of fleets, read by their dialects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.words import words

if TYPE_CHECKING:
    from agv_bridge.recordings.findings import Failed, Finding, Mismatch
    from agv_bridge.recordings.matching import Matched

_Record = dict[str, object]


def replay(
    file: Annotated[Path, typer.Argument(help="A recorded session or a log; plain or gzip.")],
    *,
    dialect: Annotated[
        Path | None,
        typer.Option(help="TOML file that says what the lines mean, or the name of one of ours."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Stock moves and quality results of a recording, and every line that could not be placed."""
    from agv_bridge.dialects.compiled import load_dialect
    from agv_bridge.recordings.replay import Placer, replay_file

    placer = Placer(load_dialect(dialect) if dialect is not None else None)
    counts = {"move": 0, "quality": 0, "stored": 0, "mismatch": 0, "failed": 0, "unfinished": 0}
    for finding in replay_file(file, placer):
        record = _record(finding)
        if record["kind"] in counts:
            counts[str(record["kind"])] += 1
        _say(record, as_json=as_json)
    _say(
        {
            "kind": "summary",
            "lines": placer.lines,
            "used": placer.used,
            "unplaced": placer.unplaced,
            "moves": counts["move"],
            "quality": counts["quality"],
            "stored": counts["stored"],
            "mismatches": counts["mismatch"],
            "failed": counts["failed"],
            "unfinished": counts["unfinished"],
        },
        as_json=as_json,
    )


def check(
    dialect: Annotated[Path, typer.Argument(help="TOML file, or the name of one of ours.")],
    file: Annotated[Path | None, typer.Argument(help="A session or log to try it on.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """What a dialect finds in a file: the lines of each of its sections, and those it does not know.

    Ends with 1 where a line could not be placed.
    """
    from agv_bridge.dialects.compiled import load_dialect
    from agv_bridge.recordings.matching import match_file

    read = load_dialect(dialect)
    if file is None:
        told = {"name": read.name, "sections": len(read.sections), "sha256": read.sha256}
        _say({"kind": "dialect", **told}, as_json=as_json)
        return
    matched = match_file(file, read)
    for record in _matched(matched):
        _say(record, as_json=as_json)
    if matched.unplaced:
        raise typer.Exit(1)


def _matched(matched: Matched) -> list[_Record]:
    records: list[_Record] = [
        {
            "kind": "section",
            "section": one.key,
            "what": one.what,
            "found": one.found,
            "first_line": one.first_line,
            "example": one.example,
        }
        for one in matched.sections
    ]
    records += [
        {
            "kind": "unplaced",
            "code": one.reason.code,
            "why": words("en").reason(one.reason),
            "found": one.found,
            "first_lines": list(one.lines),
        }
        for one in matched.reasons
    ]
    counts = {"lines": matched.lines, "used": matched.used, "unplaced": matched.unplaced}
    return [*records, {"kind": "summary", **counts}]


def _record(finding: Finding) -> _Record:  # noqa: PLR0911 -- one answer for each closed kind
    from agv_bridge.recordings import findings as found

    match finding:
        case found.StockMove() as move:
            return {
                "kind": "move",
                "line": move.line,
                "at": move.at.isoformat(),
                "vehicle": move.vehicle,
                "order": move.order_id,
                "action": move.action_id,
                "load": move.load_id,
                "load_seen": move.load_seen,
                "mismatch": move.mismatch,
                "from": move.source,
                "to": move.target,
            }
        case found.Mismatch() as one:
            return _of("mismatch", one) | {"load_seen": one.load_seen}
        case found.Failed() as one:
            return _of("failed", one) | {"reason": one.code, "detail": one.detail}
        case found.Quality() as one:
            return {
                "kind": "quality",
                "line": one.line,
                "at": one.at.isoformat(),
                "station": one.station,
                "load": one.load_id,
                "order": one.order_id,
                "result": "passed" if one.passed else "failed",
                "detail": one.detail,
            }
        case found.Stored() as one:
            return {
                "kind": "stored",
                "line": one.line,
                "at": one.at.isoformat(),
                "station": one.station,
                "load": one.load_id,
                "order": one.order_id,
                "place": one.place,
                "direction": "out" if one.retrieved else "in",
            }
        case found.Unfinished() as one:
            return {
                "kind": "unfinished",
                "vehicle": one.vehicle,
                "order": one.order_id,
                "load": one.load_id,
                "state": one.reached,
            }
        case found.Unplaced() as one:
            return {
                "kind": "unplaced",
                "line": one.line,
                "topic": one.topic,
                "code": one.reason.code,
                "why": words("en").reason(one.reason),
            }


def _of(kind: str, one: Failed | Mismatch) -> _Record:
    return {
        "kind": kind,
        "line": one.line,
        "at": one.at.isoformat(),
        "vehicle": one.vehicle,
        "order": one.order_id,
    }


def _say(record: _Record, *, as_json: bool) -> None:
    typer.echo(json.dumps(record, ensure_ascii=False) if as_json else _in_words(record))


def _in_words(record: _Record) -> str:
    kind = record["kind"]
    if kind == "move":
        seen = f" (read as {record['load_seen']})" if record["mismatch"] else ""
        return (
            f"{record['at']}  {record['vehicle']}  {record['load']}{seen}  "
            f"{record['from']} -> {record['to']}  order {record['order'] or '-'}"
        )
    if kind == "unplaced" and "line" in record:
        return f"line {record['line']} unplaced: {record['why']}"
    rest = "  ".join(f"{key}={value}" for key, value in record.items() if key != "kind")
    return f"{kind}: {rest}"
