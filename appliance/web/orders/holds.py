"""Raise a hold by hand: a batch, so many units of it, named cartons, a place or a supplier (I1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.ports import Gate
from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.stock import BatchKey, Hold, HoldKind

HOLDERS = ("operator", "quality", "ops", "integrator")
_NOTE = 400


class Holder(Protocol):
    """erp_link.service.core.Core."""

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
        quantity: int = 0,
    ) -> Hold:
        """Raises BadInputError, NotFoundError."""
        ...


def holding_router(holder: Holder, gate: Gate) -> APIRouter:
    """POST /holds."""
    router = APIRouter()

    @router.post("/holds", include_in_schema=False)
    async def hold(request: Request) -> Response:
        viewer = await gate.require(request, *HOLDERS)
        await gate.verify(request)
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        raised = await run_in_threadpool(raise_hold, holder, form, by=viewer.name)
        return RedirectResponse(f"/holds?q={quote(raised.hold_id)}", status_code=303)

    return router


def raise_hold(holder: Holder, form: Mapping[str, str], *, by: str) -> Hold:
    """The hold that a form describes. Raises BadInputError for what is missing, NotFoundError."""
    note = form.get("note", "")
    if not note or len(note) > _NOTE:
        raise BadInputError("A hold needs its reason", mend=f"Write why, in 1 to {_NOTE} letters")
    reason = Reason("held_by_hand", {"note": note})
    supplier, place = form.get("supplier", ""), form.get("location", "")
    batch = BatchKey(supplier, form.get("gtin", "").zfill(14), form.get("lot", ""))
    match form.get("kind", ""):
        case HoldKind.BATCH:
            return holder.add_hold(HoldKind.BATCH, batch=batch, reason=reason, by=by)
        case HoldKind.QUANTITY:
            units = form.get("quantity", "")
            if not (units.isascii() and units.isdigit() and 0 < len(units) <= 9):  # noqa: PLR2004 -- more units than any house holds
                raise BadInputError(f"The quantity is {units!r}", mend="Write a whole number")
            return holder.add_hold(
                HoldKind.QUANTITY,
                batch=batch,
                quantity=int(units),
                location=place,
                reason=reason,
                by=by,
            )
        case HoldKind.CARTONS:
            names = [name.strip() for name in form.get("cartons", "").split(",") if name.strip()]
            return holder.add_hold(HoldKind.CARTONS, cartons=names, reason=reason, by=by)
        case HoldKind.LOCATION:
            return holder.add_hold(HoldKind.LOCATION, location=place, reason=reason, by=by)
        case HoldKind.SUPPLIER:
            return holder.add_hold(HoldKind.SUPPLIER, supplier=supplier, reason=reason, by=by)
        case other:
            raise BadInputError(
                f"{other!r} is nothing that can be held",
                mend="Choose a batch, a quantity, cartons, a place or a supplier",
            )
