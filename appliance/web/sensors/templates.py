"""Templates: those of the house, the site's own, and trying one on bytes before it takes effect."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.sensors.store import SensorStore
from appliance.web.app import pages_of
from appliance.web.goods.fields import text
from appliance.web.listing import matching, query_of
from appliance.web.ports import Gate
from appliance.web.uploads import check_length
from contracts.errors import BadInputError, NotFoundError, TallymanError
from telemetry.describing.binding import Refused
from telemetry.describing.compiled import Column, TriedOut, compile_template, try_out
from telemetry.describing.envelopes import ENVELOPES, read_hex
from telemetry.describing.template import Kind, Template, read_template

HOME = "/sensors/templates"
_MOST_PAYLOAD = 65_536
EXAMPLE = """name = "our-fridge"
kind = "freezer"
topic = "fridges/{device}/state"
format = "json"

[[measure]]
quantity = "temperature"
path = "temp"
unit = "Cel"
range = [-40, 30]
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was typed in to be tried, and what came of it."""

    template: str = ""
    text: str = ""
    payload: str = ""
    form: str = "hex"
    """hex or text."""
    port: str = ""
    envelope: str = "none"
    out: TriedOut | None = None
    error: TallymanError | None = None


def add_template_routes(
    router: APIRouter, store: SensorStore, gate: Gate, keepers: tuple[str, ...]
) -> None:
    """/sensors/templates, /sensors/templates/NAME and /sensors/try."""

    @router.get(HOME)
    async def listed(request: Request) -> Response:
        viewer = await gate.require(request)
        every = list(store.templates().values())
        query, kind = query_of(request), request.query_params.get("kind", "")
        found = [
            each for each in matching(every, query, _text) if not kind or each.file.kind == kind
        ]
        found.sort(key=lambda each: (not store.is_own(each.name), each.file.kind, each.name))
        return pages_of(request).render(
            request,
            "sensor_templates.html",
            rows=found,
            total=len(every),
            own=store.is_own,
            kinds=[one.value for one in Kind],
            kind=kind,
            counts=Counter(each.file.kind.value for each in every),
            q=query,
            may_keep=viewer.may(*keepers),
            viewer=viewer,
        )

    @router.get(f"{HOME}/{{name}}")
    async def show(request: Request, name: str) -> Response:
        viewer = await gate.require(request)
        template = _known(store, name)
        users = [one.id for one in store.book().device if one.template == name]
        return pages_of(request).render(
            request,
            "sensor_template.html",
            template=template,
            columns=await run_in_threadpool(_columns, template),
            users=users,
            is_own=store.is_own(name),
            may_keep=viewer.may(*keepers),
            viewer=viewer,
        )

    @router.post(f"{HOME}/{{name}}/remove")
    async def remove(request: Request, name: str) -> Response:
        viewer = await gate.require(request, *keepers)
        await gate.verify(request)
        await run_in_threadpool(lambda: store.remove_template(name, by=viewer.name))
        return RedirectResponse(HOME, status_code=303)

    @router.get("/sensors/try")
    async def ask(request: Request) -> Response:
        query = request.query_params
        name = query.get("template", "")[:64]
        source = _known(store, name).text if name and query.get("edit") else ""
        tried = Tried(
            template="" if source else name,
            text=source or ("" if name else EXAMPLE),
            payload=query.get("hex", "")[:_MOST_PAYLOAD],
            form="hex" if name or query.get("hex") else "text",
        )
        return await _page(request, tried)

    @router.post("/sensors/try")
    async def attempt(request: Request) -> Response:
        viewer = await gate.require(request)
        check_length(request)
        await gate.verify(request)
        form = await request.form()
        tried = Tried(
            text(form, "template"), str(form.get("text", "")), str(form.get("payload", ""))[:_MOST_PAYLOAD],
            text(form, "form") or "hex", text(form, "port"), text(form, "envelope") or "none",
        )  # fmt: skip
        if form.get("keep") and viewer.may(*keepers):
            try:
                kept = await run_in_threadpool(
                    lambda: store.put_template(tried.text.replace("\r\n", "\n"), by=viewer.name)
                )
            except BadInputError as error:
                return await _page(request, _with(tried, error=error), status=422)
            return RedirectResponse(f"{HOME}/{kept.name}", status_code=303)
        found = await run_in_threadpool(_attempt, store, tried)
        return await _page(request, found, status=422 if found.error else 200)

    async def _page(request: Request, tried: Tried, *, status: int = 200) -> Response:
        viewer = await gate.require(request)
        return pages_of(request).render(
            request,
            "sensor_try.html",
            status_code=status,
            tried=tried,
            readings=_readings(tried.out),
            names=sorted(store.templates()),
            envelopes=[one for one in ENVELOPES if one != "auto"],
            may_keep=viewer.may(*keepers),
            viewer=viewer,
        )


def _attempt(store: SensorStore, tried: Tried) -> Tried:
    try:
        template = _template(store, tried)
        payload = _payload(tried)
        port = _port(tried.port)
        out = try_out(template, payload, port=port, envelope=tried.envelope)
    except TallymanError as error:
        return _with(tried, error=error)
    return _with(tried, out=out)


def _template(store: SensorStore, tried: Tried) -> Template:
    """The one typed in; else the one chosen."""
    if not tried.text.strip():
        return _known(store, tried.template)
    return read_template(tried.text.replace("\r\n", "\n"))


def _payload(tried: Tried) -> bytes:
    """JSON is text, whatever was chosen: no bytes in hexadecimal begin like that."""
    if tried.form == "text" or tried.payload.lstrip()[:1] in {"{", "["}:
        return tried.payload.strip().encode()
    try:
        return read_hex(tried.payload)
    except Refused as error:
        raise BadInputError(
            f"The bytes are no hexadecimal: {error.detail}",
            mend="Write 03 67 fa 00, or choose that it is text",
        ) from error


def _port(said: str) -> int | None:
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and int(said) < 256):  # noqa: PLR2004 -- LoRaWAN's ports are one byte
        raise BadInputError(f"{said!r} is no LoRaWAN port", mend="Write a number from 0 to 255")
    return int(said)


def _readings(
    out: TriedOut | None,
) -> list[tuple[int | None, int | None, list[tuple[Column, float]]]]:
    """(own time, sequence, values that are there) of each reading."""
    if out is None:
        return []
    return [
        (at, number, [(c, v) for c, v in zip(out.columns, row, strict=False) if v is not None])
        for at, number, row in out.readings
    ]


def _with(
    tried: Tried, *, out: TriedOut | None = None, error: TallymanError | None = None
) -> Tried:
    return Tried(
        tried.template,
        tried.text,
        tried.payload,
        tried.form,
        tried.port,
        tried.envelope,
        out,
        error,
    )


def _known(store: SensorStore, name: str) -> Template:
    found = store.templates().get(name)
    if found is None:
        raise NotFoundError(f"No template {name!r}", mend="Choose one from the list of templates")
    return found


def _columns(template: Template) -> tuple[Column, ...]:
    return compile_template(template).columns


def _text(template: Template) -> str:
    file = template.file
    title = f"{file.title.en} {file.title.zh}"
    return f"{file.name} {file.kind} {file.maker} {' '.join(file.models)} {title}"
