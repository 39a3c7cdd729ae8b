"""A logger's export as lines, one a day: what it counted itself, under stable names."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.excursions.fridge_tag import FridgeTag


def day_lines(name: str, tag: FridgeTag) -> Iterator[dict[str, object]]:
    """Oldest day first; `alarm_<n>_minutes` are the logger's own."""
    for day in tag.days:
        line: dict[str, object] = {
            "file": name,
            "serial": tag.serial,
            "day": day.day.isoformat(),
            "least": day.least,
            "most": day.most,
            "mean": day.mean,
        }
        for limit in tag.limits:
            told = day.alarms[limit.number]
            line[f"alarm_{limit.number}_limit"] = limit.celsius
            line[f"alarm_{limit.number}_minutes"] = told.minutes
            line[f"alarm_{limit.number}_begun"] = (
                told.begun.isoformat(timespec="minutes") if told.begun else ""
            )
        yield line | {"silent_minutes": day.silent}
