"""The station page: verdict, picture with boxes, reasons, last cartons, and the review bench.

Served by the edge process under /station, so it works while the hub is away (I6); the hub passes
the same paths through. What an operator answers is recorded durably before the page says so (I2).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.desk import CartonCard, Desk, Settlement
from appliance.label_zpl import carton_zpl
from appliance.teaching.ports import TeachingDesk
from appliance.web.app import pages_of
from appliance.web.evidence import evidence_router
from appliance.web.keyed import Mends, keyed_answer, picked_answer
from appliance.web.live import BEAT_S, live_router
from appliance.web.ports import Gate, PictureStore, Viewer
from appliance.web.problems import is_part
from appliance.web.teaching import teach_view, teaching_router
from contracts.clock import Clock
from contracts.errors import BadInputError, NotFoundError
from contracts.events import DEFECTS
from contracts.ports import LiveView

SETTLERS = ("operator", "quality")
TOPICS = ("carton", "camera", "session", "health", "product", "lesson")
_FRESH = timedelta(minutes=10)


def station_router(
    desk: Desk,
    gate: Gate,
    live: LiveView,
    pictures: PictureStore,
    *,
    clock: Clock | None = None,
    beat_s: float = BEAT_S,
    teaching: TeachingDesk | None = None,
) -> APIRouter:
    """Everything under /station but the camera uploads and the trigger. Without `teaching` the pages
    offer none.
    """
    router = APIRouter()
    router.include_router(evidence_router(pictures, gate, prefix="/station/evidence"))
    router.include_router(
        live_router(live, gate, path="/station/events", topics=TOPICS, beat_s=beat_s, clock=clock)
    )
    if teaching is not None:
        router.include_router(teaching_router(desk, teaching, gate))
    show = partial(_board, desk=desk, teaching=teaching)
    _add_views(router, desk, gate, teaching, show)
    _add_answers(router, desk, gate, show)
    return router


def _board(
    request: Request,
    viewer: Viewer,
    *,
    template: str,
    desk: Desk,
    teaching: TeachingDesk | None,
) -> Response:
    state = desk.state()
    return pages_of(request).render(
        request,
        template,
        desk=state,
        teaching=teaching is not None,
        teach=teach_view(teaching, state.current),
        viewer=viewer,
        may_settle=viewer.may(*SETTLERS),
        fresh=_FRESH,
    )


def _add_views(
    router: APIRouter,
    desk: Desk,
    gate: Gate,
    teaching: TeachingDesk | None,
    show: Callable[..., Response],
) -> None:
    @router.get("/station", include_in_schema=False)
    async def station(request: Request) -> Response:
        return show(request, await gate.require(request), template="station.html")

    @router.get("/station/board", include_in_schema=False)
    async def board(request: Request) -> Response:
        return show(request, await gate.require(request), template="part_board.html")

    @router.get("/station/cartons/{carton_id}", include_in_schema=False)
    async def carton(request: Request, carton_id: str) -> Response:
        viewer = await gate.require(request)
        card = desk.carton(carton_id)
        return pages_of(request).render(
            request,
            "carton.html",
            card=card,
            desk=desk.state(),
            teach=teach_view(teaching, card),
            defects=DEFECTS,
            viewer=viewer,
            may_settle=viewer.may(*SETTLERS),
        )

    @router.get("/station/live/{camera}.jpg", include_in_schema=False)
    async def live_picture(request: Request, camera: str) -> Response:
        await gate.require(request)
        data = await run_in_threadpool(desk.live_jpeg, camera)
        if data is None:
            raise NotFoundError(
                f"Camera {camera} has no picture now", mend="Check its power and its cable"
            )
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get("/station/cartons/{carton_id}/label.zpl", include_in_schema=False)
    async def label(request: Request, carton_id: str) -> Response:
        await gate.require(request)
        zpl = carton_zpl(desk.carton(carton_id))
        return Response(
            zpl,
            media_type="application/zpl",
            headers={"Content-Disposition": 'attachment; filename="label.zpl"'},
        )


def _done(request: Request, viewer: Viewer, show: Callable[..., Response]) -> Response:
    if is_part(request):
        return show(request, viewer, template="part_board.html")
    return RedirectResponse("/station", status_code=303)


def _mend(request: Request, card: CartonCard, mends: Mends, viewer: Viewer) -> Response:
    part = pages_of(request).render(
        request, "part_mends.html", status_code=422, mends=mends, card=card, viewer=viewer
    )
    part.headers["HX-Retarget"] = "#key-mends"
    part.headers["HX-Reswap"] = "innerHTML"
    return part


def _add_answers(router: APIRouter, desk: Desk, gate: Gate, show: Callable[..., Response]) -> None:
    @router.post("/station/cartons/{carton_id}/settle", include_in_schema=False)
    async def settle(request: Request, carton_id: str) -> Response:
        viewer = await gate.require(request, *SETTLERS)
        await gate.verify(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        card = desk.carton(carton_id)
        match form.get("how", ""):
            case "candidate":
                answer = picked_answer(card, form.get("candidate", ""))
            case "keyed":
                typed = keyed_answer(carton_id, form)
                if isinstance(typed, Mends):
                    return _mend(request, card, typed, viewer)
                answer = typed
            case "refused":
                answer = Settlement(carton_id, "refused", note=form.get("note", "")[:500])
            case how:
                raise BadInputError(
                    f"An answer cannot be {how!r}", mend="Send candidate, keyed or refused"
                )
        await desk.settle(answer, operator=viewer.name)
        return _done(request, viewer, show)

    @router.post("/station/cartons/{carton_id}/reprint", include_in_schema=False)
    async def reprint(request: Request, carton_id: str) -> Response:
        await gate.require(request, *SETTLERS)
        await gate.verify(request)
        carton_zpl(desk.carton(carton_id))
        await desk.reprint(carton_id)
        if is_part(request):
            return pages_of(request).render(
                request, "part_notice.html", key="label.sent", carton=carton_id
            )
        return RedirectResponse(f"/station/cartons/{carton_id}", status_code=303)
