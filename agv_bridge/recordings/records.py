"""Lines -> records: recorded MQTT messages, objects, rows. Each is read alone, or refused alone."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from agv_bridge.dialects.file import DialectFile
from agv_bridge.dialects.reading import Line
from agv_bridge.recordings.lines import RawLine
from contracts.reason import Reason

_TIMES: Final = ("timestamp", "tst", "time")
"""Where recorders write when a message came in; mosquitto_sub writes `tst`."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line that was read, or why it was not."""

    line: Line
    payload: bytes | None = None
    """Of a session's message; None in a log."""
    problem: Reason | None = None
    is_names: bool = False
    """A CSV log's line of names."""


class _UnreadableError(ValueError):
    def __init__(self, code: str, **params: str | float) -> None:
        super().__init__(code)
        self.reason = Reason(code, params)


def read_records(lines: Iterable[RawLine], file: DialectFile | None) -> Iterator[Record]:
    """Every line as a record. Without a dialect: a recorded session of VDA 5050."""
    rows = _Rows(file) if file is not None and file.format == "csv" else None
    for raw in lines:
        if raw.problem is not None:
            yield Record(Line(raw.number, None), problem=raw.problem)
            continue
        try:
            if rows is not None:
                row = rows.read(raw.data)
                yield Record(Line(raw.number, row), is_names=row is None)
            elif file is not None and file.format == "json":
                yield Record(Line(raw.number, _object(_recoded(raw.data, file.encoding))))
            else:
                encoding = file.encoding if file is not None else "utf-8"
                yield _message(raw.number, _recoded(raw.data, encoding))
        except _UnreadableError as error:
            yield Record(Line(raw.number, None), problem=error.reason)


class _Rows:
    """The rows of a CSV log by their columns. A row is one line: a break inside of quotation marks
    is refused, so that a mark too many costs one line and not the rest of the file.
    """

    def __init__(self, file: DialectFile) -> None:
        self._file = file
        self._columns: tuple[str, ...] = file.columns

    def read(self, data: bytes) -> dict[str, object] | None:
        """None for the line of names. Raises _UnreadableError."""
        try:
            text = data.decode(self._file.encoding)
        except UnicodeDecodeError as error:
            raise _not_encoded(self._file.encoding, error) from error
        try:
            (cells,) = csv.reader([text], delimiter=self._file.separator, strict=True)
        except (csv.Error, ValueError) as error:
            raise _UnreadableError("agv_row_unreadable", why=str(error)[:200]) from error
        if not self._columns:
            self._columns = tuple(cell.strip() for cell in cells)
            return None
        if len(cells) != len(self._columns):
            raise _UnreadableError("agv_row_columns", found=len(cells), wanted=len(self._columns))
        return dict(zip(self._columns, cells, strict=True))


def _message(number: int, data: bytes) -> Record:
    value = _object(data)
    topic = value.get("topic")
    if not isinstance(topic, str):
        raise _UnreadableError("agv_record_field", field="topic")
    if "payload" not in value:
        raise _UnreadableError("agv_record_field", field="payload")
    stamp = next((value[name] for name in _TIMES if value.get(name) is not None), None)
    at = _time(stamp)
    if at is None:
        raise _UnreadableError("agv_record_field", field="timestamp")
    payload = value["payload"]
    raw = payload.encode(errors="replace") if isinstance(payload, str) else _written(payload)
    return Record(Line(number, payload, at, topic), raw)


def payload_of(record: Record) -> Line:
    """The line with its payload read as JSON, anew each time; one that is none stays a text."""
    try:
        value = msgspec.json.decode(record.payload or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = record.line.value
    return Line(record.line.number, value, record.line.at, record.line.topic)


def _object(data: bytes) -> dict[str, object]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _UnreadableError("agv_line_not_json", why=str(error)[:200]) from error
    if not isinstance(value, dict):
        raise _UnreadableError("agv_line_no_object")
    return value


def _written(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise _UnreadableError("agv_line_not_json", why=str(error)[:200]) from error


def _recoded(data: bytes, encoding: str) -> bytes:
    """JSON is UTF-8; a log that is not says so."""
    if encoding == "utf-8":
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise _not_encoded(encoding, error) from error


def _not_encoded(encoding: str, error: UnicodeDecodeError) -> _UnreadableError:
    return _UnreadableError("agv_line_encoding", encoding=encoding, byte=error.start + 1)


def _time(value: object) -> datetime | None:
    """ISO 8601, or seconds since 1970."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
