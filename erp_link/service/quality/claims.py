"""What a claim on a delivery rests on: counts, cartons with their pictures, tickets, decisions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from contracts.stock import Ticket
from erp_link.adapters import tables as t
from erp_link.domain.receiving import DeliveryReport
from erp_link.service import reports, ticketing
from erp_link.service.core import Core
from erp_link.service.quality.dossier import CartonFact, cartons_of, tickets_about
from erp_link.service.quality.records import DecisionRecord, read_decisions
from erp_link.service.sessions import number_of


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery's facts. `heads` are the last journal hashes that the core applied of each device
    that judged cartons of it, by device: (sequence, hash).
    """

    report: DeliveryReport
    cartons: tuple[CartonFact, ...]
    tickets: tuple[Ticket, ...]
    decisions: tuple[DecisionRecord, ...]
    heads: dict[str, tuple[int, str]]

    @property
    def pictures(self) -> tuple[str, ...]:
        """Every picture's SHA-256, once."""
        names = [sha256 for carton in self.cartons for sha256 in carton.pictures]
        names += [item.sha256 for ticket in self.tickets for item in ticket.evidence]
        return tuple(sorted(set(names)))


def claim(core: Core, session: str) -> Claim:
    """The facts of a receiving session, read in one transaction. Raises NotFoundError."""

    def ask(connection: Connection) -> Claim:
        report = reports.report(connection, session)
        cartons = cartons_of(connection, t.carton.c.session_id == number_of(session))
        ids = tickets_about(connection, [carton.carton_id for carton in cartons])
        tickets = ticketing.read_tickets(connection, only=ids)
        decisions = [made for name in ids for made in read_decisions(connection, ticket=name)]
        devices = sorted({carton.device for carton in cartons})
        heads = connection.execute(select(t.device).where(t.device.c.device.in_(devices)))
        return Claim(
            report,
            tuple(cartons),
            tuple(tickets),
            tuple(sorted(decisions, key=lambda made: made.decision_id)),
            {row.device: (row.seq, row.hash) for row in heads},
        )

    return core.read(ask)
