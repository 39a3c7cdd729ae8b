"""The life of a QC ticket: open, contained, decided, closed; and who may decide what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from contracts.errors import BadInputError, ConflictError, ForbiddenError
from contracts.stock import TicketState, UsageDecision


class TicketKind(StrEnum):
    """What a ticket is about. Goods named by a FINDING or by APART stay blocked until every such
    ticket says release; the others do not speak about the goods themselves.
    """

    FINDING = "finding"
    EXPIRY = "expiry"
    HOLD = "hold"
    TRANSPORT = "transport"
    RECALL = "recall"
    """Goods that a hold came too late for: somebody must fetch them."""
    CONFLICT = "conflict"
    """What came in from devices that were offline contradicts itself or the books."""
    FLAG = "flag"
    """Something that a person saw at a shelf and wants looked at."""
    APART = "apart"
    """Units set apart in quarantine with no hold on them."""
    ERP = "erp"
    """What the site's ERP does not do by itself: a message it refused, a shipment to bring back."""
    ALARM = "alarm"
    """Something in the building that quality must look at; closed with its alarm."""
    WORK_ORDER = "work_order"
    """Somebody must see to the building: a door, a leak, a freezer; closed with its alarm."""
    EXCURSION = "excursion"
    """A batch that went through more than it bears, on hold until quality decides."""
    REWORK = "rework"
    """Goods in inspection after they were reworked: a release frees them, anything else blocks them."""


DUE_AFTER = timedelta(hours=24)
DECIDING_ROLES = frozenset({"quality"})
_NEXT = {
    TicketState.OPEN: {TicketState.CONTAINED, TicketState.DECIDED},
    TicketState.CONTAINED: {TicketState.DECIDED},
    TicketState.DECIDED: {TicketState.CLOSED},
    TicketState.CLOSED: set[TicketState](),
}


def advance(ticket_id: str, state: TicketState, to: TicketState) -> TicketState:
    """`to`, where the life cycle allows it. Raises ConflictError."""
    if to not in _NEXT[state]:
        raise ConflictError(
            f"Ticket {ticket_id} is {state}, it cannot become {to}",
            mend="Look at the ticket again: somebody else may have gone on with it",
            ticket_id=ticket_id,
            state=str(state),
        )
    return to


def check_decider(role: str, reason: str) -> None:
    """Only quality decides, and says why. Raises ForbiddenError, BadInputError."""
    if role not in DECIDING_ROLES:
        raise ForbiddenError(
            f"The role {role} may not decide on held goods", mend="Ask the quality lead", role=role
        )
    if not reason.strip():
        raise BadInputError("A decision needs its reason", mend="Write why in a few words")


def lifts_hold(decisions: Iterable[UsageDecision | None]) -> bool:
    """A hold ends when every ticket that names it is decided and at least one says release."""
    decided = list(decisions)
    return None not in decided and UsageDecision.RELEASE in decided
