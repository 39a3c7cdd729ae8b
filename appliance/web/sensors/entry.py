"""One entry of the book: added, changed, taken out; or a whole sheet of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.sensors.sheet import MOST_BYTES, read_sheet
from appliance.sensors.store import Change, SensorStore, mark_of
from appliance.sensors.suggest import Suggestion, device_in, suggest
from appliance.web.app import pages_of
from appliance.web.goods.fields import text
from appliance.web.ports import Gate, Viewer
from appliance.web.sensors.fields import device_of, written
from appliance.web.uploads import FORM_BYTES, check_length
from contracts.errors import BadInputError, ConflictError, NotFoundError, TallymanError
from telemetry.describing.binding import Refused
from telemetry.describing.book import Device
from telemetry.describing.envelopes import ENVELOPES, read_hex

HOME = "/sensors"
_REFUSALS = (BadInputError, ConflictError)
_MOST_HEX = 4096
_CHANGES = 10


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of an entry, for all routes that show it."""

    store: SensorStore
    gate: Gate
    places: Callable[[], Sequence[str]]
    keepers: tuple[str, ...]

    async def show(
        self,
        request: Request,
        known: Device | None,
        *,
        fields: Mapping[str, str],
        error: TallymanError | None = None,
        suggested: Sequence[Suggestion] = (),
    ) -> Response:
        viewer = await self.gate.require(request)
        return pages_of(request).render(
            request,
            "sensor_entry.html",
            status_code=422 if error else 200,
            known=known,
            fields=fields,
            mark=mark_of(known),
            templates=list(self.store.templates().values()),
            envelopes=ENVELOPES,
            places=await run_in_threadpool(self.places),
            probes=_probes(known),
            changes=await run_in_threadpool(lambda: _changes(self.store, known)),
            suggested=suggested,
            suggest_url=lambda each: _chosen_url(request, each),
            error=error,
            may_keep=viewer.may(*self.keepers),
            viewer=viewer,
        )

    async def keeper(self, request: Request, *, most_bytes: int = FORM_BYTES) -> Viewer:
        """Who writes. Raises NotSignedInError, ForbiddenError, BadInputError for too much at once."""
        viewer = await self.gate.require(request, *self.keepers)
        check_length(request, most_bytes)
        await self.gate.verify(request)
        return viewer


def add_entry_routes(
    router: APIRouter,
    store: SensorStore,
    gate: Gate,
    places: Callable[[], Sequence[str]],
    keepers: tuple[str, ...],
) -> None:
    """/sensors/new, /sensors/book/DEVICE and /sensors/sheet."""
    form = _Form(store, gate, places, keepers)
    _add_new(router, form)
    _add_known(router, form)


def _add_new(router: APIRouter, form: _Form) -> None:
    store = form.store

    @router.get(f"{HOME}/new")
    async def new(request: Request) -> Response:
        await form.gate.require(request)
        address = request.query_params.get("address", "")[:200]
        said = request.query_params.get("hex", "")[:_MOST_HEX]
        chosen = request.query_params.get("template", "")[:64]
        found = await run_in_threadpool(_suggested, store, address, said) if said else []
        name = request.query_params.get("id", "")[:64]
        if address and not name:
            name = (
                found[0].device
                if found and found[0].device
                else device_in(store.templates(), address)
            )
        named = found[0].template.name if found and found[0].device and found[0].named else ""
        topic = address if not any(one.device == name for one in found) else ""
        return await form.show(
            request,
            None,
            fields=written(Device(name, chosen or named)) | {"topic": topic},
            suggested=found,
        )

    @router.post(f"{HOME}/new")
    async def add(request: Request) -> Response:
        viewer = await form.keeper(request)
        filled = await request.form()
        fields = {key: str(value) for key, value in filled.items()}
        try:
            device = device_of(text(filled, "id"), filled, None)
            await run_in_threadpool(lambda: store.put_device(device, by=viewer.name))
        except _REFUSALS as error:
            blank = written(Device("", "")) | {"retired": ""}
            return await form.show(request, None, fields=blank | fields, error=error)
        return RedirectResponse(f"{HOME}/{device.id}", status_code=303)


def _add_known(router: APIRouter, form: _Form) -> None:
    store = form.store

    @router.get(f"{HOME}/book/{{name}}")
    async def show(request: Request, name: str) -> Response:
        await form.gate.require(request)
        known = _known(store, name)
        return await form.show(request, known, fields=written(known))

    @router.post(f"{HOME}/book/{{name}}")
    async def change(request: Request, name: str) -> Response:
        viewer = await form.keeper(request)
        filled = await request.form()
        known = _known(store, name)
        try:
            device = device_of(known.id, filled, known)
            before = text(filled, "mark")
            await run_in_threadpool(lambda: store.put_device(device, by=viewer.name, before=before))
        except _REFUSALS as error:
            fields = {key: str(value) for key, value in filled.items()}
            return await form.show(
                request, known, fields=written(known) | {"retired": ""} | fields, error=error
            )
        return RedirectResponse(f"{HOME}/{known.id}", status_code=303)

    @router.post(f"{HOME}/book/{{name}}/remove")
    async def remove(request: Request, name: str) -> Response:
        viewer = await form.keeper(request)
        await run_in_threadpool(lambda: store.remove_device(name, by=viewer.name))
        return RedirectResponse(HOME, status_code=303)

    @router.post(f"{HOME}/sheet")
    async def take_sheet(request: Request) -> Response:
        viewer = await form.keeper(request, most_bytes=MOST_BYTES)
        filled = await request.form()
        sheet = filled.get("sheet")
        if not isinstance(sheet, UploadFile):
            raise BadInputError("No file was chosen", mend="Choose a CSV file")
        try:
            data = await sheet.read()
            devices = await run_in_threadpool(lambda: read_sheet(data, store.book()))
        finally:
            await sheet.close()
        await run_in_threadpool(lambda: store.put_devices(devices, by=viewer.name))
        return RedirectResponse(HOME, status_code=303)


def _chosen_url(request: Request, each: Suggestion) -> str:
    """The same form with this template chosen."""
    chosen = request.url.include_query_params(template=each.template.name)
    return f"{chosen.path}?{chosen.query}"


def _known(store: SensorStore, name: str) -> Device:
    found = store.book().find(name)
    if found is None:
        raise NotFoundError(f"No sensor {name!r} is in the book", mend="Choose one from the list")
    return found


def _changes(store: SensorStore, known: Device | None) -> list[tuple[datetime, Change]]:
    if known is None:
        return []
    return [(datetime.fromisoformat(one.at), one) for one in store.changes(known.id, most=_CHANGES)]


def _probes(known: Device | None) -> list[tuple[str, str, str]]:
    """Calibrations of single probes, which a sheet or program set: (probe, certificate, due)."""
    worth = known.calibration if known else {}
    return [(key, each.certificate, each.due_on) for key, each in worth.items() if key]


def _suggested(store: SensorStore, address: str, said: str) -> list[Suggestion]:
    try:
        return suggest(store.templates(), address, read_hex(said))
    except Refused:
        return []
