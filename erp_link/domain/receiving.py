"""Counting a delivery: what one verdict does to stock and count, and the over/short/damaged report.

Observations are booked, never refused: a carton that nobody announced is counted off the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from contracts.asn import AsnLine
from contracts.errors import BadInputError
from contracts.gs1 import is_lot, normalise_gtin
from contracts.stock import BatchKey, StockStatus
from contracts.verdict import Decision, Verdict
from erp_link.domain.tickets import TicketKind


class CartonState(StrEnum):
    RECEIVED = "received"
    DAMAGED = "damaged"
    REVIEW = "review"
    REFUSED = "refused"
    PICKED = "picked"


class Cause(StrEnum):
    """Why a carton is blocked. Only what HOLD blocked comes free when the hold is lifted."""

    NONE = ""
    HOLD = "hold"
    EXPIRED = "expired"
    DEFECT = "defect"
    ACCEPTANCE = "acceptance"
    """Counted, and in inspection until somebody accepts the delivery."""
    JUDGING = "judging"
    """Nobody who counts has passed it yet: in inspection, or picked and not to be shipped (I3)."""


_EXPIRY_YEARS = range(2000, 2100)
"""Years that a label's two digits can mean; a date outside them is a slip of the keyboard."""


def typed_goods(batch: BatchKey, expiry: date | None) -> BatchKey:
    """What a person or program says came in, with the GTIN as 14 digits: goods that were typed
    have nobody who read the label, so they are checked as announced ones are.

    Raises BadInputError for a GTIN that is none, a batch that no label can carry, and a date that
    cannot be.
    """
    gtin = normalise_gtin(batch.gtin)
    if not is_lot(batch.lot):
        raise BadInputError(
            f"Batch {batch.lot!r} is not a GS1 batch number",
            mend="Give 1 to 20 letters, digits or signs, as printed after (10)",
        )
    if expiry is not None and expiry.year not in _EXPIRY_YEARS:
        raise BadInputError(
            f"The goods would expire on {expiry}",
            mend="Give the date on the label, or leave it out where there is none",
        )
    return BatchKey(batch.supplier.strip(), gtin, batch.lot)


