"""The core's face: every command and every question, over one database (I1, I2).

Commands are guarded, observations are never refused. Each method is one transaction; methods are
synchronous and safe to call from many threads.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import TypeVar

from sqlalchemy import Connection, insert, select

from contracts.asn import Asn, Expectations
from contracts.clock import Clock
from contracts.events import (
    CameraChanged,
    CartonJudged,
    CartonSettled,
    DeviceStarted,
    EventBody,
    JournalEntry,
)
from contracts.stock import (
    BatchEvent,
    BatchKey,
    BatchSummary,
    Hold,
    OpenTransport,
    Ticket,
    TransportOrder,
    TransportProgress,
)
from erp_link.adapters import database
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guarding
from erp_link.adapters.migrate import migrate
from erp_link.domain.effects import Applied, Effect
from erp_link.domain.places import QUARANTINE, STAGING, PlaceKind, SiteLayout
from erp_link.domain.receiving import DeliveryReport
from erp_link.service import (
    cartons,
    devices,
    holding,
    queries,
    sessions,
    ticketing,
    transport,
)
from erp_link.service.progress import guards_of, progressed
from erp_link.service.queries import DeviceSeen, StockLine
from erp_link.service.sessions import AsnSummary
from erp_link.service.work import Work

__all__ = ["Applied", "AsnSummary", "Core", "DeliveryReport", "DeviceSeen", "Effect", "StockLine"]

T = TypeVar("T")


class Core:
    """The stock-and-order core over `sqlite:///path` or `postgresql+psycopg://...`.

    `zone` is the site's time zone, by whose calendar goods expire. `guarding` is for the race
    test alone. Raises BadInputError for another URL, UnavailableError where no database answers.
    """

    def __init__(
        self,
        database_url: str,
        *,
        clock: Clock,
        layout: SiteLayout | None = None,
        zone: tzinfo = UTC,
        guarding: Guarding = Guarding.LOCKED,
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._guarding = guarding
        self._engine = database.open_engine(database_url)
        migrate(self._engine)
        database.write(self._engine, lambda c: _seed(c, layout or SiteLayout()))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # Deliveries

    def import_asn(self, asn: Asn, *, by: str) -> str:
        """Keep an announced list; its number. The same list again changes nothing.

        Raises ConflictError where the number is known with other lines.
        """
        self._write(lambda work: sessions.import_asn(work, asn), by=by)
        return asn.number

    def asns(self) -> list[AsnSummary]:
        """Every announced delivery, newest first; those without a session wait at the gate."""
        return self._read(sessions.announced)

    def open_session(self, asn_number: str, *, dock: str, by: str) -> str:
        """Start to receive an announced delivery; the session's id.

        Raises NotFoundError, and ConflictError where it is being received already.
        """
        return self._write(lambda work: sessions.open_session(work, asn_number, dock), by=by)

    def close_session(self, session: str, *, by: str) -> DeliveryReport:
        """End a session; its report. Raises NotFoundError, ConflictError."""
        self._write(lambda work: sessions.close_session(work, session), by=by)
        return self.session_report(session)

    def session_report(self, session: str) -> DeliveryReport:
        """Announced against counted: over, short, damaged, in review, off the list."""
        return self._read(lambda c: sessions.report(c, session))

    def sessions(self) -> list[DeliveryReport]:
        """The reports of all sessions, newest first."""
        return self._read(lambda c: [sessions.report(c, name) for name in sessions.all_sessions(c)])

    def expectations(self) -> Expectations:
        """What stations are told; `version` grows with every change of it."""
        return self._read(sessions.expectations)

    # Devices

    def apply(self, entry: JournalEntry, body: EventBody) -> Applied:
        """Book one journal entry, exactly once by (device, seq), together with the device's head.

        The caller has verified signature and hash. Raises JournalError at a gap,
        JournalBrokenError where the chain does not follow or forks; then nothing is booked.
        """

        def booked(work: Work) -> Applied:
            if not devices.advance(work, entry):
                return Applied(duplicate=True)
            match body:
                case CartonJudged():
                    cartons.judged(work, entry, body)
                case CartonSettled():
                    cartons.settled(work, entry, body)
                case CameraChanged():
                    devices.camera_changed(work, entry, body)
                case DeviceStarted():
                    devices.started(work, entry, body)
            return Applied(duplicate=False, effects=tuple(work.effects))

        return self._write(booked, by=entry.device)

    def device_head(self, device: str) -> tuple[int, str]:
        """Sequence and hash of the last entry applied; (0, "") for a device not heard of."""
        return self._read(lambda c: devices.head(c, device))

    def devices(self) -> list[DeviceSeen]:
        """Every device that sent an entry, with its cameras, for the health page."""
        return self._read(queries.devices)

    # Transport

    def pending_transport(self) -> list[TransportOrder]:
        """Orders not yet sent, oldest first; held goods only towards quarantine."""
        return self._read(transport.pending)

    def open_transport(self) -> list[OpenTransport]:
        """Orders sent whose goods are not known to have arrived."""
        return self._read(transport.under_way)

    def transport_progress(self, progress: TransportProgress) -> None:
        """Book what a vehicle did; idempotent by (vehicle, order, action).

        SENT is a command and may be refused (NotFoundError, ConflictError, HeldError); whatever
        comes after it is an observation and never refused.
        """

        def booked(work: Work) -> None:
            work.take(guards_of(work.connection, progress))
            progressed(work, progress)

        self._write(booked, by=progress.vehicle)

    # Questions

    def batches(self) -> list[BatchSummary]:
        """Every batch that is announced or was ever here."""
        now = self._clock.now()
        return self._read(lambda c: queries.batches(c, now=now, zone=self._zone))

    def batch_story(self, key: BatchKey) -> list[BatchEvent]:
        """Everything that happened to a batch, oldest first. Raises NotFoundError."""
        return self._read(lambda c: queries.batch_story(c, key))

    def holds(self, *, open_only: bool = True) -> list[Hold]:
        """Holds, newest first."""
        return self._read(lambda c: holding.read_holds(c, open_only=open_only))

    def tickets(self) -> list[Ticket]:
        """Tickets, newest first."""
        return self._read(ticketing.read_tickets)

    def ticket(self, ticket_id: str) -> Ticket:
        """One ticket with its history. Raises NotFoundError."""
        found = self._read(lambda c: ticketing.read_tickets(c, only=ticket_id))
        if not found:
            raise ticketing.unknown_ticket(ticket_id)
        return found[0]

    def stock_by_location(self) -> list[StockLine]:
        """What stands where."""
        return self._read(queries.stock_by_location)

    def _read(self, ask: Callable[[Connection], T]) -> T:
        with database.reading(self._engine) as connection:
            return ask(connection)

    def _write(self, command: Callable[[Work], T], *, by: str) -> T:
        def work_in(connection: Connection) -> T:
            work = Work(
                connection, now=self._clock.now(), zone=self._zone, guarding=self._guarding, by=by
            )
            result = command(work)
            work.finish()
            return result

        return database.write(self._engine, work_in)


def _seed(connection: Connection, layout: SiteLayout) -> None:
    """The site's places; what is there already stays as it is."""
    known = set(connection.execute(select(t.location.c.code)).scalars())
    wanted = [
        (QUARANTINE, PlaceKind.QUARANTINE, 0),
        (STAGING, PlaceKind.STAGING, 0),
        *((slot.code, PlaceKind.SLOT, slot.capacity) for slot in layout.slots),
    ]
    rows = [
        {"code": code, "kind": kind.value, "capacity": capacity, "used": 0, "position": position}
        for position, (code, kind, capacity) in enumerate(wanted)
        if code not in known
    ]
    if rows:
        connection.execute(insert(t.location), rows)
