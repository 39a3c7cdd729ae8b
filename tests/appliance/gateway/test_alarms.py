"""An alarm stands in the journal once, however often the readings are gone through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.bench.ingest.kills.judge import told_alarms
from appliance.gateway.alarms import JournalSink
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from contracts.clock import SystemClock
from contracts.errors import JournalError
from contracts.telemetry import AlarmChange, AlarmChanged, AlarmEffect, SeriesKey

RAISED = AlarmChanged(
    alarm_id="a" * 16,
    number=0,
    change=AlarmChange.RAISED,
    fence="cold-room",
    fence_version=1,
    fence_sha256="0" * 64,
    kind="above",
    severity="warning",
    effect=AlarmEffect.EXCURSION,
    series=SeriesKey("probe-1", "temperature"),
    unit="Cel",
    site="dock",
    place="A-01",
    since_us=1_000_000,
    at_us=2_000_000,
    value=9.5,
)
CLEARED = replace(RAISED, number=1, change=AlarmChange.CLEARED, at_us=3_000_000)


@pytest.fixture
def identity(tmp_path):
    return DeviceIdentity.open_or_create(tmp_path / "identity", "gateway-01")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


async def test_changes_are_durable_in_their_order_when_they_are_told(identity, path):
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        sink = await JournalSink.open(journal)
        await sink.tell([RAISED, CLEARED])
        assert told_alarms(path) == [RAISED, CLEARED]


async def test_what_is_told_again_after_a_restart_is_known(identity, path):
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        await (await JournalSink.open(journal)).tell([RAISED])
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        sink = await JournalSink.open(journal)
        other = replace(RAISED, alarm_id="b" * 16)
        await sink.tell([RAISED, CLEARED, other])
        await sink.tell([CLEARED])
        assert sink.repeated == 2
    assert told_alarms(path) == [RAISED, CLEARED, other]


async def test_what_the_journal_does_not_take_is_told_again(identity, path):
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        sink = await JournalSink.open(journal)
        journal.close()
        with pytest.raises(JournalError):
            await sink.tell([RAISED])
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        await (await JournalSink.open(journal)).tell([RAISED])
    assert told_alarms(path) == [RAISED]


async def test_what_no_journal_can_take_is_counted_and_holds_up_nothing_behind_it(identity, path):
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        sink = await JournalSink.open(journal)
        await sink.tell([replace(RAISED, alarm_id="b" * 16, worst=float("inf")), RAISED])
        assert sink.refused == 1
    assert told_alarms(path) == [RAISED]