_NOT_ITS_OWN = frozenset({"batch_held", "expired", "stock_expired"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one carton is booked. `status` is None where the batch is not known: nothing to book."""

    state: CartonState
    status: StockStatus | None
    cause: Cause
    opens_ticket: bool
    ticket_kind: TicketKind = TicketKind.FINDING


def receive(
    verdict: Verdict, *, held: bool, expired: bool, waits: bool = False, unjudged: bool = False
) -> Receipt:
    """What the verdict books, given whether the batch is held or expired at this moment, and
    whether sound cartons of this delivery wait for acceptance. `unjudged`: the goods were passed by
    somebody whose result does not count.
    """
    known = verdict.batch is not None or verdict.freezes is not None
    match verdict.decision:
        case Decision.REVIEW:
            status = StockStatus.INSPECTION if known else None
            return Receipt(CartonState.REVIEW, status, Cause.NONE, opens_ticket=False)
        case Decision.HOLD if verdict.freezes is not None:
            return Receipt(
                CartonState.DAMAGED, StockStatus.BLOCKED, Cause.DEFECT, opens_ticket=True
            )
        case Decision.HOLD:
            cause = _cause(verdict, held=held, expired=expired)
            if waits and known and cause is Cause.HOLD:
                return accepted(held=held, expired=False, waits=True)
            return Receipt(
                CartonState.DAMAGED if known and _is_its_own(verdict) else CartonState.RECEIVED,
                StockStatus.BLOCKED if known else None,
                cause,
                opens_ticket=cause is not Cause.HOLD,
                ticket_kind=TicketKind.EXPIRY if cause is Cause.EXPIRED else TicketKind.FINDING,
            )
        case Decision.ACCEPT:
            return accepted(held=held, expired=expired, known=known, waits=waits, unjudged=unjudged)


def _cause(verdict: Verdict, *, held: bool, expired: bool) -> Cause:
    """A finding of the carton's own, which stands first among the reasons, counts before what its
    batch or its date says. A carton of a batch that is held already adds nothing to decide on.
    """
    if _is_its_own(verdict):
        return Cause.DEFECT
    if expired:
        return Cause.EXPIRED
    return Cause.HOLD if held else Cause.DEFECT


def _is_its_own(verdict: Verdict) -> bool:
    return bool(verdict.reasons) and verdict.reasons[0].code not in _NOT_ITS_OWN


def accepted(
    *,
    held: bool,
    expired: bool,
    known: bool = True,
    waits: bool = False,
    unjudged: bool = False,
) -> Receipt:
    """A sound carton: free to use unless its batch is held or past its date, its delivery waits for
    acceptance, or the one judge has not passed it. What waits is not freed when a hold is lifted, so
    it waits before it is held; for acceptance first, for the judge then.
    """
    if not known:
        return Receipt(CartonState.RECEIVED, None, Cause.NONE, opens_ticket=False)
    if (waits or unjudged) and not expired:
        cause = Cause.ACCEPTANCE if waits else Cause.JUDGING
        return Receipt(CartonState.RECEIVED, StockStatus.INSPECTION, cause, opens_ticket=False)
    if held:
        return Receipt(CartonState.RECEIVED, StockStatus.BLOCKED, Cause.HOLD, opens_ticket=False)
    if expired:
        return Receipt(
            CartonState.RECEIVED, StockStatus.BLOCKED, Cause.EXPIRED, True, TicketKind.EXPIRY
        )
    return Receipt(CartonState.RECEIVED, StockStatus.UNRESTRICTED, Cause.NONE, opens_ticket=False)


def refused(*, known: bool) -> Receipt:
    """A carton that an operator set aside."""
    status = StockStatus.BLOCKED if known else None
    return Receipt(CartonState.REFUSED, status, Cause.DEFECT, opens_ticket=False)


@dataclass(frozen=True, slots=True)
class Count:
    """What one carton adds to its line. `counted` includes `damaged`; review waits beside both."""

    counted: int = 0
    damaged: int = 0
    in_review: int = 0

    def times(self, units: int) -> Count:
        """The same for a carton of so many base units."""
        return Count(self.counted * units, self.damaged * units, self.in_review * units)


def count_of(state: CartonState) -> Count:
    match state:
        case CartonState.RECEIVED | CartonState.PICKED:
            return Count(counted=1)
        case CartonState.DAMAGED | CartonState.REFUSED:
            return Count(counted=1, damaged=1)
        case CartonState.REVIEW:
            return Count(in_review=1)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One announced line against what came, in base units. `counted` includes the damaged."""

    line: AsnLine
    counted: int
    damaged: int
    in_review: int

    @property
    def announced(self) -> int:
        return self.line.quantity

    @property
    def over(self) -> int:
        return max(0, self.counted - self.line.quantity)

    @property
    def short(self) -> int:
        return max(0, self.line.quantity - self.counted)


@dataclass(frozen=True, slots=True)
class OffListCarton:
    """A carton that is on no announced line. `batch` is None where nothing could be read."""

    carton_id: str
    state: CartonState
    batch: BatchKey | None
    at: datetime
    off_list: bool
    """True: read, and not announced. False: not read well enough to say (waits for review)."""
    quantity: int = 1
    """Base units in it."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A receiving session: announced against counted, and what was on no line."""

    session: str
    asn: str
    supplier: str
    dock: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    lines: tuple[ReportLine, ...]
    off_list: tuple[OffListCarton, ...]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def announced(self) -> int:
        return sum(line.announced for line in self.lines)

    @property
    def counted(self) -> int:
        return sum(line.counted for line in self.lines)

    @property
    def over(self) -> int:
        return sum(line.over for line in self.lines)

    @property
    def short(self) -> int:
        return sum(line.short for line in self.lines)

    @property
    def damaged(self) -> int:
        return sum(line.damaged for line in self.lines)

    @property
    def in_review(self) -> int:
        return sum(line.in_review for line in self.lines) + sum(
            carton.quantity for carton in self.off_list if carton.state is CartonState.REVIEW
        )
