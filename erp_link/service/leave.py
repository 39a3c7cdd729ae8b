"""I1 at work: the one predicate, asked under the guards, before goods are moved by a command."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from contracts.errors import HeldError
from erp_link.adapters import ledger
from erp_link.domain.leaving import LeaveFacts, may_this_leave, unjudged_goods
from erp_link.domain.moves import Place
from erp_link.service.apart import cartons_at, holds_by_name, units_of
from erp_link.service.holding import open_holds_on
from erp_link.service.judging.waiting import stopped_at
from erp_link.service.work import Work, batch_guards, key_of, location_guard

_MEND = "Quality decides on its ticket; until then it goes to quarantine only"


def check_leaving(work: Work, batch: Row[Any], place: Place, *, came_from: str = "") -> None:
    """Raises HeldError with the holds and every reason. `came_from` is the place where picked
    goods stood: a hold on it reaches them in staging too.
    """
    places = [code for code in (place.location, came_from) if code]
    holds: tuple[str, ...] = ()
    wanted = batch_guards(work.connection, batch)
    if work.is_held(*wanted, *(location_guard(code) for code in places)):
        holds = tuple(open_holds_on(work.connection, batch, *places)) or ("-",)
    expired_on = batch.expiry if work.expired(batch) else None
    reasons = may_this_leave(LeaveFacts(place.status, holds, expired_on))
    if reasons:
        raise HeldError(
            f"Batch {key_of(batch)} may not leave: {', '.join(r.code for r in reasons)}",
            mend=_MEND,
            hold_ids=list(holds),
            reasons=[r.code for r in reasons],
        )


def check_named(work: Work, batch: Row[Any], place: Place, quantity: int) -> None:
    """Cartons held by name stand among these goods, or some that the one judge has not passed (I3):
    so many may not be taken that one of them would have to go along. Raises HeldError.
    """
    named = holds_by_name(work.connection, batch.id)
    unjudged = stopped_at(work.connection, batch.id, place)
    if not named and not unjudged:
        return
    held = [name for name in cartons_at(work.connection, batch.id, place) if name in named]
    there, _ = ledger.on_hand(work.connection, batch.id, place)
    units = units_of(work.connection, {*held, *unjudged})
    if unjudged and quantity > there - units:
        reasons = [reason.code for reason in unjudged_goods(units)]
        raise HeldError(
            f"{units} of {there} units of batch {key_of(batch)} in {place.location} wait to be"
            f" judged: {', '.join(sorted({*held, *unjudged}))}",
            mend="They are judged again; what is found sound may leave then",
            hold_ids=sorted({hold for name in held for hold in named[name]}),
            reasons=["stock_held", *reasons] if held else reasons,
            cartons=sorted({*held, *unjudged}),
        )
    if held and quantity > there - units:
        raise HeldError(
            f"{units} of {there} units of batch {key_of(batch)} in {place.location} are on"
            f" hold: {', '.join(held)}",
            mend=_MEND,
            hold_ids=sorted({hold for name in held for hold in named[name]}),
            reasons=["stock_held"],
            cartons=held,
        )
