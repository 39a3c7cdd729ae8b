"""What goods bear: the limits of classes and products, set by quality."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.excursions.ports import ExcursionDesk
from appliance.web.goods.fields import text, whole
from appliance.web.ports import Gate
from contracts.errors import BadInputError
from erp_link.domain.excursions.judging import number
from erp_link.domain.excursions.limits import Limits

SETTERS = ("quality",)
_HERE = "/excursions/limits"
DEGREES = ("floor", "low", "high", "ceiling")


def add_to(router: APIRouter, desk: ExcursionDesk, gate: Gate) -> None:
    """/excursions/limits."""

    async def page(request: Request, error: BadInputError | None) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "excursion_limits.html",
            status_code=422 if error else 200,
            limits=await run_in_threadpool(desk.limits),
            may_set=viewer.may(*SETTERS),
            degrees=DEGREES,
            number=number,
            error=error,
            viewer=viewer,
        )

    @router.get(_HERE, include_in_schema=False)
    async def show(request: Request) -> Response:
        return await page(request, None)

    @router.post(_HERE, include_in_schema=False)
    async def keep(request: Request) -> Response:
        viewer = await gate.require(request, *SETTERS)
        await gate.verify(request)
        form = await request.form()
        try:
            wanted = None if form.get("gone") else limits_in(form)
            subject = text(form, "subject")
            await run_in_threadpool(lambda: desk.set_limits(subject, wanted, by=viewer.name))
        except BadInputError as error:
            return await page(request, error)
        return RedirectResponse(_HERE, status_code=303)


def limits_in(form: FormData) -> Limits:
    """The form's fields; an empty one says nothing on that side. Raises BadInputError."""
    return Limits(
        low=_degrees(form, "low"),
        high=_degrees(form, "high"),
        floor=_degrees(form, "floor"),
        ceiling=_degrees(form, "ceiling"),
        allowed_minutes=whole(form, "allowed_minutes"),
        kinetic=_degrees(form, "kinetic"),
        kinetic_hours=whole(form, "kinetic_hours", default=24),
        usual=_degrees(form, "usual"),
    )


def _degrees(form: FormData, name: str) -> float | None:
    written = text(form, name).replace(",", ".").replace("\N{MINUS SIGN}", "-")
    if not written:
        return None
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInputError(
            f"{written[:20]!r} in the field {name} is no temperature",
            mend="Write a number like 8 or -18.5",
        )
    return value
