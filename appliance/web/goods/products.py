"""Products: in which units they are counted, how they are kept, and when their dates act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.app import pages_of
from appliance.web.goods.fields import text, units, whole
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from contracts.errors import BadInputError, ConflictError, TallymanError
from contracts.gs1 import normalise_gtin
from erp_link.domain.allocation import Rotation
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.products import Mover, Product, Temperature
from erp_link.domain.sampling import AQLS, Level, SamplingRule
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.goods.products import Undescribed

T = TypeVar("T", Temperature, Rotation, Mover, Level)

HOME = "/goods"
PLANNERS = ("quality", "ops", "integrator")
_REFUSALS = (BadInputError, ConflictError)


class ProductDesk(Protocol):
    """What the pages ask of erp_link's Products."""

    def product(self, gtin: str) -> Product: ...

    def described(self) -> Sequence[Product]: ...

    def undescribed(self) -> Sequence[Undescribed]: ...

    def describe(self, given: Product, *, by: str) -> Product:
        """Raises BadInputError, ConflictError."""
        ...


def goods_router(desk: ProductDesk, gate: Gate) -> APIRouter:
    """/goods and /goods/{gtin}."""
    router = APIRouter()

    @router.get(HOME, include_in_schema=False)
    async def goods(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(desk.described)
        query = query_of(request)
        return pages_of(request).render(
            request,
            "goods.html",
            rows=matching(every, query, lambda each: f"{each.gtin} {each.name}"),
            total=len(every),
            unknown=await run_in_threadpool(desk.undescribed),
            may_describe=viewer.may(*PLANNERS),
            q=query,
            viewer=viewer,
        )

    @router.get(f"{HOME}/one", include_in_schema=False)
    async def asked(request: Request) -> Response:
        """The small form beside the list: a GTIN was keyed in."""
        await gate.require(request)
        gtin = normalise_gtin(request.query_params.get("gtin", ""))
        return RedirectResponse(f"{HOME}/{gtin}", status_code=303)

    @router.get(f"{HOME}/{{gtin}}", include_in_schema=False)
    async def one(request: Request, gtin: str) -> Response:
        product = await run_in_threadpool(desk.product, normalise_gtin(gtin))
        if not product.described:
            came = await run_in_threadpool(desk.undescribed)
            name = next((each.name for each in came if each.gtin == product.gtin), "")
            product = replace(product, name=product.name or name)
        return await _form(request, gate, product, error=None)

    @router.post(f"{HOME}/{{gtin}}", include_in_schema=False)
    async def describe(request: Request, gtin: str) -> Response:
        viewer = await gate.require(request, *PLANNERS)
        await gate.verify(request)
        form = await request.form()
        try:
            given = product_of(normalise_gtin(gtin), form)
            await run_in_threadpool(lambda: desk.describe(given, by=viewer.name))
        except _REFUSALS as error:
            known = await run_in_threadpool(desk.product, normalise_gtin(gtin))
            return await _form(request, gate, known, error=error, written=dict(form))
        return RedirectResponse(HOME, status_code=303)

    return router


def product_of(gtin: str, form: FormData) -> Product:
    """The product that a filled form describes. Raises BadInputError."""
    aql = text(form, "aql")
    return Product(
        gtin,
        name=text(form, "name"),
        base_unit=text(form, "base_unit"),
        units=units(text(form, "units")),
        carton_unit=text(form, "carton_unit"),
        temperature=_one_of(Temperature, text(form, "temperature")),
        rotation=_one_of(Rotation, text(form, "rotation")),
        mover=_one_of(Mover, text(form, "mover")),
        expiry=ExpiryPolicy(
            whole(form, "warn_days"), whole(form, "freeze_days"), whole(form, "pull_days")
        ),
        life=LifeRule(whole(form, "least_days"), whole(form, "least_percent")),
        total_life_days=whole(form, "total_life_days"),
        dated=bool(text(form, "dated")),
        not_older=bool(text(form, "not_older")),
        acceptance=bool(text(form, "acceptance")),
        sampling=SamplingRule(aql, _one_of(Level, text(form, "level"))) if aql else None,
        min_stock=whole(form, "min_stock") if text(form, "min_stock") else None,
        max_stock=whole(form, "max_stock") if text(form, "max_stock") else None,
    )


def _one_of(kind: type[T], written: str) -> T:
    try:
        return kind(written)
    except ValueError as error:
        raise BadInputError(
            f"{written!r} is none of the choices", mend=f"Choose one of {', '.join(kind)}"
        ) from error


def _written(product: Product) -> dict[str, object]:
    """A product as the form's fields."""
    sampling = product.sampling
    return {
        "name": product.name,
        "base_unit": product.base_unit,
        "units": ", ".join(f"{name} {held}" for name, held in sorted(product.units.items()))
        if product.described
        else "",
        "carton_unit": product.carton_unit if product.described else "",
        "temperature": product.temperature.value,
        "rotation": product.rotation.value,
        "mover": product.mover.value,
        "warn_days": product.expiry.warn_days,
        "freeze_days": product.expiry.freeze_days,
        "pull_days": product.expiry.pull_days,
        "least_days": product.life.least_days,
        "least_percent": product.life.least_percent,
        "total_life_days": product.total_life_days,
        "dated": "on" if product.dated else "",
        "not_older": "on" if product.not_older else "",
        "acceptance": "on" if product.acceptance else "",
        "aql": sampling.aql if sampling else "",
        "level": sampling.level.value if sampling else Level.II.value,
        "min_stock": "" if product.min_stock is None else product.min_stock,
        "max_stock": "" if product.max_stock is None else product.max_stock,
    }


async def _form(
    request: Request,
    gate: Gate,
    product: Product,
    *,
    error: TallymanError | None,
    written: Mapping[str, object] | None = None,
) -> Response:
    viewer = await gate.require(request)
    shown = _written(product)
    if written is not None:
        # A box that is not ticked is not sent.
        shown |= {"dated": "", "not_older": "", "acceptance": "", **written}
    return pages_of(request).render(
        request,
        "goods_one.html",
        status_code=422 if error else 200,
        product=product,
        fields=shown,
        aqls=AQLS,
        choices={
            "temperature": list(Temperature),
            "rotation": list(Rotation),
            "mover": list(Mover),
            "level": list(Level),
        },
        may_describe=viewer.may(*PLANNERS),
        error=error,
        viewer=viewer,
    )
