"""The core over HTTP: /api/v1, JSON, with OpenAPI from the same dataclasses.

Errors are TallymanErrors; the appliance turns them into RFC 9457 problems. Writes take an
`Idempotency-Key`: a repetition gives the first outcome, another body with the same key conflicts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from contracts.asn import Expectations
from contracts.errors import BadInputError
from erp_link.api import care as api_care
from erp_link.api import decisions as api_decisions
from erp_link.api import device_logs as api_device_logs
from erp_link.api import erp as api_erp
from erp_link.api import excursions as api_excursions
from erp_link.api import goods as api_goods
from erp_link.api import judging as api_judging
from erp_link.api import orders as api_orders
from erp_link.api import quality as api_quality
from erp_link.api import stock as api_stock
from erp_link.api import transport as api_transport
from erp_link.api.paging import Paged
from erp_link.api.shapes import READERS, WORKERS, AsnImported, Key, SessionIn, SessionOut
from erp_link.api.tagged import Tagged
from erp_link.asn.files import MAX_BYTES, parse_asn
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.ports import Auth
from erp_link.service.care.desks import CareDesks
from erp_link.service.core import AsnSummary, Core
from erp_link.service.erp.desk import ErpDesk

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/edi-x12": {"schema": {"type": "string"}},
            "application/ld+json": {"schema": {"type": "object"}},
        },
    }
}


def router(
    core_provider: Callable[[], Core],
    auth: Auth,
    *,
    policy: DecisionPolicy | None = None,
    care: CareDesks | None = None,
    erp: ErpDesk | None = None,
) -> APIRouter:
    """The routes, over whatever core `core_provider` gives at the time of a request.

    `auth(*roles)` is a dependency that returns who is asking (erp_link.ports.Auth); `policy` says
    whether usage decisions are signed, and which of them by two people. `care` are the desks that
    pages use too.
    """
    api = APIRouter(prefix="/api/v1", route_class=Tagged)
    needs_core = Depends(core_provider)
    reader, worker = Depends(auth(*READERS)), Depends(auth(*WORKERS))
    _add_deliveries(api, needs_core, reader, worker)
    api_stock.add_to(api, needs_core, reader, worker)
    api_transport.add_to(api, needs_core, reader, worker)
    quality = Depends(auth("quality"))
    api_quality.add_to(api, needs_core, reader, worker, quality)
    rules = policy or DecisionPolicy()
    for about_decisions in (api_decisions, api_device_logs):
        about_decisions.add_to(
            api, core_provider, rules, reader=reader, worker=worker, quality=quality
        )
    api_orders.add_to(
        api, needs_core, reader, worker, Depends(auth("quality", "ops", "integrator"))
    )
    planner = Depends(auth("ops", "quality", "integrator"))
    api_goods.add_to(api, needs_core, reader=reader, worker=worker, planner=planner)
    api_care.add_to(api, care or CareDesks(core_provider), reader=reader, planner=planner)
    api_excursions.add_to(
        api, core_provider, reader=reader, worker=worker, quality=quality, planner=planner
    )
    api_judging.add_to(api, core_provider, reader=reader, quality=quality)
    if erp is not None:
        mender = Depends(auth("ops", "quality", "integrator"))
        api_erp.add_to(api, erp, reader=reader, mender=mender)
    return api


def _add_deliveries(api: APIRouter, needs_core: Any, reader: Any, worker: Any) -> None:
    @api.get("/asns", tags=["deliveries"], dependencies=[reader])
    def asns(page: Paged, core: Core = needs_core) -> list[AsnSummary]:
        """Announced deliveries, newest first."""
        found = core.asns(before=page.moment(), limit=page.limit + 1)
        return page.of(found, lambda each: (each.imported_at.isoformat(), each.number))

    @api.post("/asns", tags=["deliveries"], status_code=201, openapi_extra=_UPLOAD)
    async def import_asn(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=120, description="The file's name")],
        key: Key = None,
        core: Core = needs_core,
        who: Any = worker,
    ) -> AsnImported:
        """Import an announced list: CSV, X12 856 or EPCIS 2.0 as the body. Whole, or not at all."""
        data = await _body(request)
        asn = await run_in_threadpool(parse_asn, data, name=name)
        await run_in_threadpool(core.import_asn, asn, by=who.name, key=key)
        return AsnImported(asn.number, asn.supplier, len(asn.lines))

    @api.get("/sessions", tags=["deliveries"], dependencies=[reader])
    def sessions(page: Paged, core: Core = needs_core) -> list[SessionOut]:
        """Receiving sessions with their counts, newest first."""
        (before,) = page.strings(1) or (None,)
        found = core.sessions(before=before, limit=page.limit + 1)
        return [SessionOut.of(each) for each in page.of(found, lambda row: (row.session,))]

    @api.post("/sessions", tags=["deliveries"], status_code=201)
    def open_session(
        body: SessionIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> SessionOut:
        """Start to receive an announced delivery."""
        session = core.open_session(body.asn, dock=body.dock, by=who.name, key=key)
        return SessionOut.of(core.session_report(session))

    @api.get("/sessions/{session}", tags=["deliveries"], dependencies=[reader])
    def session_report(session: str, core: Core = needs_core) -> SessionOut:
        """Announced against counted: over, short, damaged, in review, off the list."""
        return SessionOut.of(core.session_report(session))

    @api.post("/sessions/{session}/close", tags=["deliveries"])
    def close_session(
        session: str, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> SessionOut:
        """End a session; its report."""
        return SessionOut.of(core.close_session(session, by=who.name, key=key))

    @api.get("/expectations", tags=["deliveries"], dependencies=[reader])
    def expectations(
        station: Annotated[str | None, Query(max_length=120)] = None, core: Core = needs_core
    ) -> Expectations:
        """What a station is told, or without one the newest delivery; `version` grows with every
        change.
        """
        return core.expectations(station)


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise BadInputError("The file is larger than 32 MiB", mend="Split the delivery")
    return bytes(data)
