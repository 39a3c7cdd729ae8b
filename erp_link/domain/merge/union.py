"""The union of device logs by entry id: what hangs together, what waits, who is suspect (I6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.device_log import Carried, Fact
from erp_link.domain.merge.chains import Chain, Link, admit
from erp_link.domain.merge.entries import Entry


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of a log, its signature checked."""

    entry_id: str
    device: str
    seq: int
    previous: str
    by: str
    fact: Fact
    at_us: int = 0

    @property
    def link(self) -> Link:
        return Link(self.seq, self.entry_id, self.previous)


@dataclass(frozen=True, slots=True)
class Union:
    """`entries` are those that count; `chains` say of each device what waits."""

    entries: tuple[Entry, ...]
    chains: Mapping[str, Chain]

    @property
    def suspect_from(self) -> dict[str, int]:
        """The first number of each device's log that two histories have."""
        return {
            device: chain.suspect_from
            for device, chain in self.chains.items()
            if chain.suspect_from is not None
        }


def unite(logs: Iterable[Written]) -> Union:
    """Bring logs together: the same for any order, any parts, any repetition."""
    known = {each.entry_id: each for each in logs}
    by_device: dict[str, list[Written]] = {}
    for each in known.values():
        by_device.setdefault(each.device, []).append(each)
    chains = {device: admit(each.link for each in log) for device, log in sorted(by_device.items())}
    entries: dict[str, Entry] = {}
    for chain in chains.values():
        for link in chain.hanging:
            each = known[link.entry_id]
            entries[each.entry_id] = as_entry(each, entries.get(each.previous))
    return Union(tuple(entries.values()), chains)


def as_entry(each: Written, before: Entry | None) -> Entry:
    """An entry with what its device knew: from the last time that it was told, on its branch."""
    seen: Mapping[str, int] = before.seen if before is not None else {}
    if isinstance(each.fact, Carried):
        seen = each.fact.seen
    return Entry(each.entry_id, each.device, each.seq, each.by, each.fact, seen, each.at_us)
