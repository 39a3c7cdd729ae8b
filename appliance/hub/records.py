"""The stock core as the pages ask for it: its reports as rows, its commands by name."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.web.ports import AsnRow, SessionRow, Sheet, SheetLine
from contracts.asn import Asn
from contracts.errors import NotFoundError
from contracts.stock import BatchEvent, BatchKey, BatchSummary, Hold, Ticket, UsageDecision
from erp_link.domain.receiving import CartonState, DeliveryReport, OffListCarton
from erp_link.service.core import Core


class CoreRecords:
    """Implements appliance.web.ports.Records."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def batches(self) -> Sequence[BatchSummary]:
        return self._core.batches()

    def batch_story(self, key: BatchKey) -> Sequence[BatchEvent]:
        story = self._core.batch_story(key)
        if not story:
            raise NotFoundError(
                f"Batch {key} is not known here", mend="Look it up in the list of batches"
            )
        return story

    def holds(self) -> Sequence[Hold]:
        return self._core.holds(open_only=False)

    def tickets(self) -> Sequence[Ticket]:
        return self._core.tickets()

    def ticket(self, ticket_id: str) -> Ticket:
        return self._core.ticket(ticket_id)

    def decide(self, ticket_id: str, decision: UsageDecision, *, reason: str, by: str) -> Ticket:
        return self._core.decide_ticket(ticket_id, decision, reason=reason, by=by)

    def sessions(self) -> Sequence[SessionRow]:
        return [_row(report) for report in self._core.sessions()]

    def sheet(self, session: str) -> Sheet:
        report = self._core.session_report(session)
        announced = [
            SheetLine(
                number=line.line.number,
                gtin=line.line.gtin,
                batch=line.line.batch,
                expiry=line.line.expiry,
                announced=line.announced,
                counted=line.counted,
                damaged=line.damaged,
                description=line.line.description,
            )
            for line in report.lines
        ]
        return Sheet(_row(report), (*announced, *map(_off_list, report.off_list)))

    def waiting_asns(self) -> Sequence[AsnRow]:
        return [
            AsnRow(asn.number, asn.supplier, len(asn.lines), sum(x.quantity for x in asn.lines))
            for asn in self._core.asns_waiting()
        ]

    def import_asn(self, asn: Asn, *, by: str) -> None:
        self._core.import_asn(asn, by=by)

    def open_session(self, asn: str, *, dock: str, by: str) -> str:
        return self._core.open_session(asn, dock=dock, by=by)

    def close_session(self, session: str, *, by: str) -> None:
        self._core.close_session(session, by=by)


def _row(report: DeliveryReport) -> SessionRow:
    return SessionRow(
        session=report.session,
        asn=report.asn,
        supplier=report.supplier,
        dock=report.dock,
        opened_at=report.opened_at,
        opened_by=report.opened_by,
        announced=report.announced,
        counted=report.counted,
        closed_at=report.closed_at,
    )


def _off_list(carton: OffListCarton) -> SheetLine:
    refused = carton.state is CartonState.REFUSED
    return SheetLine(
        number=0,
        gtin=carton.batch.gtin if carton.batch else "",
        batch=carton.batch.lot if carton.batch else "",
        expiry=None,
        announced=0,
        counted=1,
        damaged=int(refused),
        description=carton.carton_id,
    )
