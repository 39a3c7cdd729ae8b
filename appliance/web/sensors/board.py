"""What the list of sensors shows: the book's entries beside what the gateway last heard of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from appliance.web.charts.gateway import SeriesCard
from telemetry.describing.book import Device, SensorBook
from telemetry.describing.template import Template

SOON_DAYS: Final = 30
"""A calibration that falls due within these days is shown as due soon."""
LOW_PERCENT: Final = 20.0
LOW_VOLT: Final = 2.7
_SHOWN_VALUES: Final = 3
_POWER: Final = frozenset({"battery", "battery_voltage"})


@dataclass(frozen=True, slots=True)
class Row:
    """One sensor of the list."""

    device: Device
    kind: str
    """What it is bought for; "" where its template is unknown."""
    values: tuple[SeriesCard, ...]
    """The first few, without the battery."""
    more: int
    """How many values are not among them."""
    battery: SeriesCard | None
    calibration: str
    """overdue, soon, kept or none."""
    due_on: str
    at_us: int | None
    """When it was last heard, microseconds since 1970 UTC."""

    @property
    def battery_low(self) -> bool:
        known = self.battery
        if known is None or known.value is None:
            return False
        return known.value < (LOW_PERCENT if known.quantity == "battery" else LOW_VOLT)

    @property
    def text(self) -> str:
        """What the list's filter looks at."""
        one = self.device
        return f"{one.id} {one.name} {one.place} {one.site} {one.template} {one.serial} {self.kind}"


SHOWS: Final = ("all", "overdue", "battery", "silent", "unplaced", "retired")


def rows_of(
    book: SensorBook, templates: Mapping[str, Template], cards: Iterable[SeriesCard], today: date
) -> list[Row]:
    """Every entry of the book, by place and name."""
    heard: dict[str, list[SeriesCard]] = {}
    for card in cards:
        heard.setdefault(card.device.lower(), []).append(card)
    rows = [_row(one, templates, heard.get(one.id.lower(), []), today) for one in book.device]
    rows.sort(key=lambda row: (row.device.retired, row.device.place, row.device.id))
    return rows


def fits(row: Row, shown: str) -> bool:
    """Whether a row belongs to one of SHOWS."""
    match shown:
        case "overdue":
            return row.calibration in {"overdue", "soon"} and not row.device.retired
        case "battery":
            return row.battery_low and not row.device.retired
        case "silent":
            return row.at_us is None and not row.device.retired
        case "unplaced":
            return not row.device.place and not row.device.retired
        case "retired":
            return row.device.retired
        case _:
            return True


def _row(
    device: Device, templates: Mapping[str, Template], cards: list[SeriesCard], today: date
) -> Row:
    template = templates.get(device.template)
    shown = [card for card in cards if card.quantity not in _POWER and card.value is not None]
    power = next((c for c in cards if c.quantity in _POWER and c.value is not None), None)
    state, due = _calibration(device, today)
    times = [card.at_us for card in cards if card.at_us is not None]
    return Row(
        device,
        template.file.kind.value if template else "",
        tuple(shown[:_SHOWN_VALUES]),
        max(0, len(shown) - _SHOWN_VALUES),
        power,
        state,
        due,
        max(times, default=None),
    )


def _calibration(device: Device, today: date) -> tuple[str, str]:
    """The state of the calibration that falls due first, and that day."""
    due = sorted(each.due_on for each in device.calibration.values() if each.due_on)
    if not due:
        return ("kept" if device.calibration else "none"), ""
    try:
        first = date.fromisoformat(due[0])
    except ValueError:
        return "none", due[0]
    if first < today:
        return "overdue", due[0]
    return ("soon" if first <= today + timedelta(days=SOON_DAYS) else "kept"), due[0]
