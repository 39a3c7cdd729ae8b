"""The stock core behind the pages' port: its reports as the rows that the pages show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from appliance.web.ports import AsnRow, Listed, SessionRow, Sheet, SheetLine
from contracts.asn import Asn
from contracts.stock import (
    BatchEvent,
    BatchKey,
    BatchSummary,
    Hold,
    Ticket,
)
from erp_link.domain.receiving import CartonState, DeliveryReport, OffListCarton
from erp_link.service.core import Core
from erp_link.service.goods.acceptance import Acceptances
from erp_link.service.lists import Lists, Window

T = TypeVar("T")
_DAMAGED = (CartonState.DAMAGED, CartonState.REFUSED)


def session_row(report: DeliveryReport) -> SessionRow:
    """A session's row: every carton counts, also those that are on no line."""
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


def sheet_of(report: DeliveryReport) -> Sheet:
    """The tally sheet: announced lines in list order, then what nobody announced, by batch."""
    lines = [
        SheetLine(
            number=line.line.number,
            gtin=line.line.gtin,
            batch=line.line.batch,
            expiry=line.line.expiry,
            announced=line.announced,
            counted=line.counted,
            damaged=line.damaged,
            in_review=line.in_review,
            description=line.line.description,
            unit=line.line.unit,
        )
        for line in report.lines
    ]
    others: dict[BatchKey | None, list[OffListCarton]] = {}
    for carton in report.off_list:
        others.setdefault(carton.batch, []).append(carton)
    for key, cartons in others.items():
        waiting = sum(carton.state is CartonState.REVIEW for carton in cartons)
        lines.append(
            SheetLine(
                number=0,
                gtin=key.gtin if key else "",
                batch=key.lot if key else "",
                expiry=None,
                announced=0,
                counted=sum(carton.quantity for carton in cartons if carton.off_list),
                damaged=sum(carton.quantity for carton in cartons if carton.state in _DAMAGED),
                in_review=waiting if key is None else 0,
            )
        )
    return Sheet(session_row(report), tuple(lines))


def _listed(window: Window[T]) -> Listed[T]:
    return Listed(window.rows, window.found, window.total)


class CoreRecords:
    """appliance.web.ports.Records over erp_link's Core."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lists = Lists(core)

    def batches(self, query: str, *, skip: int, most: int) -> Listed[BatchSummary]:
        return _listed(self._lists.batches(query, skip=skip, most=most))

    def batch(self, key: BatchKey) -> BatchSummary:
        return self._core.batch(key)

    def batch_story(self, key: BatchKey) -> Sequence[BatchEvent]:
        return self._core.batch_story(key)

    def holds(self, query: str, *, skip: int, most: int) -> Listed[Hold]:
        return _listed(self._lists.holds(query, skip=skip, most=most))

    def holds_on(self, key: BatchKey) -> Sequence[Hold]:
        return self._lists.holds_on(key)

    def holds_named(self, ids: Collection[str]) -> Sequence[Hold]:
        return self._lists.holds_named(ids)

    def tickets(self, query: str, *, skip: int, most: int) -> Listed[Ticket]:
        return _listed(self._lists.tickets(query, skip=skip, most=most))

    def ticket(self, ticket_id: str) -> Ticket:
        return self._core.ticket(ticket_id)

    def sessions(self, *, skip: int, most: int) -> Listed[SessionRow]:
        window = self._lists.sessions(skip=skip, most=most)
        rows = [
            SessionRow(
                session=row.session,
                asn=row.asn,
                supplier=row.supplier,
                dock=row.dock,
                opened_at=row.opened_at,
                opened_by=row.opened_by,
                announced=row.announced,
                counted=row.counted,
                closed_at=row.closed_at,
            )
            for row in window.rows
        ]
        return Listed(rows, window.found, window.total)

    def sheet(self, session: str) -> Sheet:
        waiting = Acceptances(self._core).waiting()
        return replace(
            sheet_of(self._core.session_report(session)),
            waiting=sum(row.session == session for row in waiting),
        )

    def docks(self) -> Sequence[str]:
        return sorted({device.station for device in self._core.devices() if device.station})

    def waiting_asns(self) -> Sequence[AsnRow]:
        return [
            AsnRow(asn.number, asn.supplier, asn.lines, asn.quantity)
            for asn in self._core.asns(waiting=True)
        ]

    def import_asn(self, asn: Asn, *, by: str) -> None:
        self._core.import_asn(asn, by=by)

    def open_session(self, asn: str, *, dock: str, by: str) -> str:
        return self._core.open_session(asn, dock=dock, by=by)

    def close_session(self, session: str, *, by: str) -> None:
        self._core.close_session(session, by=by)
