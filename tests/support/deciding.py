"""A usage decision in one line, for stories that are about something else: nothing is signed."""

from __future__ import annotations

from contracts.stock import Ticket, UsageDecision
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality


def decided(
    core: Core,
    ticket_id: str,
    decision: UsageDecision,
    *,
    by: str,
    role: str,
    reason: str,
    key: str | None = None,
) -> Ticket:
    """The ticket, as a site without signatures decides it."""
    desk = Quality(core, DecisionPolicy(signed=False))
    desk.decide_unsigned(ticket_id, decision, by=by, role=role, reason=reason, key=key)
    return core.ticket(ticket_id)
