"""Holds and releases of devices that were offline (I1): holds are add-wins.

A release names the holds it saw. A hold that nobody named stands, whoever released its neighbours,
and a release by somebody who may not lifts nothing. What the site asks of a decision at the hub, the
person's own signature and a second person, it asks of a release offline too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from contracts.device_log import Held, Released, hold_id_of
from contracts.stock import BatchKey, HoldKind, UsageDecision
from erp_link.domain.merge.entries import Entry, knows
from erp_link.domain.quality.policy import DecisionPolicy

MAY_RELEASE = frozenset({"quality"})


@dataclass(frozen=True, slots=True)
class ReleaseRule:
    """What a site asks before a hold is lifted. `signed`: a log is signed with the key of its
    device, which stands for the person who enrolled it and for nobody else. `people`: so many of
    them, each with a device of their own, have to name a hold.
    """

    signed: bool = False
    people: int = 1

    @classmethod
    def of(cls, policy: DecisionPolicy) -> ReleaseRule:
        """A release offline names holds, not units: where two people release from some quantity
        on, two release offline always.
        """
        return cls(policy.signed, 2 if UsageDecision.RELEASE in policy.two_people else 1)


@dataclass(frozen=True, slots=True)
class HoldSeen:
    """An open hold of the core or of a device. `entry` is the device's entry that added it."""

    hold_id: str
    kind: HoldKind
    batch: BatchKey | None = None
    supplier: str = ""
    entry: Entry | None = None

    def covers(self, batch: BatchKey) -> bool:
        """True when some goods of the batch are on hold by it, wherever they stand."""
        if self.kind is HoldKind.SUPPLIER:
            return self.supplier == batch.supplier
        return self.batch == batch


def holds_of(entries: Iterable[Entry]) -> list[HoldSeen]:
    """The holds that entries add, by their ids."""
    found = [
        HoldSeen(
            hold_id_of(entry.entry_id),
            entry.fact.kind,
            entry.fact.batch,
            entry.fact.supplier,
            entry,
        )
        for entry in entries
        if isinstance(entry.fact, Held)
    ]
    return sorted(found, key=lambda hold: hold.hold_id)


def may_release(
    entry: Entry,
    roles: Mapping[str, frozenset[str]],
    suspect_from: Mapping[str, int],
    owners: Mapping[str, str],
    rule: ReleaseRule,
) -> bool:
    """Whether a device's word counts towards lifting holds: enrolled by quality, not from a number
    on that two histories have, and, where decisions are signed, given by the device's own person.
    """
    limit = suspect_from.get(entry.device)
    trusted = limit is None or entry.seq < limit
    own = not rule.signed or owners.get(entry.device) == entry.by
    return trusted and own and bool(MAY_RELEASE & roles.get(entry.device, frozenset()))


def are_enough(good: Iterable[Entry], owners: Mapping[str, str], rule: ReleaseRule) -> bool:
    """Whether these releases of one hold, each of which counts, lift it together."""
    return len({owners.get(entry.device, entry.device) for entry in good}) >= rule.people


def released(
    entries: Iterable[Entry],
    allowed: Callable[[Entry], bool],
    owners: Mapping[str, str],
    rule: ReleaseRule,
) -> tuple[set[str], set[str]]:
    """The ids of the holds that are lifted, and of those that wait for a second person; holds not
    heard of yet included.
    """
    naming: dict[str, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.fact, Released) and allowed(entry):
            for hold_id in entry.fact.holds:
                naming.setdefault(hold_id, []).append(entry)
    lifted = {name for name, good in naming.items() if are_enough(good, owners, rule)}
    return lifted, naming.keys() - lifted


def overtaken(
    release: Entry, named: Iterable[HoldSeen], still_open: Iterable[HoldSeen]
) -> tuple[HoldSeen, ...]:
    """The open holds on what a release freed that it did not see, and that did not see it."""
    if not isinstance(release.fact, Released):
        raise TypeError(f"{release.entry_id} is no release")
    freed = {hold.batch for hold in named if hold.batch is not None}
    return tuple(
        hold
        for hold in still_open
        if hold.hold_id not in release.fact.holds
        and hold.entry is not None
        and not knows(hold.entry, release)
        and not knows(release, hold.entry)
        and any(hold.covers(batch) for batch in freed)
    )
