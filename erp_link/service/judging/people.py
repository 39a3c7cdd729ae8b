"""A person's decision stands for the goods that it is about: no model set, and no less (I3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select

from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from erp_link.adapters import tables as t
from erp_link.domain.tickets import TicketKind
from erp_link.service import apart
from erp_link.service.judging import freeing, pins, results, tasks
from erp_link.service.work import Work

_ABOUT_GOODS = frozenset({TicketKind.FINDING, TicketKind.APART, TicketKind.REWORK})


def decided(
    work: Work, ticket: Row[Any], holds: Iterable[Row[Any]], decision: UsageDecision, *, why: Reason
) -> None:
    """Quality released the cartons that a ticket, or a hold by name, is about: they wait for no
    machine any more. Another hold by name still speaks of its own. The caller lifted the holds.
    """
    if decision is not UsageDecision.RELEASE or ticket.batch_id is None:
        return
    names: set[str] = set()
    if ticket.kind in _ABOUT_GOODS:
        names = {*ticket.cartons, *([ticket.carton_id] if ticket.carton_id else [])}
    for hold in holds:
        if hold.kind == HoldKind.CARTONS.value:
            names.update(hold.cartons)
    names.difference_update(apart.holds_by_name(work.connection, ticket.batch_id))
    names = _known(work, ticket.batch_id, names)
    if not names:
        return
    generation = pins.generation(work.connection, ticket.batch_id)
    for name in sorted(names):
        results.person_said(work, name, ticket.batch_id, passed=True)
        tasks.done(work, name, up_to=generation)
    freeing.come_free(work, ticket.batch_id, names, why=why)


def _known(work: Work, batch_id: int, names: set[str]) -> set[str]:
    query = select(t.carton.c.carton_id).where(
        t.carton.c.batch_id == batch_id, t.carton.c.carton_id.in_(sorted(names))
    )
    return set(work.connection.execute(query).scalars())
