"""The page of conflicts: what devices that were offline dispute, with every side, and what a person
can do about it: count again, confirm what was found, readmit a device (I6).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.domain.merge.entries import CORE
from erp_link.service.merge.carrying import Dispute, OfflineDevice, Side, Unconfirmed

COUNTERS = ("operator", "quality", "ops", "integrator")
READMITTERS = ("quality",)
_HERE = "/tickets/conflicts"
_COUNTED_AGAIN = (ConflictKind.COUNTS_DIFFER, ConflictKind.COUNT_CROSSED, ConflictKind.SHORT)
_GOODS = ("location", "counted", "expected", "change", "quantity", "source", "target", "quota")


class OfflineDesk(Protocol):
    """The core's desk of offline logs (erp_link.service.merge.desk.OfflineLogs)."""

    def disputes(self) -> Sequence[Dispute]: ...

    def unconfirmed(self) -> Sequence[Unconfirmed]: ...

    def devices(self) -> Sequence[OfflineDevice]: ...

    def recount(self, batch: BatchKey, location: str, counted: int, *, by: str) -> None:
        """Raises BadInputError."""
        ...

    def confirm(self, batch: BatchKey, location: str, *, by: str) -> int:
        """Raises InsufficientStockError, NotFoundError."""
        ...

    def readmit(self, device: str, *, reason: str, by: str) -> OfflineDevice:
        """Raises NotFoundError, ConflictError, BadInputError."""
        ...


def conflicts_router(desk: OfflineDesk, gate: Gate) -> APIRouter:
    """/tickets/conflicts and its three commands. Stands before /tickets/{ticket_id}."""
    router = APIRouter()

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "conflicts.html",
            disputes=await run_in_threadpool(desk.disputes),
            unconfirmed=await run_in_threadpool(desk.unconfirmed),
            devices=await run_in_threadpool(desk.devices),
            counted_again=_COUNTED_AGAIN,
            side_of=as_reason,
            may_count=viewer.may(*COUNTERS),
            may_readmit=viewer.may(*READMITTERS),
            viewer=viewer,
        )

    async def done(
        request: Request, roles: tuple[str, ...], act: Callable[[dict[str, str], str], object]
    ) -> Response:
        viewer = await gate.require(request, *roles)
        await gate.verify(request)
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        await run_in_threadpool(act, form, viewer.name)
        return RedirectResponse(_HERE, status_code=303)

    @router.post(f"{_HERE}/recount", include_in_schema=False)
    async def recount(request: Request) -> Response:
        return await done(
            request,
            COUNTERS,
            lambda form, by: desk.recount(_batch(form), _place(form), _number(form), by=by),
        )

    @router.post(f"{_HERE}/confirm", include_in_schema=False)
    async def confirm(request: Request) -> Response:
        return await done(
            request, COUNTERS, lambda form, by: desk.confirm(_batch(form), _place(form), by=by)
        )

    @router.post(f"{_HERE}/readmit", include_in_schema=False)
    async def readmit(request: Request) -> Response:
        return await done(
            request,
            READMITTERS,
            lambda form, by: desk.readmit(
                form.get("device", ""), reason=form.get("reason", ""), by=by
            ),
        )

    return router


def as_reason(side: Side) -> Reason:
    """What one side says, for the words of both languages."""
    body: dict[str, Any] = json.loads(side.body) if side.body else {}
    values: dict[str, str | int | float] = {
        name: body[name] for name in _GOODS if isinstance(body.get(name), str | int)
    }
    match side.kind:
        case "" if side.reference == CORE:
            return Reason("side_core")
        case "" if side.reference.startswith("H-"):
            return Reason("side_hold", {"note": side.reference})
        case "":
            return Reason(f"side_{side.reference}")
        case "held" | "hold":
            return Reason("side_hold", {"note": str(body.get("note") or side.reference)})
        case "released":
            holds = ", ".join(str(each) for each in body.get("holds", ()))
            return Reason("side_released", {"holds": holds, "reason": str(body.get("reason", ""))})
        case kind:
            return Reason(f"side_{kind}", values)


def _batch(form: dict[str, str]) -> BatchKey:
    return BatchKey(form.get("supplier", ""), form.get("gtin", ""), form.get("lot", ""))


def _place(form: dict[str, str]) -> str:
    return form.get("location", "")


def _number(form: dict[str, str]) -> int:
    text = form.get("counted", "")
    if not text.isdecimal():
        raise BadInputError(
            "The recount needs a number", mend="Write how many units stand there, 0 if none"
        )
    return int(text)
