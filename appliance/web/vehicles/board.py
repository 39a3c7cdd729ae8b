"""What the page of credentials shows: who is enrolled beside who was heard. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.vehicles.registry import Enrolled
from appliance.web.vehicles.ports import Seen

SHOWS: Final = ("all", "silent", "revoked", "stations")


@dataclass(frozen=True, slots=True)
class Row:
    """One who is or was enrolled. `online` and `heard_at` are of vehicles only: the bridge does not
    hear a station as such.
    """

    one: Enrolled
    online: bool
    heard_at: datetime | None

    @property
    def state(self) -> str:
        """revoked, station, online, heard (and gone since) or silent (never heard)."""
        if self.one.is_revoked:
            return "revoked"
        if self.one.kind == "station":
            return "station"
        if self.online:
            return "online"
        return "silent" if self.heard_at is None else "heard"

    @property
    def text(self) -> str:
        """What the list's filter looks at."""
        one = self.one
        return f"{one.name} {one.note} {one.enrolled_by} {one.why}"


def rows_of(enrolled: Iterable[Enrolled], seen: Iterable[Seen]) -> list[Row]:
    """By name; those who were revoked last."""
    heard = {each.name: each for each in seen}
    rows = [
        Row(one, one.name in heard and heard[one.name].online, heard[one.name].at)
        if one.name in heard
        else Row(one, online=False, heard_at=None)
        for one in enrolled
    ]
    return sorted(rows, key=lambda row: (row.one.is_revoked, row.one.name.lower()))


def strangers(enrolled: Iterable[Enrolled], seen: Iterable[Seen]) -> Sequence[Seen]:
    """Vehicles that were heard and are not enrolled: on a broker that asks nobody for a name, or one
    whose rules are older than the list.
    """
    known = {one.name for one in enrolled if not one.is_revoked}
    return [each for each in seen if each.name not in known]


def fits(row: Row, shown: str) -> bool:
    """Whether a row belongs to one of SHOWS."""
    match shown:
        case "silent":
            return row.state in {"silent", "heard"}
        case "revoked":
            return row.state == "revoked"
        case "stations":
            return row.one.kind == "station"
        case _:
            return True
