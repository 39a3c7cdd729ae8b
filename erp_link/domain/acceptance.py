"""Received is not accepted: what makes a delivery wait in inspection, and who may let it in.

A delivery waits because its product is always accepted by a person, because a sample of it is looked
at first, or because the gate at the dock found it too old. The last needs somebody who answers for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from contracts.errors import BadInputError, ConflictError, ForbiddenError
from contracts.reason import Reason
from erp_link.domain.sampling import Outcome

BY_POLICY = "acceptance_by_policy"
BY_SAMPLE = "acceptance_by_sample"
OVERRIDERS = frozenset({"quality"})
"""Who may let in what the gate stopped, or what was not sampled to the end."""
ACCEPTERS = frozenset({"operator", "quality", "ops", "integrator"})


class AcceptanceState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


def is_override(reasons: Iterable[Reason], outcome: Outcome | None, *, sampled: bool) -> bool:
    """True where accepting goes past the gate, or past a sample that nobody looked at."""
    if sampled and outcome is None:
        return True
    return any(reason.code not in (BY_POLICY, BY_SAMPLE) for reason in reasons)


def check_accept(
    roles: Iterable[str],
    reasons: Sequence[Reason],
    *,
    why: str,
    sampled: bool,
    outcome: Outcome | None,
) -> None:
    """May somebody with these roles accept? Raises ForbiddenError, BadInputError, ConflictError."""
    have = set(roles)
    if outcome is Outcome.REJECTED:
        raise ConflictError(
            "The sample rejected this delivery", mend="Quality decides on the ticket of its hold"
        )
    if not is_override(reasons, outcome, sampled=sampled):
        if not have & ACCEPTERS:
            raise ForbiddenError("This role accepts no goods", mend="Ask an operator")
        return
    if not have & OVERRIDERS:
        raise ForbiddenError(
            "What the gate stopped is let in by quality only",
            mend="Ask the quality lead, or refuse the delivery",
            reasons=[reason.code for reason in reasons],
        )
    if not why.strip():
        raise BadInputError(
            "Goods are let in past the gate without a reason", mend="Write why in a few words"
        )


def check_refuse(roles: Iterable[str], why: str) -> None:
    """May somebody with these roles refuse? Raises ForbiddenError, BadInputError."""
    if not set(roles) & ACCEPTERS:
        raise ForbiddenError("This role refuses no goods", mend="Ask an operator")
    if not why.strip():
        raise BadInputError("A refusal needs its reason", mend="Write why in a few words")
