"""Who may decide what, and when one person is not enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from contracts.errors import ForbiddenError
from contracts.stock import TicketState, UsageDecision
from erp_link.domain.tickets import check_decider

CARRYING_ON = frozenset({UsageDecision.SORT, UsageDecision.REWORK})
"""Decisions after which the goods have to be judged again: a new ticket asks for it."""
LEAVING = frozenset({UsageDecision.RETURN, UsageDecision.SCRAP})
"""Decisions that are carried out by goods leaving the house without ever being free."""


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """A site's rules. `signed` False lets people and programs decide without a signature;
    `two_people` lists the decisions that a second person must sign too, `two_people_from` the
    quantity in base units from which on they must (0: always).
    """

    signed: bool = True
    two_people: frozenset[UsageDecision] = frozenset()
    two_people_from: int = 0

    def wants_second(self, decision: UsageDecision, quantity: int) -> bool:
        """`quantity`: the units that the decision is about."""
        return decision in self.two_people and quantity >= self.two_people_from


def check_second(first: str, second: str) -> None:
    """The second person is another one. Raises ForbiddenError."""
    if first == second:
        raise ForbiddenError(
            f"{second} signed this already", mend="A second person must look and sign", who=second
        )


def check_unsigned_allowed(policy: DecisionPolicy, *, role: str, reason: str) -> None:
    """Raises ForbiddenError where this site's decisions are signed."""
    check_decider(role, reason)
    if policy.signed:
        raise ForbiddenError(
            "A usage decision is signed here",
            mend="Ask for the statement, sign it with a registered key, and send both",
        )


def may_go_on(state: TicketState) -> bool:
    """True while a ticket waits for its decision."""
    return state in (TicketState.OPEN, TicketState.CONTAINED)


def undecided_elsewhere(
    decisions: Collection[tuple[str, UsageDecision | None]], *, ticket: str
) -> list[str]:
    """The other tickets of a hold that nobody has decided: `decisions` pairs tickets with theirs."""
    return sorted(name for name, made in decisions if made is None and name != ticket)
