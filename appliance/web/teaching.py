"""Teaching at the station: two clicks on a judged carton, the list of lessons, and the way back.

Served by the edge under /station, so it works while the hub is away (I6). A lesson is durable before
the page says that it was learned (I2), and makes a candidate that adds review or hold only (I5).
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.desk import CartonCard, Desk
from appliance.teaching.history import ProductHistory, Step, StepState
from appliance.teaching.ports import Lesson, TeachingDesk
from appliance.web.app import pages_of
from appliance.web.ports import Gate, Viewer
from appliance.web.problems import is_part
from contracts.errors import BadInputError
from contracts.events import DEFECTS, FALSE_ALARM, MISS
from contracts.inspection import InspectDecision

TEACHERS = ("operator", "quality")
LESSONS = "/station/lessons"
_MOST_NOTE = 500


@dataclass(frozen=True, slots=True)
class TeachView:
    """What may be taught with a carton: `miss` that it is defective, `good` that it is not; or the
    lesson that stands about it, and whether it can be taken back at once.
    """

    miss: bool = False
    good: bool = False
    step: Step | None = None
    newest: bool = False

    @property
    def anything(self) -> bool:
        return self.miss or self.good or self.step is not None


NOTHING = TeachView()


def teach_view(teaching: TeachingDesk | None, card: CartonCard | None) -> TeachView:
    """What the page offers for a card; nothing where nobody looked at the goods."""
    if teaching is None or card is None or not card.inspected:
        return NOTHING
    step = teaching.lesson_of(card.carton_id)
    if step is not None:
        tips = {each.tip.after for each in teaching.histories() if each.tip}
        return TeachView(step=step, newest=step.after in tips)
    if not any(item.kind == "inspect" for item in card.evidence):
        return NOTHING
    if not card.product or not teaching.can_teach(card.product):
        return NOTHING
    return TeachView(miss=True, good=card.inspected != InspectDecision.PASS)


def teaching_router(desk: Desk, teaching: TeachingDesk, gate: Gate) -> APIRouter:
    """The dialog and the lesson below /station/cartons/{id}, and /station/lessons."""
    router = APIRouter()
    _add_lessons(router, desk, teaching, gate)
    _add_history(router, desk, teaching, gate)
    return router


def _add_lessons(router: APIRouter, desk: Desk, teaching: TeachingDesk, gate: Gate) -> None:
    @router.get("/station/cartons/{carton_id}/teach", include_in_schema=False)
    async def dialog(request: Request, carton_id: str, lesson: str = MISS) -> Response:
        viewer = await gate.require(request, *TEACHERS)
        card = desk.carton(carton_id)
        return pages_of(request).render(
            request,
            "part_teach_dialog.html",
            card=card,
            teach=teach_view(teaching, card),
            lesson=lesson,
            defects=DEFECTS,
            viewer=viewer,
        )

    @router.post("/station/cartons/{carton_id}/teach", include_in_schema=False)
    async def teach(request: Request, carton_id: str) -> Response:
        viewer = await gate.require(request, *TEACHERS)
        await gate.verify(request)
        form = await request.form()
        card = desk.carton(carton_id)
        taught = await teaching.teach(card, _lesson_of(form), operator=viewer.name)
        if not is_part(request):
            return RedirectResponse(f"/station/cartons/{carton_id}", status_code=303)
        return pages_of(request).render(
            request,
            "part_taught.html",
            card=card,
            step=taught.step,
            gtin=taught.gtin,
            seconds=max(0.1, taught.elapsed_ms / 1000),
            viewer=viewer,
        )


def _lesson_of(form: object) -> Lesson:
    """The form's fields lesson, defect and note. Raises BadInputError."""
    get = getattr(form, "get", lambda _name, default: default)
    kind, defect = str(get("lesson", "")), str(get("defect", ""))
    note = str(get("note", "")).strip()[:_MOST_NOTE]
    if kind == MISS:
        return Lesson("miss", defect, note)
    if kind == FALSE_ALARM and not defect:
        return Lesson("false_alarm", "", note)
    raise BadInputError(
        f"{kind[:40]!r} is no lesson",
        mend="Say that the goods are defective, or that they are good",
    )


def _add_history(router: APIRouter, desk: Desk, teaching: TeachingDesk, gate: Gate) -> None:
    @router.get(LESSONS, include_in_schema=False)
    async def lessons(request: Request) -> Response:
        return _history(request, desk, teaching, await gate.require(request))

    @router.post(LESSONS + "/undo", include_in_schema=False)
    async def undo(request: Request) -> Response:
        viewer = await gate.require(request, *TEACHERS)
        await gate.verify(request)
        form = await request.form()
        await teaching.undo(
            str(form.get("gtin", "")), operator=viewer.name, after=str(form.get("after", ""))
        )
        if is_part(request):
            return pages_of(request).render(
                request, "part_notice.html", key="teach.undone", carton="", viewer=viewer
            )
        return RedirectResponse(LESSONS, status_code=303)


def _history(request: Request, desk: Desk, teaching: TeachingDesk, viewer: Viewer) -> Response:
    products = sorted(teaching.histories(), key=_newest_first, reverse=True)
    return pages_of(request).render(
        request,
        "station_lessons.html",
        products=products,
        lessons=sum(len(each.steps) for each in products),
        waiting=sum(len(each.pending) for each in products),
        names=_names(desk),
        trouble=teaching.trouble,
        key=teaching.key,
        state_badge=STATE_BADGE,
        may_teach=viewer.may(*TEACHERS),
        viewer=viewer,
    )


STATE_BADGE = {
    StepState.PENDING: "review",
    StepState.IN_FORCE: "accept",
    StepState.UNDONE: "waiting",
    StepState.SET_ASIDE: "waiting",
}


def _newest_first(history: ProductHistory) -> tuple[bool, float]:
    last = [each.at for each in history.steps] + [each.at for each in history.activations]
    return bool(history.pending), max((at.timestamp() for at in last), default=0.0)


def _names(desk: Desk) -> dict[str, str]:
    """What the delivery calls a product, as far as its cartons went by lately."""
    state = desk.state()
    return {
        card.product: card.description
        for card in (*state.recent, *state.reviews)
        if card.product and card.description
    }
