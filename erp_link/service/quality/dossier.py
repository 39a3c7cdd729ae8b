"""One batch, one time line: what was announced, judged, held, moved, measured and decided (I4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, Text, cast, select

from contracts.reason import Reason
from contracts.stock import BatchKey, BatchSummary, Evidence, Hold, Ticket
from erp_link.adapters import clock_floor
from erp_link.adapters import read_tables as r
from erp_link.adapters import tables as t
from erp_link.service import holding, queries, ticketing
from erp_link.service.core import Core
from erp_link.service.quality.records import DecisionRecord, Signature, read_decisions
from erp_link.service.ticketing import chunks
from erp_link.service.work import find_batch


@dataclass(frozen=True, slots=True)
class TemperatureSpan:
    """What a sensor near the goods measured over a while; `left_range` where it was too warm or cold."""

    at: datetime
    until: datetime
    sensor: str
    least_celsius: float
    most_celsius: float
    left_range: bool = False


class Temperatures(Protocol):
    """Whoever knows what the goods went through; nobody where no sensor is installed."""

    def of_batch(
        self, batch: BatchKey, since: datetime, until: datetime
    ) -> Sequence[TemperatureSpan]: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the time line. `what` is an event's kind, `signed` or `measured`."""

    at: datetime
    what: str
    by: str
    text: Reason
    reference: str = ""
    pictures: tuple[Evidence, ...] = ()
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class CartonFact:
    """A carton as the books have it now. `reasons` are its judgement's; `judged_by` names the
    device's journal entry.
    """

    carton_id: str
    state: str
    status: str
    location: str
    quantity: int
    station: str
    device: str
    judged_at: datetime
    judged_by: str = ""
    reasons: tuple[Reason, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that is known of a batch, oldest first. `temperatures` None: nobody measures."""

    key: BatchKey
    summary: BatchSummary
    entries: tuple[Entry, ...]
    cartons: tuple[CartonFact, ...]
    holds: tuple[Hold, ...]
    tickets: tuple[Ticket, ...]
    decisions: tuple[DecisionRecord, ...]
    temperatures: tuple[TemperatureSpan, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    summary: BatchSummary
    cartons: list[CartonFact]
    holds: list[Hold]
    tickets: list[Ticket]
    decisions: list[DecisionRecord]
    entries: list[Entry] = field(default_factory=list)


def dossier(core: Core, batch: BatchKey, temperatures: Temperatures | None = None) -> Dossier:
    """The dossier of a batch, read in one transaction. Raises NotFoundError."""
    zone = core.zone

    def ask(connection: Connection) -> _Parts:
        row = find_batch(connection, batch)
        cartons = cartons_of(connection, t.carton.c.batch_id == row.id)
        names = {carton.carton_id for carton in cartons}
        own = select(t.ticket.c.ticket_id).where(t.ticket.c.batch_id == row.id)
        wanted = tickets_about(connection, names).union(connection.execute(own).scalars())
        tickets = ticketing.read_tickets(connection, only=wanted)
        named = {hold_id for ticket in tickets for hold_id in ticket.hold_ids}
        of_batch = (t.hold.c.batch_id == row.id) | t.hold.c.hold_id.in_(sorted(named))
        holds = holding.read_holds(connection, open_only=False, only=of_batch)
        return _Parts(
            queries.batch(
                connection,
                batch,
                now=clock_floor.at_least(connection, core.clock.now()),
                zone=zone,
            ),
            cartons,
            holds,
            tickets,
            read_decisions(connection, batch_id=row.id),
            [
                Entry(each.at, each.what, each.by, each.text, each.reference)
                for each in queries.batch_story(connection, batch)
            ],
        )

    parts = core.read(ask)
    measured: tuple[TemperatureSpan, ...] | None = None
    if temperatures is not None and parts.entries:
        measured = tuple(temperatures.of_batch(batch, parts.entries[0].at, core.clock.now()))
    return Dossier(
        batch,
        parts.summary,
        time_line(parts.entries, parts.tickets, parts.decisions, measured or (), parts.cartons),
        tuple(parts.cartons),
        tuple(parts.holds),
        tuple(parts.tickets),
        tuple(parts.decisions),
        measured,
    )


def time_line(
    events: Sequence[Entry],
    tickets: Sequence[Ticket],
    decisions: Sequence[DecisionRecord],
    measured: Sequence[TemperatureSpan],
    cartons: Sequence[CartonFact],
) -> tuple[Entry, ...]:
    """Everything by time: pictures stand beside the judgement that they show, signatures and
    measurements are lines of their own.
    """
    shown = {ticket.carton_id: ticket.evidence for ticket in tickets if ticket.carton_id}
    shown |= {
        carton.carton_id: tuple(Evidence("label", sha256) for sha256 in carton.pictures)
        for carton in cartons
        if carton.carton_id not in shown
    }
    lines = [
        Entry(each.at, each.what, each.by, each.text, each.reference, shown[each.reference])
        if each.what == "judged" and each.reference in shown
        else each
        for each in events
    ]
    for made in decisions:
        for signature in made.signatures:
            text = Reason("dossier_signed", {"decision": made.decision, "ticket": made.ticket_id})
            lines.append(
                Entry(
                    signature.at,
                    "signed",
                    signature.person,
                    text,
                    made.ticket_id,
                    signature=signature,
                )
            )
    for span in measured:
        values: dict[str, str | int | float] = {
            "sensor": span.sensor,
            "least": f"{span.least_celsius:.1f}",
            "most": f"{span.most_celsius:.1f}",
        }
        code = "dossier_out_of_range" if span.left_range else "dossier_measured"
        lines.append(Entry(span.at, "measured", span.sensor, Reason(code, values)))
    # Stable: what the books have in one order at one moment stays in it.
    return tuple(sorted(lines, key=lambda line: line.at))


def tickets_about(connection: Connection, cartons: Collection[str]) -> set[str]:
    """The tickets that name one of these cartons. Those that name several are about their batch, or
    about no batch at all.
    """
    names = set(cartons)
    found: set[str] = set()
    for part in chunks(sorted(names)):
        batches = select(t.carton.c.batch_id).where(t.carton.c.carton_id.in_(part)).distinct()
        rows = connection.execute(
            select(t.ticket.c.ticket_id, t.ticket.c.carton_id, t.ticket.c.cartons).where(
                t.ticket.c.carton_id.in_(part)
                | t.ticket.c.batch_id.in_(batches)
                | (t.ticket.c.batch_id.is_(None) & (cast(t.ticket.c.cartons, Text) != "[]"))
            )
        )
        found.update(
            row.ticket_id
            for row in rows
            if row.carton_id in names or names.intersection(row.cartons)
        )
    return found


def cartons_of(connection: Connection, which: ColumnElement[bool]) -> list[CartonFact]:
    """Cartons with what was read of them, by name; `which` is a condition on the carton table."""
    query = (
        select(
            t.carton, r.carton_read.c.judged_by, r.carton_read.c.reasons, r.carton_read.c.pictures
        )
        .join(r.carton_read, r.carton_read.c.carton_id == t.carton.c.carton_id, isouter=True)
        .where(which)
        .order_by(t.carton.c.carton_id)
    )
    return [
        CartonFact(
            carton_id=row.carton_id,
            state=row.state,
            status=row.status,
            location=row.location,
            quantity=row.quantity,
            station=row.station,
            device=row.device,
            judged_at=row.judged_at,
            judged_by=row.judged_by or "",
            reasons=tuple(Reason(each["code"], each["params"]) for each in row.reasons or ()),
            pictures=tuple(row.pictures or ()),
        )
        for row in connection.execute(query)
    ]
