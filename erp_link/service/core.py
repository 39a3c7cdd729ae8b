"""The core's face: every command and every question, over one database (I1, I2).

Commands are guarded, observations are never refused. Each method is one transaction; methods are
synchronous and safe to call from many threads.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, tzinfo

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
from contracts.reason import Reason
from contracts.stock import (
    BatchEvent,
    BatchKey,
    BatchSummary,
    Hold,
    HoldKind,
    OpenTransport,
    StockStatus,
    Ticket,
    TicketState,
    TransportOrder,
    TransportProgress,
    UsageDecision,
)
from erp_link.adapters import database
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard, Guarding
from erp_link.domain.effects import Applied, Effect
from erp_link.domain.moves import Place
from erp_link.domain.places import QUARANTINE, STAGING, PlaceKind, SiteLayout
from erp_link.domain.receiving import DeliveryReport
from erp_link.service import (
    cartons as judgements,
)
from erp_link.service import (
    commands,
    decisions,
    devices,
    holding,
    queries,
    sessions,
    ticketing,
    transport,
)
from erp_link.service.commands import Reservation
from erp_link.service.progress import guards_of, progressed
from erp_link.service.queries import DeviceSeen, StockLine
from erp_link.service.sessions import AsnSummary
from erp_link.service.store import Store
from erp_link.service.work import Work, ensure_batch

__all__ = [
    "Applied",
    "AsnSummary",
    "Core",
    "DeliveryReport",
    "DeviceSeen",
    "Effect",
    "Reservation",
    "StockLine",
]


class Core(Store):
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
        super().__init__(database_url, clock=clock, zone=zone, guarding=guarding)
        database.write(self._engine, lambda c: _seed(c, layout or SiteLayout()))

    # Deliveries

    def import_asn(self, asn: Asn, *, by: str, key: str | None = None) -> str:
        """Keep an announced list; its number. The same list again changes nothing.

        Raises ConflictError where the number is known with other lines.
        """
        self._command(
            "import_asn",
            {"asn": asn.number, "digest": sessions.digest_of(asn)},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: sessions.import_asn(work, asn),
        )
        return asn.number

    def asns(self) -> list[AsnSummary]:
        """Every announced delivery, newest first; those without a session wait at the gate."""
        return self._read(sessions.announced)

    def open_session(self, asn_number: str, *, dock: str, by: str, key: str | None = None) -> str:
        """Start to receive an announced delivery; the session's id.

        Raises NotFoundError, and ConflictError where it is being received already.
        """
        return str(
            self._command(
                "open_session",
                {"asn": asn_number, "dock": dock},
                by=by,
                key=key,
                guards_of=None,
                act=lambda work: sessions.open_session(work, asn_number, dock),
            )
        )

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
                    judgements.judged(work, entry, body)
                case CartonSettled():
                    judgements.settled(work, entry, body)
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

    # Commands

    def reserve(
        self, order: str, batch: BatchKey, quantity: int, *, by: str, key: str | None = None
    ) -> list[Reservation]:
        """Set goods of a batch aside for an order, all of them or none.

        Raises HeldError, InsufficientStockError, NotFoundError, BadInputError; with `key` a
        repetition returns the first outcome, and ConflictError meets another body.
        """
        ids = self._command(
            "reserve",
            {"order": order, "batch": str(batch), "quantity": quantity},
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_batch(c, batch),
            act=lambda work: commands.reserve(work, order, batch, quantity),
        )
        return self._read(lambda c: commands.read_reservations(c, ids))

    def pick(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Take reserved goods to staging. Raises HeldError, ConflictError, NotFoundError."""
        self._on_reservation("pick", reservation_id, commands.pick, by=by, key=key)

    def ship(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Goods issue, the only way out of the building. Raises as `pick`."""
        self._on_reservation("ship", reservation_id, commands.ship, by=by, key=key)

    def return_picked(self, reservation_id: int, *, by: str, key: str | None = None) -> None:
        """Picked goods go to quarantine; allowed under any hold. Raises ConflictError."""
        self._on_reservation("return", reservation_id, commands.return_picked, by=by, key=key)

    def move(
        self,
        batch: BatchKey,
        quantity: int,
        *,
        source: str,
        target: str,
        by: str,
        status: StockStatus = StockStatus.UNRESTRICTED,
        key: str | None = None,
    ) -> None:
        """Move goods inside the house; what may not leave moves to quarantine only.

        Raises HeldError, InsufficientStockError, NotFoundError, BadInputError.
        """
        self._command(
            "move",
            {
                "batch": str(batch),
                "quantity": quantity,
                "source": source,
                "target": target,
                "status": status.value,
            },
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_batch(c, batch, source, target),
            act=lambda work: commands.move(work, batch, quantity, Place(source, status), target),
        )

    def receive(
        self,
        batch: BatchKey,
        quantity: int,
        *,
        location: str,
        by: str,
        expiry: date | None = None,
        key: str | None = None,
    ) -> StockStatus:
        """Book goods in by hand, without a carton; the status they came in with."""

        def guards_of(connection: Connection) -> set[Guard]:
            batch_id = ensure_batch(connection, batch)
            return {
                Guard("batch", str(batch_id)),
                Guard("supplier", batch.supplier),
                Guard("location", location),
            }

        return StockStatus(
            self._command(
                "receive",
                {
                    "batch": str(batch),
                    "quantity": quantity,
                    "location": location,
                    "expiry": str(expiry),
                },
                by=by,
                key=key,
                guards_of=guards_of,
                act=lambda work: commands.receive(work, batch, quantity, location, expiry).value,
            )
        )

    # Holds, tickets, decisions

    def add_hold(
        self,
        kind: HoldKind,
        *,
        reason: Reason,
        by: str,
        batch: BatchKey | None = None,
        cartons: Sequence[str] = (),
        location: str = "",
        supplier: str = "",
        key: str | None = None,
    ) -> Hold:
        """From the moment this returns nothing it covers leaves (I1). Opens a ticket with it.

        Raises BadInputError where it does not say what it covers, NotFoundError.
        """
        wanted = f"H-{uuid.uuid4().hex[:12]}"

        def act(work: Work) -> str:
            decisions.raise_hold(
                work,
                wanted,
                kind,
                reason,
                batch=batch,
                cartons=cartons,
                location=location,
                supplier=supplier,
            )
            return wanted

        body = {
            "kind": kind.value,
            "batch": str(batch),
            "cartons": sorted(cartons),
            "location": location,
            "supplier": supplier,
            "reason": [reason.code, reason.params],
        }
        hold_id = self._command("hold", body, by=by, key=key, guards_of=None, act=act)
        return next(h for h in self.holds(open_only=False) if h.hold_id == hold_id)

    def decide_ticket(
        self,
        ticket_id: str,
        decision: UsageDecision,
        *,
        by: str,
        role: str,
        reason: str,
        key: str | None = None,
    ) -> Ticket:
        """The usage decision, by quality, with its reason. Only RELEASE lifts holds, and a hold
        that other undecided tickets name stays until they are decided too.

        Raises ForbiddenError, BadInputError, NotFoundError, ConflictError (decided already).
        """

        def act(work: Work) -> None:
            decisions.decide(work, ticket_id, decision, role=role, reason=reason)

        body = {"ticket": ticket_id, "decision": decision.value, "reason": reason}
        self._command("decide", body, by=by, key=key, guards_of=None, act=act)
        return self.ticket(ticket_id)

    def contain_ticket(self, ticket_id: str, *, by: str, note: str = "") -> Ticket:
        """The goods are safely set apart. Raises NotFoundError, ConflictError."""
        return self._advance(ticket_id, TicketState.CONTAINED, by=by, note=note)

    def close_ticket(self, ticket_id: str, *, by: str, note: str = "") -> Ticket:
        """What was decided is done. Raises NotFoundError, ConflictError."""
        return self._advance(ticket_id, TicketState.CLOSED, by=by, note=note)

    def assign_ticket(self, ticket_id: str, owner: str, *, by: str) -> Ticket:
        """Give a ticket to somebody. Raises NotFoundError."""
        self._write(lambda work: decisions.assign(work, ticket_id, owner), by=by)
        return self.ticket(ticket_id)

    def _advance(self, ticket_id: str, to: TicketState, *, by: str, note: str) -> Ticket:
        self._write(lambda w: ticketing.set_state(w, ticket_id, to, words=note), by=by)
        return self.ticket(ticket_id)

    def _on_reservation(
        self,
        name: str,
        reservation_id: int,
        act: Callable[[Work, int], None],
        *,
        by: str,
        key: str | None,
    ) -> None:
        self._command(
            name,
            {"reservation": reservation_id},
            by=by,
            key=key,
            guards_of=lambda c: commands.guards_of_reservation(c, reservation_id),
            act=lambda work: act(work, reservation_id),
        )

    # Transport

    def pending_transport(self) -> list[TransportOrder]:
        """Orders not yet sent, oldest first; held goods only towards quarantine."""
        return self._read(transport.pending)

    def open_transport(self) -> list[OpenTransport]:
        """Orders sent whose goods are not known to have arrived."""
        return self._read(transport.under_way)

    def transports(self) -> list[OpenTransport]:
        """The newest 200 orders in whatever state, newest first."""
        return self._read(transport.newest)

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
