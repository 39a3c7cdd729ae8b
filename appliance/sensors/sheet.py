"""The sensor book as a spreadsheet: written out, and read in again whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

import msgspec

from contracts.errors import BadInputError
from contracts.telemetry import Calibration
from telemetry.describing.book import Device, SensorBook

COLUMNS: Final = (
    "id", "template", "name", "site", "place", "topic", "serial", "certificate", "calibrated_on",
    "due_on", "uncertainty", "note",
)  # fmt: skip
_NEEDED: Final = ("id", "template")
MOST_BYTES: Final = 8 << 20


class BadSheetError(BadInputError):
    """A sheet that cannot be read; data has `line`, counted from 1 with the header."""

    code = "bad_sensor_sheet"


def write_sheet(devices: Iterable[Device]) -> str:
    """CSV with COLUMNS; calibration is that of the whole device."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in devices:
        worth = one.calibration.get("", Calibration())
        writer.writerow(
            (
                one.id, one.template, one.name, one.site, one.place, " ".join(one.topic), one.serial,
                worth.certificate, worth.calibrated_on, worth.due_on,
                "" if worth.uncertainty is None else f"{worth.uncertainty:g}", one.note,
            )
        )  # fmt: skip
    return out.getvalue()


def read_sheet(data: bytes, book: SensorBook) -> list[Device]:
    """Devices of a sheet; what it has no column for is kept as the book has it.

    Raises BadSheetError with the line: no UTF-8, a column missing, unknown or twice, an empty id, a
    date or number that is none, a device twice.
    """
    if len(data) > MOST_BYTES:
        raise BadSheetError(
            f"the sheet has {len(data)} bytes", mend=f"At most {MOST_BYTES} are taken"
        )
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        return list(_devices(rows, book))
    except UnicodeDecodeError as error:
        raise BadSheetError("the sheet is not UTF-8", mend='Save it as "CSV UTF-8"') from error
    except csv.Error as error:
        raise BadSheetError(
            f"the sheet is no CSV: {error}", mend="Save it as CSV with commas"
        ) from error


def _devices(rows: Iterator[list[str]], book: SensorBook) -> Iterator[Device]:
    head = [name.strip() for name in next(rows, [])]
    for name in head:
        if name not in COLUMNS or head.count(name) > 1:
            raise _bad(
                1,
                f"column {name!r} is none of the book's, or stands there twice",
                ", ".join(COLUMNS),
            )
    for name in _NEEDED:
        if name not in head:
            raise _bad(1, f"column {name!r} is missing", "The first line names the columns")
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(head):
            raise _bad(
                line, f"{len(row)} cells under {len(head)} columns", "Give each column a cell"
            )
        cells = {name: cell.strip() for name, cell in zip(head, row, strict=True)}
        if not cells["id"]:
            raise _bad(line, "the id is empty", "Give the name the sensor has in its topic")
        if cells["id"].lower() in seen:
            raise _bad(
                line, f"{cells['id']} stands in line {seen[cells['id'].lower()]} too", "Keep one"
            )
        seen[cells["id"].lower()] = line
        yield _device(line, cells, book)


def _device(line: int, cells: dict[str, str], book: SensorBook) -> Device:
    known = book.find(cells["id"]) or Device(cells["id"], cells["template"])
    plain = {
        name: cells[name]
        for name in ("template", "name", "site", "place", "serial", "note")
        if name in cells
    }
    if "topic" in cells:
        known = msgspec.structs.replace(known, topic=tuple(cells["topic"].split()))
    worth = _worth(line, cells, known.calibration.get("", Calibration()))
    others = {key: each for key, each in known.calibration.items() if key}
    told = {"": worth} if worth != Calibration() else {}
    return msgspec.structs.replace(known, **plain, calibration={**told, **others})


def _worth(line: int, cells: dict[str, str], known: Calibration) -> Calibration:
    for name in ("calibrated_on", "due_on"):
        if cells.get(name):
            _check_date(line, cells[name])
    found = replace(
        known,
        certificate=cells.get("certificate", known.certificate),
        calibrated_on=cells.get("calibrated_on", known.calibrated_on),
        due_on=cells.get("due_on", known.due_on),
    )
    if "uncertainty" not in cells:
        return found
    return replace(found, uncertainty=_number(line, cells["uncertainty"]))


def _check_date(line: int, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise _bad(line, f"{text!r} is no date", "Write it as 2026-11-22") from error


def _number(line: int, text: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise _bad(line, f"{text!r} is no number", "Write 0.2") from error
    if not 0 <= found < float("inf"):
        raise _bad(line, f"an uncertainty of {text} cannot be", "Write a number from 0 on")
    return found


def _bad(line: int, what: str, mend: str) -> BadSheetError:
    return BadSheetError(f"line {line}: {what}", mend=mend, line=line)
