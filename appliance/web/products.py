"""The product pages: collect good pictures, enrol, watch cracks being learned (I5, I6, I7).

Served by the edge below /station, so they work while the hub is away. Each refusal of a picture
says why in the reader's language, and the other pictures of the same sending are kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.enrolling.draft import ladder, next_step
from appliance.enrolling.drafts import Added
from appliance.enrolling.pictures import PictureRefusedError
from appliance.enrolling.product import Product
from appliance.enrolling.service import Enrolling
from appliance.web.app import pages_of
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate, Viewer
from appliance.web.preferences import preferences
from appliance.web.problems import is_part
from appliance.words import words
from contracts.errors import BadInputError, NotFoundError
from contracts.reason import Reason

ENROLLERS = ("operator", "quality")
SIGNERS = ("quality",)
HOME = "/station/products"
_MOST_AT_ONCE = 100
_MOST_BYTES = 31 << 20
_NAME = 120


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one sent picture: `item` where it was kept, `refused` where it was not."""

    name: str
    item: int | None = None
    again: int | None = None
    refused: Reason | None = None


def products_router(enrolling: Enrolling, gate: Gate) -> APIRouter:
    """Everything under /station/products."""
    router = APIRouter()
    _add_views(router, enrolling, gate)
    _add_pictures(router, enrolling, gate)
    _add_commands(router, enrolling, gate)
    return router


def _text(product: Product) -> str:
    return f"{product.gtin} {product.name} {product.state}"


def _add_views(router: APIRouter, enrolling: Enrolling, gate: Gate) -> None:
    @router.get(HOME, include_in_schema=False)
    async def products(request: Request) -> Response:
        viewer = await gate.require(request)
        every = await run_in_threadpool(enrolling.products)
        query = query_of(request)
        return pages_of(request).render(
            request,
            "products.html",
            rows=matching(every, query, _text),
            total=len(every),
            unknown=await run_in_threadpool(enrolling.unknown),
            may_enrol=viewer.may(*ENROLLERS),
            q=query,
            viewer=viewer,
        )

    @router.get(HOME + "/{gtin}", include_in_schema=False)
    async def product(request: Request, gtin: str) -> Response:
        viewer = await gate.require(request)
        return await _product(request, enrolling, gtin, viewer, template="product.html")

    @router.get(HOME + "/{gtin}/part", include_in_schema=False)
    async def part(request: Request, gtin: str) -> Response:
        viewer = await gate.require(request)
        return await _product(request, enrolling, gtin, viewer, template="part_product.html")

    @router.get(HOME + "/{gtin}/pictures/{sha256}.jpg", include_in_schema=False)
    async def picture(request: Request, gtin: str, sha256: str) -> Response:
        await gate.require(request)
        data = await run_in_threadpool(_small, enrolling, gtin, sha256)
        return Response(
            data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"}
        )


def _small(enrolling: Enrolling, gtin: str, sha256: str) -> bytes:
    draft = enrolling.drafts.get(gtin)
    picture = draft.picture(sha256)
    if picture is None:
        raise NotFoundError("This picture is not there any more", mend="Reload the page")
    return enrolling.drafts.small_jpeg(draft, picture)


async def _product(
    request: Request,
    enrolling: Enrolling,
    gtin: str,
    viewer: Viewer,
    *,
    template: str,
    taken: Sequence[Taken] = (),
) -> Response:
    found = await run_in_threadpool(enrolling.product, gtin)
    items = len(found.draft.items) if found.draft else 0
    return pages_of(request).render(
        request,
        template,
        status_code=422 if any(one.refused for one in taken) and not is_part(request) else 200,
        product=found,
        camera=enrolling.collecting.camera,
        cartons=await run_in_threadpool(enrolling.collecting.cartons, found.gtin),
        ladder=ladder(items),
        next_step=next_step(items),
        taken=taken,
        hx=is_part(request) and request.method == "POST",
        may_enrol=viewer.may(*ENROLLERS),
        may_sign=viewer.may(*SIGNERS),
        viewer=viewer,
    )


