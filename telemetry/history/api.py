"""History over HTTP, for a loopback port of the gateway: the hub's pages and programs ask it.

Times are microseconds since 1970 UTC. Charts ask `/history`, lists `/series`, reports `/readings`,
spreadsheets `/export.csv`; `/store` tells what is kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from contracts.errors import BadInputError
from contracts.telemetry import SeriesKey
from telemetry.history.reader import MOST_POINTS, History, Known

_LATEST_US: Final = 1 << 53
"""Beyond this a script's numbers are no longer exact."""
_ROWS: Final = 2_000

Text = Annotated[str, Query(max_length=200)]
Time = Annotated[int, Query(ge=0, lt=_LATEST_US)]


def history_router(history: History, *, prefix: str = "") -> APIRouter:
    """Routes that answer from one history. They run in threads: a long question holds nobody up."""
    router = APIRouter(prefix=prefix)

    @router.get("/series")
    def series(device: Text = "") -> Response:
        """Every series, or those of one device, with the newest value on disk."""
        found = [each for each in history.known() if device in ("", each.line.key.device)]
        return _json([_known(each) for each in found])

    @router.get("/history")
    def envelope(
        device: Text,
        quantity: Text,
        from_us: Time,
        to_us: Time,
        channel: Text = "",
        points: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 1000,
    ) -> Response:
        """telemetry.history.reader.Envelope of about `points` points."""
        _check(from_us, to_us)
        key = SeriesKey(device, quantity, channel)
        return _json(history.history(key, from_us, to_us, points))

    @router.get("/readings")
    def readings(place: Text, quantity: Text, from_us: Time, to_us: Time) -> Response:
        """Minutes of the probes that stood at a place, with their calibration."""
        _check(from_us, to_us)
        return _json(history.readings(place, quantity, from_us, to_us))

    @router.get("/export.csv")
    def export(
        device: Text, quantity: Text, from_us: Time, to_us: Time, channel: Text = ""
    ) -> StreamingResponse:
        """Everything that is kept between two times, at the finest level that reaches back."""
        _check(from_us, to_us)
        key = SeriesKey(device, quantity, channel)
        level, unit, rows = history.rows(key, from_us, to_us)
        return StreamingResponse(
            _csv(key, unit, str(level), rows), media_type="text/csv; charset=utf-8"
        )

    @router.get("/store")
    def store() -> Response:
        """Files, rows, bytes and reach of each level, how long each is kept, and the counts."""
        return _json(history.stored())

    return router


def _check(from_us: int, to_us: int) -> None:
    if from_us >= to_us:
        raise BadInputError(
            f"from_us {from_us} is not before to_us {to_us}", mend="Give the earlier time first"
        )


def _known(each: Known) -> dict[str, object]:
    standing, last = each.standing, each.last
    return {
        "id": each.line.id,
        "device": each.line.key.device,
        "quantity": each.line.key.quantity,
        "channel": each.line.key.channel,
        "unit": each.line.unit,
        "place": standing.place if standing else "",
        "calibration": standing.calibration if standing else None,
        "at_us": last.at_us if last else None,
        "received_us": last.received_us if last else None,
        "value": last.value if last else None,
    }


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


COLUMNS: Final = (
    "time", "device", "quantity", "channel", "unit", "level", "least", "most", "mean", "count",
)  # fmt: skip


def _csv(
    key: SeriesKey, unit: str, level: str, rows: Iterator[tuple[int, float, float, float, int]]
) -> Iterator[str]:
    """In pieces; the first error of the database comes before the first piece is sent."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    names = [_safe(each) for each in (key.device, key.quantity, key.channel, unit)]
    for n, (at_us, least, most, mean, count) in enumerate(rows):
        moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
        time = f"{moment:%Y-%m-%dT%H:%M:%S}.{at_us % 1_000_000:06d}Z"
        writer.writerow([time, *names, level, repr(least), repr(most), repr(mean), count])
        if n % _ROWS == _ROWS - 1:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _safe(text: str) -> str:
    """A spreadsheet must not take a sensor's name for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
