"""The account at the end: every reading acknowledged, on disk once, in history once, told once.

Nothing that the gateway counts is believed: the segments, the journal and the history are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from appliance.bench.ingest.kills.papers import cold_room, number_of
from appliance.bench.ingest.kills.senders import Account
from appliance.fences.guard import FenceGuard
from appliance.gateway.knowledge import kept_bundle
from appliance.identity.device import DeviceIdentity
from appliance.journal import file as journal_file
from appliance.journal.codec import decode_body
from appliance.layout import Layout
from appliance.teaching.trust import TrustedKeys
from contracts.telemetry import AlarmChanged
from telemetry.describing.catalogue import catalogue_of
from telemetry.ingest.counts import Counts
from telemetry.ingest.sieve import Sieve
from telemetry.segments.reading import read_groups
from telemetry.watching.engine import Engine

_MOST_TOLD = 20


@dataclass(slots=True)
class Verdict:
    """`faults` is empty where every promise was kept; each says which reading or alarm and how."""

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    """Acknowledged and not on disk."""
    twice: int = 0
    """On disk more than once."""
    alarms: int = 0
    alarms_wrong: int = 0
    """Changes in the journal that the readings do not give, or that they give and it has not, or
    twice.
    """
    history_rows: int | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults

    def fault(self, text: str) -> None:
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(text)


def judge(layout: Layout, accounts: Iterable[Account], *, alarms: bool = True) -> Verdict:
    """Read everything and compare. Blocks."""
    verdict = Verdict()
    on_disk = _on_disk(layout.segments)
    for account in accounts:
        counts = on_disk.get(account.device, Counter())
        verdict.sent += len(account.acked)
        verdict.acknowledged += sum(account.acked)
        verdict.stored += len(counts)
        for number, acked in enumerate(account.acked):
            if acked and not counts[number]:
                verdict.lost += 1
                verdict.fault(f"{account.device} {number} was acknowledged and is not on disk")
        for number, times in counts.items():
            if times > 1:
                verdict.twice += 1
                verdict.fault(f"{account.device} {number} is on disk {times} times")
    if alarms:
        _judge_alarms(layout, verdict)
    return verdict


def judge_history(verdict: Verdict, rows: int, *, per_message: int = 2) -> None:
    """`rows` readings stand in the history; each message gave `per_message` of them."""
    verdict.history_rows = rows
    expected = per_message * verdict.stored
    if rows != expected:
        verdict.fault(f"{rows} readings in the history, {expected} on disk")


def told_alarms(journal: Path) -> list[AlarmChanged]:
    """Changes of alarms in the order of a journal's entries."""
    db = journal_file.connect_reader(journal)
    try:
        rows = db.execute(f"{journal_file.SELECT} WHERE kind = 'alarm_changed' ORDER BY seq")
        entries = [journal_file.to_entry(row) for row in rows.fetchall()]
    finally:
        db.close()
    bodies = [decode_body(entry.kind, entry.body) for entry in entries]
    return [body for body in bodies if isinstance(body, AlarmChanged)]


def expected_alarms(layout: Layout) -> list[AlarmChanged]:
    """What the rules make of the segments, gone through once without a break."""
    identity = DeviceIdentity.open_or_create(layout.gateway / "identity", "gateway-01")
    bundle = kept_bundle(layout, identity)
    catalogue = catalogue_of(bundle.book.encode(), bundle.templates)
    guard = FenceGuard(layout.gateway / "fences", TrustedKeys(layout.gateway / "trust"))
    assert guard.fences() == (cold_room(),)  # noqa: S101 -- the campaign's own papers
    groups = iter(read_groups(layout.segments, None))
    first = next(groups, None)
    if first is None:
        return []
    engine = Engine(guard.fences(), book=catalogue.series, now_us=first.received_us)
    sieve = Sieve(catalogue, engine, Counts())
    changes: list[AlarmChanged] = []
    for group in chain((first,), groups):
        engine.tick(group.received_us)
        sieve.sift(group.messages, group.received_us, again=True)
        changes += engine.take_changes()
    return changes


def _judge_alarms(layout: Layout, verdict: Verdict) -> None:
    told = Counter(map(_mark, told_alarms(layout.gateway / "journal.db")))
    expected = Counter(map(_mark, expected_alarms(layout)))
    verdict.alarms = sum(told.values())
    wrong = (told - expected) + (expected - told)
    verdict.alarms_wrong = sum(wrong.values())
    for mark in wrong:
        verdict.fault(
            f"alarm {mark} stands {told[mark]} times in the journal, "
            f"the readings give it {expected[mark]} times"
        )


def _mark(change: AlarmChanged) -> tuple[str, int, str, int]:
    return change.alarm_id, change.number, str(change.change), change.at_us


def _on_disk(segments: Path) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {}
    for group in read_groups(segments, None):
        for address, payload in group.messages:
            parts = address.split("/")
            device = parts[1]
            found.setdefault(device, Counter())[number_of(payload)] += 1
    return found