def _add_pictures(router: APIRouter, enrolling: Enrolling, gate: Gate) -> None:
    collecting = enrolling.collecting

    @router.post(HOME + "/{gtin}/shots", include_in_schema=False)
    async def take(request: Request, gtin: str) -> Response:
        viewer = await _writer(request, gate)
        again = bool((await request.form()).get("again"))
        taken = await _try(
            collecting.camera, partial(collecting.take, gtin, by=viewer.name, again=again)
        )
        return await _taken(request, enrolling, gtin, viewer, [taken])

    @router.post(HOME + "/{gtin}/cartons", include_in_schema=False)
    async def cartons(request: Request, gtin: str) -> Response:
        viewer = await _writer(request, gate)
        chosen = [str(value) for value in (await request.form()).getlist("carton")]
        if not chosen:
            raise BadInputError("No carton was chosen", mend="Tick those whose goods are good")
        taken = [
            await _try(
                sha256[:12],
                partial(collecting.take_carton, gtin, sha256, by=viewer.name),
            )
            for sha256 in chosen[:_MOST_AT_ONCE]
        ]
        return await _taken(request, enrolling, gtin, viewer, taken)

    @router.post(HOME + "/{gtin}/pictures", include_in_schema=False)
    async def upload(request: Request, gtin: str) -> Response:
        viewer = await gate.require(request, *ENROLLERS)
        async with request.form(max_files=_MOST_AT_ONCE) as form:
            await gate.verify(request)
            taken = await _uploaded(form, enrolling, gtin, by=viewer.name)
        return await _taken(request, enrolling, gtin, viewer, taken)

    @router.post(HOME + "/{gtin}/pictures/{sha256}/remove", include_in_schema=False)
    async def remove(request: Request, gtin: str, sha256: str) -> Response:
        viewer = await _writer(request, gate)
        await run_in_threadpool(enrolling.drafts.remove, gtin, sha256)
        return await _taken(request, enrolling, gtin, viewer, [])


async def _uploaded(form: FormData, enrolling: Enrolling, gtin: str, *, by: str) -> list[Taken]:
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    if not files:
        raise BadInputError("No file was chosen", mend="Choose JPEG, PNG or BMP pictures")
    one_item = bool(form.get("again"))
    taken: list[Taken] = []
    for file in files:
        name = (file.filename or "")[-_NAME:]
        data = await file.read(_MOST_BYTES)
        # "All of one item": the first begins the item, the others join it.
        again = one_item and (any(one.item for one in taken) or bool(form.get("joins")))
        taken.append(
            await _try(
                name,
                partial(enrolling.collecting.upload, gtin, data, name=name, by=by, again=again),
            )
        )
    return taken


async def _try(name: str, take: Callable[[], Added]) -> Taken:
    try:
        added = await run_in_threadpool(take)
    except PictureRefusedError as refused:
        return Taken(refused.name or name, refused=refused.reason)
    return Taken(added.picture.name, item=added.picture.item, again=added.again)


async def _taken(
    request: Request, enrolling: Enrolling, gtin: str, viewer: Viewer, taken: Sequence[Taken]
) -> Response:
    """Fetched by our script: JSON. A part of the page: the part. A form without script: the page."""
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse([_told(request, one) for one in taken])
    if is_part(request) or any(one.refused or one.again for one in taken):
        template = "part_product.html" if is_part(request) else "product.html"
        return await _product(request, enrolling, gtin, viewer, template=template, taken=taken)
    return RedirectResponse(f"{HOME}/{gtin}", status_code=303)


def _told(request: Request, taken: Taken) -> dict[str, object]:
    say = words(preferences(request).language)
    told: dict[str, object] = {"name": taken.name, "item": taken.item}
    if taken.refused is not None:
        told["refused"] = say.reason(taken.refused)
    if taken.again is not None:
        told["again"] = say("enrol.again", item=taken.again)
    return told


def _add_commands(router: APIRouter, enrolling: Enrolling, gate: Gate) -> None:
    @router.post(HOME, include_in_schema=False)
    async def begin(request: Request) -> Response:
        await _writer(request, gate)
        form = await request.form()
        gtin, name = str(form.get("gtin", "")), str(form.get("name", ""))[:_NAME]
        draft = await run_in_threadpool(enrolling.begin, gtin.replace(" ", ""), name)
        return RedirectResponse(f"{HOME}/{draft.gtin}", status_code=303)

    @router.post(HOME + "/{gtin}/enrol", include_in_schema=False)
    async def enrol(request: Request, gtin: str) -> Response:
        viewer = await _writer(request, gate)
        leave_out = bool((await request.form()).get("leave_out"))
        await enrolling.enrol(gtin, by=viewer.name, leave_out_odd=leave_out)
        return await _taken(request, enrolling, gtin, viewer, [])

    @router.post(HOME + "/{gtin}/discard", include_in_schema=False)
    async def discard(request: Request, gtin: str) -> Response:
        await _writer(request, gate)
        await enrolling.discard(gtin)
        return RedirectResponse(HOME, status_code=303)

    for name, work in (("learn", enrolling.learn), ("stop", enrolling.stop)):
        router.add_api_route(
            f"{HOME}/{{gtin}}/{name}",
            _command(enrolling, gate, work),
            methods=["POST"],
            include_in_schema=False,
            response_model=None,
        )


def _command(
    enrolling: Enrolling, gate: Gate, work: Callable[[str], Awaitable[None]]
) -> Callable[[Request, str], Awaitable[Response]]:
    async def command(request: Request, gtin: str) -> Response:
        viewer = await _writer(request, gate)
        await work(gtin)
        return await _taken(request, enrolling, gtin, viewer, [])

    return command


async def _writer(request: Request, gate: Gate) -> Viewer:
    viewer = await gate.require(request, *ENROLLERS)
    await gate.verify(request)
    return viewer
