"""The page of the queue, the pictures of its lines, and the answers (I2, I7).

An answer is durable before the page says that it stands. Without a script every card is a form of
its own; with it the same routes answer in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.learning.example import FIELDS
from appliance.learning.labels.records import WAITS_FROM, Answer, LineId, QueueLine, Said
from appliance.web.app import pages_of
from appliance.web.labelling.ports import LabelQueue
from appliance.web.ports import Gate
from contracts.errors import BadInputError

LABELLERS = ("operator", "quality")
PAGE = "/labelling"
ON_A_SCREEN = 24
_MOST_AT_ONCE = 200
_KINDS = ("waiting", "answered")


def labelling_router(queue: LabelQueue, gate: Gate) -> APIRouter:
    """GET and POST /labelling, its undo, and the lines' pictures."""
    router = APIRouter(include_in_schema=False)

    @router.get(PAGE)
    async def page(request: Request) -> Response:
        viewer = await gate.require(request, *LABELLERS)
        field = request.query_params.get("field", "")
        kind = request.query_params.get("show", _KINDS[0])
        field, kind = field if field in FIELDS else "", kind if kind in _KINDS else _KINDS[0]
        looked = await run_in_threadpool(queue.look)
        ask = queue.waiting if kind == _KINDS[0] else queue.answered
        lines = await run_in_threadpool(lambda: ask(most=ON_A_SCREEN, field=field))
        return pages_of(request).render(
            request,
            "labelling.html",
            lines=lines,
            counts=await run_in_threadpool(lambda: queue.counts(field=field)),
            left=looked.left,
            field=field,
            fields=FIELDS,
            kind=kind,
            next_run=await run_in_threadpool(queue.next_run),
            waits_from=WAITS_FROM,
            characters=characters,
            read=read,
            viewer=viewer,
        )

    @router.post(PAGE)
    async def answer(request: Request) -> Response:
        viewer = await gate.require(request, *LABELLERS)
        await gate.verify(request)
        answers = _answers(await request.form(), by=viewer.name)
        lines = await run_in_threadpool(queue.answer, answers)
        return await _told(request, lines)

    @router.post(PAGE + "/undo")
    async def undo(request: Request) -> Response:
        viewer = await gate.require(request, *LABELLERS)
        await gate.verify(request)
        lines = await run_in_threadpool(queue.undo, viewer.name)
        return await _told(request, lines)

    async def _told(request: Request, lines: Sequence[QueueLine]) -> Response:
        if "application/json" not in request.headers.get("accept", ""):
            return RedirectResponse(_back(request), status_code=303)
        counts = await run_in_threadpool(queue.counts)
        told = {
            "waiting": counts.waiting,
            "answered": sum(counts.answered.values()),
            "lines": [_line(each) for each in lines],
        }
        return Response(msgspec.json.encode(told), media_type="application/json")

    @router.get(PAGE + "/lines/{key}.png")
    async def picture(request: Request, key: str) -> Response:
        await gate.require(request, *LABELLERS)
        data = await run_in_threadpool(queue.picture, LineId.parse(key))
        # A carton may be erased: no copy of it stays in a browser.
        return Response(data, media_type="image/png", headers={"Cache-Control": "no-store"})

    return router


def characters(line: QueueLine) -> list[tuple[str, bool]]:
    """The text that is taught, each character with whether the reader made anything of it."""
    seen = line.seen if len(line.seen) == len(line.text) else (True,) * len(line.text)
    return list(zip(line.text, seen, strict=True))


def read(line: QueueLine) -> list[tuple[str, bool]]:
    """What the reader made of it, each character with whether it is the one that is taught; where
    the lengths differ nobody can say which.
    """
    if len(line.read) != len(line.text):
        return [(letter, True) for letter in line.read]
    return [(a, a == b) for a, b in zip(line.read, line.text, strict=True)]


def _answers(form: FormData, *, by: str) -> list[Answer]:
    """One answer for every `key` of the form. Raises BadInputError."""
    keys = [key for key in form.getlist("key") if isinstance(key, str)]
    said, text = form.get("said"), form.get("text")
    if not keys or len(keys) > _MOST_AT_ONCE or said not in set(Said):
        raise BadInputError(
            "The answer names no line, or nothing to say of it", mend="Load the page again"
        )
    what = Said(str(said))
    words = text if isinstance(text, str) and what is Said.TEXT else ""
    return [Answer(LineId.parse(key), what, words, by) for key in dict.fromkeys(keys)]


def _back(request: Request) -> str:
    """The page that the form stood on, with its filters."""
    referer = request.headers.get("referer", "")
    _, _, query = referer.partition(f"{PAGE}?")
    return f"{PAGE}?{query}" if query else PAGE


def _line(line: QueueLine) -> dict[str, str]:
    answer = line.answer
    return {
        "key": str(line.key),
        "said": str(answer.said) if answer else "",
        "text": (answer.text or line.text) if answer else line.text,
    }
