"""What building sensors say: which device measured what, where, when, and what a watch made of it.

Units are UCUM codes as SenML (RFC 8428, 12.1) writes them (`Cel`, `%RH`, `ppm`, `Pa`, `kg`, `lx`),
and one quantity has one unit everywhere behind the template that read it. Times are microseconds
since 1970 UTC: a quarter of a million readings a second leave no room for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """One line of a chart: what one probe of one device measures."""

    device: str
    quantity: str
    """The field's own word: temperature, humidity, co2, pressure, door_open, battery..."""
    channel: str = ""
    """Which of several probes; empty where there is one."""

    def __str__(self) -> str:
        return f"{self.device}/{self.quantity}" + (f"/{self.channel}" if self.channel else "")


@dataclass(frozen=True, slots=True)
class SensorReading:
    """One value as it was accepted."""

    series: SeriesKey
    value: float
    unit: str
    at_us: int
    """The sensor's own time where it has one that can be right, else when it came in."""
    received_us: int
    sequence: int | None = None
    """The device's own number of the message, where its template names one (I2)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a value of this sensor is worth. Dates are ISO 8601; empty: nobody told."""

    certificate: str = ""
    calibrated_on: str = ""
    due_on: str = ""
    uncertainty: float | None = None
    """Expanded (k = 2), in the unit of the quantity."""


@dataclass(frozen=True, slots=True)
class TracePoint:
    """What was measured in one minute."""

    at_us: int
    """Start of the minute."""
    least: float
    most: float
    mean: float
    count: int


class AlarmChange(StrEnum):
    RAISED = "raised"
    CONTINUES = "continues"
    """Still going: told again with what was measured since, so that nobody waits for its end."""
    ESCALATED = "escalated"
    CLEARED = "cleared"


class AlarmEffect(StrEnum):
    """What a fence asks the core to do, beside showing it."""

    NONE = "none"
    TICKET = "ticket"
    """A QC ticket."""
    WORK_ORDER = "work_order"
    """Somebody must see to the building: a door, a leak, a freezer."""
    EXCURSION = "excursion"
    """The batches that were there meanwhile are measured against their limits, and held."""


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """A fence was crossed, goes on, or is quiet again: one body of a gateway's journal.

    `alarm_id` names one alarm from raised to cleared and is the same however often the same
    readings are gone through: (fence, version, series, time of the first reading). `number` counts
    the changes of one alarm, so `(alarm_id, number)` is known twice (I2).
    """

    alarm_id: str
    number: int
    change: AlarmChange
    fence: str
    """Id of the fence; `fence_version` and `fence_sha256` say which text of it was signed (I5)."""
    fence_version: int
    fence_sha256: str
    kind: str
    """above, below, rate, missing or expression."""
    severity: str
    """info, warning or critical."""
    effect: AlarmEffect
    series: SeriesKey
    unit: str
    site: str
    place: str
    """Location or zone of the core that the sensor stands in; empty: not placed."""
    since_us: int
    """Where it began: the first reading beyond the limit, before its for-duration ran out."""
    at_us: int
    """Of this change."""
    value: float | None = None
    """Newest value; None where readings are missing."""
    limit: float | None = None
    worst: float | None = None
    """Farthest beyond the limit since it began."""
    trace: tuple[TracePoint, ...] = ()
    """Minutes since the change before, so that the core can measure without the gateway."""
    calibration: Calibration = Calibration()
    batch: str = ""
    """`supplier/GTIN/lot` where the fence is about one batch."""
    product: str = ""
    """GTIN where the fence is about a product."""
