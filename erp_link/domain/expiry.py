"""Expiry dates: goods may be used through the day printed on them, by the site's calendar."""

from __future__ import annotations

from datetime import date, datetime, tzinfo


def parse_expiry(text: str | None) -> date | None:
    """The ISO 8601 date in `text`; None where there is none, or it is not one."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_expired(expiry: date | None, *, now: datetime, zone: tzinfo) -> bool:
    """True from the first moment after the expiry day in the site's time zone."""
    return expiry is not None and expiry < now.astimezone(zone).date()


def safer(known: date | None, seen: date | None) -> date | None:
    """Two cartons of one batch say different dates: the earlier one counts for both."""
    if known is None or seen is None:
        return known or seen
    return min(known, seen)
