"""Expiry dates: goods may be used through the day printed on them, by the site's calendar.

What happens before that day is policy: 30 days before it people are warned, 15 days before it the
goods are frozen, 7 days before it they are taken off the shelf.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum

from contracts.errors import BadInputError


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


class Stage(StrEnum):
    """How far goods are towards their date; each stage has the colour that pages show."""

    FRESH = "fresh"
    WARN = "warn"
    FREEZE = "freeze"
    PULL = "pull"
    EXPIRED = "expired"

    @property
    def colour(self) -> str:
        """green, yellow, orange or red."""
        return _COLOURS[self]

    @property
    def rank(self) -> int:
        """A later stage has the higher rank."""
        return list(Stage).index(self)


_COLOURS = {
    Stage.FRESH: "green",
    Stage.WARN: "yellow",
    Stage.FREEZE: "orange",
    Stage.PULL: "red",
    Stage.EXPIRED: "red",
}
_MOST_DAYS = 10_000


@dataclass(frozen=True, slots=True)
class ExpiryPolicy:
    """Days left at which a stage begins, each counted in whole days of the site's calendar. 0 for
    a stage leaves it out.
    """

    warn_days: int = 30
    freeze_days: int = 15
    pull_days: int = 7

    def __post_init__(self) -> None:
        days = [d for d in (self.warn_days, self.freeze_days, self.pull_days) if d]
        if days != sorted(days, reverse=True) or any(not 0 <= d <= _MOST_DAYS for d in days):
            raise BadInputError(
                f"An expiry policy of {self.warn_days}, {self.freeze_days} and {self.pull_days} days",
                mend="Warn first, then freeze, then take off the shelf: 30, 15 and 7, or 0 for never",
            )


def days_left(expiry: date, *, now: datetime, zone: tzinfo) -> int:
    """Whole days from today to the expiry day in the site's zone; below 0 once it is over."""
    return (expiry - now.astimezone(zone).date()).days


def stage_of(expiry: date | None, policy: ExpiryPolicy, *, now: datetime, zone: tzinfo) -> Stage:
    """The stage of goods with this date. What has no date is fresh for ever."""
    if expiry is None:
        return Stage.FRESH
    left = days_left(expiry, now=now, zone=zone)
    if left < 0:
        return Stage.EXPIRED
    if left <= policy.pull_days and policy.pull_days:
        return Stage.PULL
    if left <= policy.freeze_days and policy.freeze_days:
        return Stage.FREEZE
    if left <= policy.warn_days and policy.warn_days:
        return Stage.WARN
    return Stage.FRESH
