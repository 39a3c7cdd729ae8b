"""What the pages ask of the rest of the house, as Protocols and plain rows.

Pages import neither the core nor the accounts: the hub and the edge hand in adapters, tests hand
in fakes. Every call here is synchronous and may block (the core is a database); routes run it in
a thread. Errors are TallymanErrors and become problem documents or a page that says what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from starlette.requests import Request

from contracts.asn import Asn
from contracts.reason import Reason
from contracts.stock import (
    BatchEvent,
    BatchKey,
    BatchSummary,
    Hold,
    Ticket,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking. `csrf` goes into every form; it is checked by `Gate.verify`."""

    name: str
    roles: frozenset[str] = frozenset()
    csrf: str = ""

    def may(self, *roles: str) -> bool:
        """True when the person has one of `roles`."""
        return bool(self.roles & set(roles))


class Gate(Protocol):
    """Who may pass. The hub asks its accounts; the edge checks the hub's signature offline (I6)."""

    async def viewer(self, request: Request) -> Viewer | None:
        """The person behind the request, None where nobody is signed in."""
        ...

    async def require(self, request: Request, *roles: str) -> Viewer:
        """Any signed-in person, or one of `roles`. Raises NotSignedInError, ForbiddenError."""
        ...

    async def verify(self, request: Request) -> None:
        """Check the CSRF token of a write (field `csrf_token` or header X-CSRF-Token).

        Raises ForbiddenError.
        """
        ...


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One receiving session in the list; `closed_at` is None while it counts."""

    session: str
    asn: str
    supplier: str
    dock: str
    opened_at: datetime
    opened_by: str
    announced: int
    counted: int
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class SheetLine:
    """Counted against announced for one line, in base units; `number` 0 is not on the list."""

    number: int
    gtin: str
    batch: str
    expiry: date | None
    announced: int
    counted: int
    damaged: int = 0
    in_review: int = 0
    description: str = ""
    unit: str = ""
    """The base unit in which the line is counted; empty for a line that nobody announced."""

    @property
    def short(self) -> int:
        return max(0, self.announced - self.counted)

    @property
    def over(self) -> int:
        return max(0, self.counted - self.announced) if self.number else 0

    @property
    def off_list(self) -> int:
        return 0 if self.number else self.counted

    @property
    def differs(self) -> bool:
        return bool(self.short or self.over or self.damaged or self.off_list or self.in_review)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A delivery's tally sheet: the session and its lines, list order, off-list lines last."""

    session: SessionRow
    lines: tuple[SheetLine, ...]
    waiting: int = 0
    """Batches of it that are counted and wait for acceptance."""


@dataclass(frozen=True, slots=True)
class AsnRow:
    """An announced delivery that nobody has opened a session for yet."""

    number: str
    supplier: str
    lines: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Some rows of a list: `found` of all `total` rows match the filter."""

    rows: Sequence[T]
    found: int
    total: int


class Records(Protocol):
    """What the quality and receiving pages ask of the stock core."""

    def batches(self, query: str, *, skip: int, most: int) -> Listed[BatchSummary]: ...

    def batch(self, key: BatchKey) -> BatchSummary:
        """Raises NotFoundError."""
        ...

    def batch_story(self, key: BatchKey) -> Sequence[BatchEvent]:
        """Oldest first. Raises NotFoundError."""
        ...

    def holds(self, query: str, *, skip: int, most: int) -> Listed[Hold]:
        """Open ones first, the newest of each first."""
        ...

    def holds_on(self, key: BatchKey) -> Sequence[Hold]: ...

    def holds_named(self, ids: Collection[str]) -> Sequence[Hold]: ...

    def tickets(self, query: str, *, skip: int, most: int) -> Listed[Ticket]:
        """What waits for a decision first, by due time."""
        ...

    def ticket(self, ticket_id: str) -> Ticket:
        """Raises NotFoundError."""
        ...

    def sessions(self, *, skip: int, most: int) -> Listed[SessionRow]:
        """Open ones first, the newest of each first."""
        ...

    def sheet(self, session: str) -> Sheet:
        """Raises NotFoundError."""
        ...

    def waiting_asns(self) -> Sequence[AsnRow]: ...

    def docks(self) -> Sequence[str]:
        """The stations that were seen here: a delivery at one of these docks is told to it."""
        ...

    def import_asn(self, asn: Asn, *, by: str) -> None:
        """Whole or not at all. Raises BadAsnError, ConflictError."""
        ...

    def open_session(self, asn: str, *, dock: str, by: str) -> str: ...

    def close_session(self, session: str, *, by: str) -> None: ...


HEALTH_STATES = ("ok", "warn", "down", "unknown")


@dataclass(frozen=True, slots=True)
class HealthItem:
    """One row of the health page.

    `group` is process, camera, journal, uplink, broker, live, agv, module, model_set, learning or device; `state` is
    one of HEALTH_STATES. A value older than `max_age_s` is greyed and shows its age.
    """

    group: str
    name: str
    state: str
    value: str = ""
    unit: str = ""
    detail: str = ""
    digest: str = ""
    """A model set's digest, shown as a short coloured chip."""
    notes: tuple[Reason, ...] = ()
    """What a person should know, in the reader's language."""
    at: datetime | None = None
    max_age_s: float = 10.0


class HealthSource(Protocol):
    def health(self) -> Sequence[HealthItem]: ...


class PictureStore(Protocol):
    """The evidence store as the pages need it (appliance.evidence.EvidenceStore)."""

    def get(self, sha256: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What the frame around every page shows.

    `hub_url` is empty on the hub; on the edge it is the hub's address, so that the navigation works
    when the station page is opened on the edge's own port.
    """

    title: str
    station: str = ""
    hub_url: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
