"""Readers follow the history to its end: in order, with no gap, each at its own pace."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy import insert, select, text

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import HoldKind
from erp_link.adapters import tables as t
from erp_link.service import feed
from erp_link.service.core import Core
from erp_link.service.feed import FeedEvent
from erp_link.service.work import Work
from tests.erp_link.story import WATER


def tell(work: Work, what: str) -> None:
    work.event(what, Reason("story_session_closed"))


def told(core: Core, after: str = feed.START, *, limit: int = 500) -> list[str]:
    return [e.what for e in core.read(lambda c: feed.events_after(c, after, limit=limit))]


def test_an_event_tells_its_batch_and_its_move(core: Core) -> None:
    core.receive(WATER, 5, location="DOCK/1", by="op")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("dent"), by="qa")
    events = core.read(lambda c: feed.events_after(c, feed.START, limit=100))
    received = next(e for e in events if e.what == "received")
    assert received.batch == WATER
    assert received.by == "op"
    assert [(line.place.location, line.quantity) for line in received.lines] == [
        ("@supplier", -5),
        ("DOCK/1", 5),
    ]
    assert {"held", "blocked"} <= {e.what for e in events}
    positions = [e.position for e in events]
    assert positions == sorted(positions)


def test_a_reader_goes_on_where_it_was(core: Core) -> None:
    for name in ("one", "two", "three"):
        core.write(partial(tell, what=name), by="op")
    seen: list[str] = []

    def project(_work: Work, events: Sequence[FeedEvent]) -> None:
        seen.extend(e.what for e in events)

    assert feed.follow(core, "erp", project, limit=2) == 2
    assert feed.follow(core, "erp", project, limit=2) == 1
    assert feed.follow(core, "erp", project, limit=2) == 0
    assert seen == ["one", "two", "three"]
    assert feed.follow(core, "other", project, limit=9) == 3


def test_a_projection_that_fails_leaves_the_cursor(core: Core) -> None:
    core.write(lambda work: tell(work, "one"), by="op")

    def fails(_work: Work, _events: Sequence[FeedEvent]) -> None:
        raise BadInputError("no")

    with pytest.raises(BadInputError):
        feed.follow(core, "erp", fails)
    assert core.read(lambda c: feed.cursor(c, "erp")) == feed.START


def test_from_now_on(core: Core) -> None:
    assert core.read(feed.newest) == feed.START
    core.write(lambda work: tell(work, "before"), by="op")
    now = core.read(feed.newest)
    core.write(lambda work: tell(work, "after"), by="op")
    assert told(core, now) == ["after"]


def test_one_that_began_first_and_commits_last_is_not_skipped(on_postgres: Core) -> None:
    """The gap that a cursor over event numbers has on PostgreSQL; SQLite lets one write at a time."""
    core = on_postgres
    begun, go_on = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        tell(work, "slow")
        begun.set()
        go_on.wait(30)

    writer = threading.Thread(target=lambda: core.write(slow, by="slow"))
    writer.start()
    begun.wait(30)
    core.write(lambda work: tell(work, "quick"), by="quick")
    before = told(core)
    go_on.set()
    writer.join()
    assert before == []
    assert told(core) == ["slow", "quick"]


def test_a_writer_may_read_the_feed_after_it_wrote(core: Core) -> None:
    core.write(lambda work: tell(work, "one"), by="op")

    def act(work: Work) -> None:
        tell(work, "two")
        found = feed.events_after(work.connection, feed.START, limit=9)
        assert next(iter(found)).what == "one"

    core.write(act, by="op")
    assert told(core) == ["one", "two"]


def test_a_database_restored_elsewhere_is_told_and_put_right(
    on_postgres: Core, clock: FixedClock
) -> None:
    core = on_postgres
    core.write(lambda work: tell(work, "old"), by="op")
    read_to = core.read(feed.newest)
    core.write(lambda work: feed.keep_cursor(work, "erp", read_to), by="erp")
    ahead = {"at": clock.now(), "what": "ahead", "by": "x", "code": "c", "params": {}}
    core.write(
        lambda work: work.connection.execute(insert(t.event).values(**ahead, txid=10**12)), by="op"
    )
    core.write(lambda work: tell(work, "new"), by="op")
    with pytest.raises(ConflictError, match="restored"):
        told(core)
    assert core.write(feed.rebase, by="hub") == 1
    core.write(lambda work: tell(work, "later"), by="op")
    assert told(core, core.read(lambda c: feed.cursor(c, "erp"))) == ["ahead", "new", "later"]
    assert told(core, core.read(feed.newest)) == []
    assert told(core, limit=2) == ["old", "ahead"]
    assert told(core) == ["old", "ahead", "new", "later"]
    assert core.write(feed.rebase, by="hub") == 0


@pytest.mark.parametrize("position", ["x", "0" * 31, "z" * 32])
def test_a_position_that_is_none(core: Core, position: str) -> None:
    with pytest.raises(BadInputError, match="position"):
        told(core, position)


def test_two_hubs_project_an_event_once(core: Core) -> None:
    for _ in range(20):
        core.write(lambda work: tell(work, "x"), by="op")

    def project(work: Work, events: Sequence[FeedEvent]) -> None:
        for each in events:
            values = {"key": each.position, "request_hash": "", "at": work.now}
            work.connection.execute(insert(t.command).values(**values))

    def run() -> None:
        while feed.follow(core, "outbox", project, limit=3):
            pass

    hubs = [threading.Thread(target=run) for _ in range(4)]
    for hub in hubs:
        hub.start()
    for hub in hubs:
        hub.join()
    rows = core.read(lambda c: c.execute(select(t.command.c.key)).scalars().all())
    assert len(rows) == 20


def test_the_feed_reads_by_an_index(on_postgres: Core) -> None:
    core = on_postgres
    found = core.read(
        lambda c: (
            c.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = 'event'"))
            .scalars()
            .all()
        )
    )
    assert any("(txid, id)" in each for each in found)
