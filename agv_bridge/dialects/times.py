"""When a line says that something happened: ISO 8601, seconds since 1970, or a format. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agv_bridge.dialects.fields import FieldError

_UNITS: Final = {"s": 1.0, "ms": 1e3, "us": 1e6}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """`iso`, `s`, `ms`, `us`, or a pattern such as `%d.%m.%Y %H:%M:%S`.

    A time that names no zone is of `zone`. Of the hour that comes twice in autumn the first is meant,
    since the text does not say.
    """

    text: str
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str, zone: str) -> TimeFormat:
        """Raises FieldError: no such format or zone."""
        if text not in _UNITS and text != "iso" and "%" not in text:
            raise FieldError(
                f'{text!r} is no format of a time: "iso", "s", "ms", "us" or "%d.%m.%Y"'
            )
        try:
            return cls(text, ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise FieldError(f"{zone!r} is no time zone, such as Europe/Berlin") from error

    def read(self, text: str) -> datetime | None:
        """The moment in UTC; None where the text is no time of this format."""
        try:
            if self.text in _UNITS:
                return _EPOCH + timedelta(seconds=float(text) / _UNITS[self.text])
            if self.text == "iso":
                at = datetime.fromisoformat(text)
            else:
                at = datetime.strptime(text, self.text)  # noqa: DTZ007 -- the zone comes next
            return (at.replace(tzinfo=self.zone) if at.tzinfo is None else at).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
