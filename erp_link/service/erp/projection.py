"""From the feed of events to the messages that follow from them, in one transaction with the
feed's cursor: each fact is told exactly once (I2).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from erp_link.adapters import erp_tables as e
from erp_link.adapters import exchange_tables as x
from erp_link.domain.erp.messages import MessageKind, Zone
from erp_link.domain.erp.zones import Flow, flows
from erp_link.service.erp import outbox, pending
from erp_link.service.erp.facts import Facts
from erp_link.service.feed import FeedEvent, follow, keep_cursor, newest
from erp_link.service.store import Store
from erp_link.service.work import Work, find_batch

CONSUMER = "erp"
_INSIDE = frozenset({Zone.FREE, Zone.QUARANTINE})


def tell(store: Store, prefix: str) -> int:
    """Write what follows from everything that happened since the last time; how many events."""

    def project(work: Work, events: Sequence[FeedEvent]) -> None:
        facts = Facts(work.connection, prefix)
        for event in events:
            _project(work, facts, event)

    seen = 0
    while step := follow(store, CONSUMER, project):
        seen += step
    if store.read(_anything_pending):
        store.write(lambda work: pending.flush(work, Facts(work.connection, prefix)), by=CONSUMER)
    return seen


def begin_now(store: Store) -> bool:
    """For an ERP that is connected for the first time: what happened before is in its books by
    other ways. True where nothing was ever told; nothing changes else.
    """

    def act(work: Work) -> bool:
        if _begun(work.connection):
            return False
        keep_cursor(work, CONSUMER, newest(work.connection))
        return True

    return not store.read(_begun) and store.write(act, by=CONSUMER)


def _begun(connection: Connection) -> bool:
    row = select(x.feed_cursor.c.consumer).where(x.feed_cursor.c.consumer == CONSUMER)
    return connection.execute(row).first() is not None


def _anything_pending(connection: Connection) -> bool:
    return connection.execute(select(e.erp_pending.c.subject).limit(1)).first() is not None


def _project(work: Work, facts: Facts, event: FeedEvent) -> None:
    if event.what == "held" and event.batch is not None:
        batch_id = find_batch(work.connection, event.batch).id
        outbox.put(work, facts.stop(batch_id, event.reference, event.code))
    for flow in flows(event.lines):
        _told(work, facts, event, flow)


def _told(work: Work, facts: Facts, event: FeedEvent, flow: Flow) -> None:
    match flow.source, flow.target:
        case (Zone.SUPPLIER, Zone.FREE | Zone.QUARANTINE):
            if event.session_id is None:
                outbox.put(work, facts.by_hand_receipt(flow, event.event_id))
            else:
                session = str(event.session_id)
                pending.add(work, MessageKind.RECEIPT, session, flow, event.event_id)
        case (Zone.FREE, Zone.CUSTOMER):
            order = event.reference or f"event {event.event_id}"
            pending.add(work, MessageKind.ISSUE, order, flow, event.event_id)
        case (Zone.FREE, Zone.QUARANTINE) | (Zone.QUARANTINE, Zone.FREE):
            _shifted(work, facts, event, flow)
        case _:
            outbox.put(work, facts.by_hand(flow, event.event_id, _what(flow)))


def _shifted(work: Work, facts: Facts, event: FeedEvent, flow: Flow) -> None:
    left = pending.shift(work, flow, event.event_id)
    if not left:
        return
    if flow.target is Zone.QUARANTINE and event.reference:
        # A hold on a supplier names no batch of its own: what it blocked is stopped all the same.
        outbox.put(work, facts.stop(flow.batch_id, event.reference, event.code))
    outbox.put(work, facts.shift(flow, left, event.event_id, event.code))


def _what(flow: Flow) -> str:
    if flow.source in _INSIDE and flow.target is Zone.SUPPLIER:
        return "sent back to the supplier"
    if flow.source in _INSIDE and flow.target is Zone.ELSEWHERE:
        return "counted away or scrapped"
    if flow.source is Zone.ELSEWHERE:
        return "found in counting"
    return f"from {flow.source} to {flow.target}"
