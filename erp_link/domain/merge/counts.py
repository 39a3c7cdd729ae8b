"""Counts of one cell. Each became a difference against what its device showed at that moment.

A count adds to the counts it knew of. Counts that did not know of each other are not added up,
since both may have found the same goods missing: until somebody has counted again, the most that
any of them missed is taken, and the least that any of them found is added. So the books never
promise goods that one of the counters did not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.device_log import Counted
from erp_link.domain.merge.entries import Entry, Touch, concurrent, knows


@dataclass(frozen=True, slots=True)
class Settled:
    """What the counts of a cell come to. `heads` are those that no other count knew of; `differ`
    when they contradict each other.
    """

    taken: int = 0
    added: int = 0
    heads: tuple[Entry, ...] = ()
    differ: bool = False


def settle(counts: Sequence[Entry]) -> Settled:
    """The same for the same set of counts; `taken` never falls when one more is known."""
    known = {count.entry_id: count for count in counts}
    past = _pasts(known)
    totals: dict[str, tuple[int, int]] = {}
    # A count comes after all that it knew of, even where a forged log makes two know each other.
    order = sorted(known, key=lambda c: (len(past[c]), known[c].device, known[c].seq, c))
    for name in order:
        before = [totals[c] for c in _heads(past[name], past) if c in totals]
        change = _change(known[name])
        taken, added = _joined(before)
        totals[name] = (taken + max(0, -change), added + max(0, change))
    heads = sorted(_heads(set(known), past))
    taken, added = _joined([totals[c] for c in heads])
    return Settled(
        taken,
        added,
        tuple(known[c] for c in heads),
        differ=len({totals[c] for c in heads}) > 1,
    )


def crossing(settled: Settled, moved: Sequence[Touch]) -> tuple[Touch, ...]:
    """What others did in the cell, of which the newest counts did not know and which did not know
    of them: whether the goods were counted before or after, nobody can say.
    """
    return tuple(
        touch
        for touch in moved
        if (touch.taken or touch.added)
        and any(concurrent(head, touch.entry) for head in settled.heads)
    )


def _change(count: Entry) -> int:
    if not isinstance(count.fact, Counted):
        raise TypeError(f"{count.entry_id} is no count")
    return count.fact.counted - count.fact.expected


def _pasts(known: dict[str, Entry]) -> dict[str, set[str]]:
    """Of each count, all that it knew of, through others too; sets are bits of an integer."""
    names = sorted(known, key=lambda c: (known[c].seq, known[c].device, c))
    direct = [
        sum(1 << j for j, other in enumerate(names) if j != i and knows(known[name], known[other]))
        for i, name in enumerate(names)
    ]
    past = list(direct)
    changed = True
    while changed:
        changed = False
        for i in sorted(range(len(names)), key=lambda i: direct[i].bit_count()):
            more = past[i]
            for j in _bits(direct[i]):
                more |= past[j]
            more &= ~(1 << i)
            if more != past[i]:
                past[i], changed = more, True
    return {name: {names[j] for j in _bits(past[i])} for i, name in enumerate(names)}


def _bits(number: int) -> list[int]:
    found = []
    while number:
        lowest = number & -number
        found.append(lowest.bit_length() - 1)
        number ^= lowest
    return found


def _heads(among: set[str], past: dict[str, set[str]]) -> list[str]:
    heads = [c for c in among if not any(c in past[other] for other in among if other != c)]
    return heads or list(among)


def _joined(totals: Sequence[tuple[int, int]]) -> tuple[int, int]:
    if not totals:
        return 0, 0
    return max(taken for taken, _ in totals), min(added for _, added in totals)
