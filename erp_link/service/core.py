"""The core's face: every command and every question, over one database (I1, I2).

Commands are guarded, observations are never refused. Each method is one transaction; methods are
synchronous and safe to call from many threads.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection, insert, select

from contracts.asn import Asn, Expectations
from contracts.clock import Clock
from contracts.events import (
    CameraChanged,
    CartonJudged,
    CartonRejudged,
    CartonSettled,
    DeviceStarted,
    EventBody,
    JournalEntry,
    ModelSetsActivated,
    ShadowJudged,
)
from contracts.modules import FailedCheck, ModuleEvent
from contracts.stock import (
    BatchEvent,
    BatchKey,
    BatchSummary,
    OpenTransport,
    TransportOrder,
    TransportProgress,
)
from contracts.telemetry import AlarmChanged
from erp_link.adapters import clock_floor, database
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guarding
from erp_link.domain.effects import Applied, Effect
from erp_link.domain.places import QUARANTINE, STAGING, PlaceKind, SiteLayout
from erp_link.domain.products import Temperature
from erp_link.domain.reads import Facet
from erp_link.domain.receiving import DeliveryReport
from erp_link.service import (
    cartons as judgements,
)
from erp_link.service import (
    devices,
    lessons,
    modules,
    queries,
    read_queries,
    reads,
    reports,
    sessions,
)
from erp_link.service.commands import Reservation
from erp_link.service.core_commands import Commands
from erp_link.service.excursions import apart
from erp_link.service.excursions import intake as alarms
from erp_link.service.judging import entries as one_judge
from erp_link.service.lessons import ProfileEvent
from erp_link.service.missions import reading as waybills
from erp_link.service.missions import strangers
from erp_link.service.progress import guards_of, progressed
from erp_link.service.queries import DeviceSeen, StockLine
from erp_link.service.read_queries import (
    BandTally,
    QuarterTally,
    ReadFrame,
    ReadTally,
    ReadWindow,
    Scored,
)
from erp_link.service.reports import AsnSummary
from erp_link.service.work import Work

__all__ = [
    "Applied",
    "AsnSummary",
    "Core",
    "DeliveryReport",
    "DeviceSeen",
    "Effect",
    "ProfileEvent",
    "Reservation",
    "StockLine",
]


_STATIONS = 256
"""Answers kept in memory; a name that nobody gave a station must not grow it for ever."""


class Core(Commands):
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
        self._told: dict[str | None, Expectations] = {}
        database.write(self.engine, lambda c: _seed(c, layout or SiteLayout()))

    # Deliveries

    def import_asn(self, asn: Asn, *, by: str, key: str | None = None) -> str:
        """Keep an announced list; its number. The same list again changes nothing.

        Raises ConflictError where the number is known with other lines.
        """
        self.command(
            "import_asn",
            {"asn": asn.number, "digest": sessions.digest_of(asn)},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: sessions.import_asn(work, asn),
        )
        return asn.number

    def asns(
        self,
        *,
        waiting: bool = False,
        before: tuple[datetime, str] | None = None,
        limit: int | None = None,
    ) -> list[AsnSummary]:
        """Announced deliveries, newest first; those without a session wait at the gate (`waiting`:
        only those). At most `limit` of those imported before `(when, number)`.
        """
        return self.read(
            lambda c: reports.announced(c, waiting=waiting, before=before, limit=limit)
        )

    def open_session(self, asn_number: str, *, dock: str, by: str, key: str | None = None) -> str:
        """Start to receive an announced delivery; the session's id.

        Raises NotFoundError, and ConflictError where it is being received already.
        """
        return str(
            self.command(
                "open_session",
                {"asn": asn_number, "dock": dock},
                by=by,
                key=key,
                guards_of=None,
                act=lambda work: sessions.open_session(work, asn_number, dock),
            )
        )

    def close_session(self, session: str, *, by: str, key: str | None = None) -> DeliveryReport:
        """End a session; its report. Raises NotFoundError, ConflictError."""
        self.command(
            "close_session",
            {"session": session},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: sessions.close_session(work, session),
        )
        return self.session_report(session)

    def session_report(self, session: str) -> DeliveryReport:
        """Announced against counted: over, short, damaged, in review, off the list."""
        return self.read(lambda c: reports.report(c, session))

    def sessions(
        self, *, before: str | None = None, limit: int | None = None
    ) -> list[DeliveryReport]:
        """The reports of all sessions, newest first; at most `limit` of those older than `before`."""
        return self.read(
            lambda c: [
                reports.report(c, name)
                for name in reports.all_sessions(c, before=before, limit=limit)
            ]
        )

    def expectations(self, station: str | None = None) -> Expectations:
        """What a station is told: the newest session open at its own dock, else the only one open
        in the house, else none. Without a station, the newest one open anywhere.

        `version` grows with every change. Answers are kept by version, which is read each time:
        another process may have written.
        """

        def ask(connection: Connection) -> Expectations:
            known = self._told.get(station)
            if known is not None and known.version == reports.version(connection):
                return known
            return reports.expectations(connection, station)

        answer = self.read(ask)
        if len(self._told) < _STATIONS or station in self._told:
            self._told[station] = answer
        return answer

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
                case AlarmChanged():
                    alarms.recorded(work, entry, body)
                case CartonRejudged() | ModelSetsActivated() | ShadowJudged():
                    one_judge.recorded(work, entry, body)
                case _:
                    lessons.recorded(work, entry, body)
            reads.project(work.connection, entry, body)
            return Applied(duplicate=False, effects=tuple(work.effects))

        return self.write(booked, by=entry.device)

    def set_aside(self, entry: JournalEntry, why: str) -> Applied:
        """Go past an entry that cannot be booked: a ticket says so, exactly once by (device, seq)."""

        def booked(work: Work) -> Applied:
            if not devices.advance(work, entry):
                return Applied(duplicate=True)
            apart.set_aside(work, entry, why)
            return Applied(duplicate=False, effects=tuple(work.effects))

        return self.write(booked, by=entry.device)

    def device_head(self, device: str) -> tuple[int, str]:
        """Sequence and hash of the last entry applied; (0, "") for a device not heard of."""
        return self.read(lambda c: devices.head(c, device))

    def profile_events(self) -> list[ProfileEvent]:
        """What stations taught, undid, enrolled and put in force, oldest first."""
        return self.read(lessons.events)

    def devices(self) -> list[DeviceSeen]:
        """Every device that sent an entry, with its cameras, for the health page."""
        return self.read(queries.devices)

    # Transport

    def pending_transport(self) -> list[TransportOrder]:
        """Orders not yet sent, oldest first; held goods only towards quarantine."""
        return self.read(lambda c: waybills.pending(c, now=self._at_least(c), zone=self.zone))

    def open_transport(self) -> list[OpenTransport]:
        """Orders sent whose goods are not known to have arrived."""
        return self.read(waybills.under_way)

    def transports(self) -> list[OpenTransport]:
        """The newest 200 orders in whatever state, newest first."""
        return self.read(waybills.newest)

    def find_transport(self, order_id: str) -> OpenTransport | None:
        """One order in whatever state; None for one that is not ours."""
        return self.read(lambda c: waybills.find(c, order_id))

    def was_sent(self, order_id: str, vehicle: str) -> bool:
        """Whether an order was ever sent to this vehicle: no other can have worked on it."""
        return self.read(lambda c: strangers.was_sent(c, order_id, vehicle))

    def transport_progress(self, progress: TransportProgress) -> None:
        """Book what a vehicle did; idempotent by (vehicle, order, action).

        SENT is a command and may be refused (NotFoundError, ConflictError, HeldError); whatever
        comes after it is an observation and never refused.
        """

        def booked(work: Work) -> None:
            work.take(guards_of(work.connection, progress))
            progressed(work, progress)

        self.write(booked, by=progress.vehicle)

    def module_event(
        self, event: ModuleEvent, *, failed_check: FailedCheck = FailedCheck.CARTON
    ) -> Applied:
        """Book what a module station said, once for each (station, event_id); never refused.

        `failed_check` is the site's policy: what a check that failed holds.
        """
        return self.write(
            lambda work: modules.said(work, event, failed_check=failed_check), by=event.station
        )

    # Questions

    def batches(
        self, *, after: tuple[str, str, str] | None = None, limit: int | None = None
    ) -> list[BatchSummary]:
        """Every batch that is announced or was ever here, or `limit` of them after (GTIN, lot,
        supplier).
        """
        return self.read(
            lambda c: queries.batches(
                c, now=self._at_least(c), zone=self.zone, after=after, limit=limit
            )
        )

    def batch(self, key: BatchKey) -> BatchSummary:
        """One batch, and whether it may leave. Raises NotFoundError."""
        return self.read(lambda c: queries.batch(c, key, now=self._at_least(c), zone=self.zone))

    def batch_story(self, key: BatchKey) -> list[BatchEvent]:
        """Everything that happened to a batch, oldest first. Raises NotFoundError."""
        return self.read(lambda c: queries.batch_story(c, key))

    def stock_by_location(
        self, *, after: tuple[str, ...] | None = None, limit: int | None = None
    ) -> list[StockLine]:
        """What stands where; at most `limit` lines after `(location, gtin, lot, supplier, status)`."""
        return self.read(lambda c: queries.stock_by_location(c, after=after, limit=limit))

    # Reading

    def read_facets(self) -> list[Facet]:
        """Every camera, supplier, carrier, print, source and model set seen together."""
        return self.read(read_queries.facets)

    def read_tallies(self, window: ReadWindow) -> tuple[list[ReadTally], list[QuarterTally]]:
        """The cartons of a window, counted by everything but time, and by time."""
        return self.read(
            lambda c: (read_queries.tallies(c, window), read_queries.by_quarter(c, window))
        )

    def read_frames(
        self, window: ReadWindow, *, most: int, skip: int = 0
    ) -> tuple[int, list[ReadFrame]]:
        """How many cartons a window holds, and `most` of them, newest first."""
        return self.read(lambda c: read_queries.frames(c, window, most=most, skip=skip))

    def read_scored(self, since_quarter: int, *, most: int) -> list[Scored]:
        """Readings whose truth is known, oldest first; the newest `most` of them."""
        return self.read(lambda c: read_queries.scored(c, since_quarter, most=most))

    def read_bands(self, since_quarter: int) -> list[BandTally]:
        """How often each confidence was stated, by model set and week."""
        return self.read(lambda c: read_queries.bands(c, since_quarter))

    def read_again(self, entry: JournalEntry, body: EventBody) -> None:
        """Fill the read rates from a journal again; nothing is booked and no head moves."""
        database.write(self.engine, lambda c: reads.project(c, entry, body))

    def _at_least(self, connection: Connection) -> datetime:
        return clock_floor.at_least(connection, self.clock.now())


def _seed(connection: Connection, layout: SiteLayout) -> None:
    """The site's places; what is there already stays as it is."""
    known = set(connection.execute(select(t.location.c.code)).scalars())
    wanted = [
        (QUARANTINE, PlaceKind.QUARANTINE, 0, Temperature.AMBIENT),
        (STAGING, PlaceKind.STAGING, 0, Temperature.AMBIENT),
        *((slot.code, PlaceKind.SLOT, slot.capacity, slot.temperature) for slot in layout.slots),
    ]
    rows = [
        {
            "code": code,
            "kind": kind.value,
            "capacity": capacity,
            "used": 0,
            "position": position,
            "temperature": temperature.value,
        }
        for position, (code, kind, capacity, temperature) in enumerate(wanted)
        if code not in known
    ]
    if rows:
        connection.execute(insert(t.location), rows)
