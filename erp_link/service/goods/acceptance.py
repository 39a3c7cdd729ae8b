"""The desk where deliveries are accepted: what waits and why, samples, decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from contracts.errors import BadInputError, ForbiddenError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import acceptance, inspection_lot, product, sampling_resumed
from erp_link.domain.acceptance import OVERRIDERS, AcceptanceState, is_override
from erp_link.domain.sampling import Outcome
from erp_link.service.goods import deciding, inspection
from erp_link.service.goods.admission import name_of
from erp_link.service.sessions import name_of as session_name
from erp_link.service.store import Store
from erp_link.service.work import Work, key_of

_MOST = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """An inspection lot: look at `sample` of `quantity` units; `outcome` is empty until judged."""

    lot_id: int
    quantity: int
    sample: int
    accept: int
    reject: int
    letter: str
    aql: str
    level: str
    severity: str
    inspected: int
    bad: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a delivery waits, or waited, for acceptance; quantities in base units."""

    acceptance_id: str
    batch: BatchKey
    description: str
    expiry: date | None
    session: str | None
    state: AcceptanceState
    reasons: tuple[Reason, ...]
    in_inspection: int
    opened_at: datetime
    needs_override: bool
    sample: Sample | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""

    @property
    def stopped(self) -> bool:
        """True where the gate at the dock is among the reasons."""
        return is_override(self.reasons, None, sampled=False)


class Acceptances:
    """Ask what waits for acceptance, enter samples, accept and refuse."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def waiting(self, *, after: int = 0, limit: int = _MOST) -> list[Waiting]:
        """What waits, oldest first."""
        query = (
            _select()
            .where(acceptance.c.state == AcceptanceState.WAITING.value, acceptance.c.id > after)
            .order_by(acceptance.c.id)
            .limit(limit)
        )
        return self._core.read(lambda c: [_waiting(row) for row in c.execute(query)])

    def decided(self, *, limit: int = 50) -> list[Waiting]:
        """What was decided, newest first."""
        query = (
            _select()
            .where(acceptance.c.state != AcceptanceState.WAITING.value)
            .order_by(acceptance.c.decided_at.desc(), acceptance.c.id.desc())
            .limit(limit)
        )
        return self._core.read(lambda c: [_waiting(row) for row in c.execute(query)])

    def one(self, name: str) -> Waiting:
        """Raises NotFoundError."""
        number = deciding.number_of(name)

        def ask(connection: Connection) -> Waiting:
            row = connection.execute(_select().where(acceptance.c.id == number)).one_or_none()
            if row is None:
                raise deciding.unknown(name)
            return _waiting(row)

        return self._core.read(ask)

    def accept(
        self, name: str, *, by: str, roles: Iterable[str], reason: str = "", key: str | None = None
    ) -> Waiting:
        """Let in what waits. Past the gate it takes quality and a reason.

        Raises NotFoundError, ConflictError, ForbiddenError, BadInputError.
        """
        have, number = frozenset(roles), deciding.number_of(name)
        self._core.command(
            "accept",
            {"delivery": name, "reason": reason},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: deciding.accept(work, number, roles=have, why=reason),
        )
        return self.one(name)

    def refuse(
        self, name: str, *, by: str, roles: Iterable[str], reason: str, key: str | None = None
    ) -> Waiting:
        """Hold the batch, with a ticket. Raises as `accept`."""
        have, number = frozenset(roles), deciding.number_of(name)
        self._core.command(
            "refuse",
            {"delivery": name, "reason": reason},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: deciding.refuse(work, number, roles=have, why=reason),
        )
        return self.one(name)

    def inspect(
        self, name: str, *, inspected: int, bad: int, by: str, note: str = "",
        key: str | None = None,
    ) -> Waiting:  # fmt: skip
        """Enter what a sample showed. Once the plan has an outcome the delivery is refused by it,
        or accepted where nothing but the sample made it wait.

        Raises NotFoundError, ConflictError, BadInputError.
        """
        number = deciding.number_of(name)

        def act(work: Work) -> None:
            deciding.take(work, number, exclusive=True)
            lot = inspection.of_acceptance(work.connection, number)
            if lot is None:
                raise BadInputError(f"{name} has no inspection lot", mend="Accept it, or refuse it")
            outcome = inspection.add_result(work, lot.id, inspected, bad, note)
            _follow(work, number, outcome)

        body = {"delivery": name, "inspected": inspected, "bad": bad, "note": note}
        self._core.command("inspect", body, by=by, key=key, guards_of=None, act=act)
        return self.one(name)

    def resume_sampling(
        self,
        supplier: str,
        gtin: str,
        *,
        by: str,
        roles: Iterable[str],
        reason: str,
        key: str | None = None,
    ) -> None:
        """After sampling was discontinued, lots are sampled again, tightened.

        Raises ForbiddenError, BadInputError.
        """
        if not OVERRIDERS & set(roles):
            raise ForbiddenError("Sampling is resumed by quality", mend="Ask the quality lead")
        if not reason.strip():
            raise BadInputError("Sampling is resumed without a reason", mend="Write why")

        def act(work: Work) -> None:
            work.connection.execute(
                insert(sampling_resumed).values(
                    supplier=supplier, gtin=gtin, at=work.now, by=work.by, reason=reason.strip()
                )
            )
            text = Reason("story_sampling_resumed", {"supplier": supplier, "reason": reason})
            work.event("sampling", text, reference=gtin)

        body = {"supplier": supplier, "gtin": gtin, "reason": reason}
        self._core.command("resume_sampling", body, by=by, key=key, guards_of=None, act=act)


def _follow(work: Work, number: int, outcome: Outcome | None) -> None:
    if outcome is Outcome.REJECTED:
        why = "sample"
        deciding.refuse(work, number, roles=("quality",), why=why, by_sample=True)
    elif outcome is not None:
        row = work.connection.execute(
            select(acceptance.c.reasons).where(acceptance.c.id == number)
        ).one()
        if not is_override(deciding.reasons_of(row), outcome, sampled=True):
            deciding.accept(work, number, roles=("operator",), why="")


def _select() -> Select[Any]:
    inside = (
        select(func.coalesce(func.sum(t.stock.c.quantity), 0))
        .where(
            t.stock.c.batch_id == acceptance.c.batch_id,
            t.stock.c.status == StockStatus.INSPECTION.value,
        )
        .scalar_subquery()
    )
    lot = inspection_lot.c
    return (
        select(
            acceptance,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
            func.coalesce(func.nullif(t.batch.c.description, ""), product.c.name, "").label(
                "description"
            ),
            t.batch.c.expiry,
            inside.label("inside"),
            lot.id.label("lot_id"),
            lot.quantity,
            lot.sample,
            lot.accept,
            lot.reject,
            lot.letter,
            lot.aql,
            lot.level,
            lot.severity,
            lot.inspected,
            lot.bad,
            lot.outcome,
        )
        .join(t.batch, t.batch.c.id == acceptance.c.batch_id)
        .join(product, product.c.gtin == t.batch.c.gtin, isouter=True)
        .join(inspection_lot, lot.acceptance_id == acceptance.c.id, isouter=True)
    )


def _waiting(row: Row[Any]) -> Waiting:
    sample = None
    if row.lot_id is not None:
        sample = Sample(
            lot_id=row.lot_id,
            quantity=row.quantity,
            sample=row.sample,
            accept=row.accept,
            reject=row.reject,
            letter=row.letter,
            aql=row.aql,
            level=row.level,
            severity=row.severity,
            inspected=row.inspected,
            bad=row.bad,
            outcome=row.outcome,
        )
    reasons = deciding.reasons_of(row)
    outcome = Outcome(row.outcome) if row.outcome else None
    return Waiting(
        acceptance_id=name_of(row.id),
        batch=key_of(row),
        description=row.description,
        expiry=row.expiry,
        session=session_name(row.session_id) if row.session_id is not None else None,
        state=AcceptanceState(row.state),
        reasons=reasons,
        in_inspection=int(row.inside),
        opened_at=row.opened_at,
        needs_override=is_override(reasons, outcome, sampled=sample is not None),
        sample=sample,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )
