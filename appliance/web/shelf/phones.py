"""/phones: which phones carry the site's stock, for whom, and ending that; /phones/enrol: becoming one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.accounts.web import optional_user
from appliance.shelf.phones.api import KEEPERS, PhoneDoor
from appliance.shelf.phones.facts import ROLES, Phone, PhoneFormError
from appliance.shelf.phones.shapes import Invited, InviteIn
from appliance.web.app import pages_of
from appliance.web.ports import Gate, Viewer

_HERE = "/phones"


@dataclass(frozen=True, slots=True)
class _Refused:
    """What was filled in cannot be: `code` of the PhoneFormError; `about` which phone, by its name."""

    code: str
    about: str = ""


def phones_pages(door: PhoneDoor, gate: Gate) -> APIRouter:
    """The list with its commands for people, and the page that a phone opens to be enrolled."""
    router = APIRouter(include_in_schema=False)

    async def page(
        request: Request,
        viewer: Viewer,
        *,
        made: Invited | None = None,
        refused: _Refused | None = None,
    ) -> Response:
        may_all = viewer.may("ops")
        asks = optional_user(request)
        return pages_of(request).render(
            request,
            "phones.html",
            status_code=422 if refused else 200,
            phones=await run_in_threadpool(door.kept_by, viewer),
            events=await run_in_threadpool(door.phones.events) if viewer.may(*KEEPERS) else (),
            people=await run_in_threadpool(_people, door) if may_all else (),
            roles=[role for role in ROLES if may_all or viewer.may(role)],
            # A phone enrols no other one (PhoneDoor.invite): it is not offered what is refused.
            invites=asks is None or not asks.phone,
            made=made,
            refused=refused,
            # Made by us from a link of ours.
            qr=Markup(made.qr) if made else "",  # noqa: S704 -- paths of numbers, no text of anybody's
            viewer=viewer,
        )

    async def done(
        request: Request, phone: str, act: Callable[[Phone, Viewer, dict[str, str]], object]
    ) -> Response:
        viewer, form = await _written(request, gate)
        known = await run_in_threadpool(door.kept, phone, viewer)
        try:
            await run_in_threadpool(act, known, viewer, form)
        except PhoneFormError as error:
            # Back to where it was filled in, in the reader's own words.
            return await page(request, viewer, refused=_Refused(error.code, known.name))
        return RedirectResponse(_HERE, status_code=303)

    @router.get(_HERE)
    async def show(request: Request) -> Response:
        return await page(request, await gate.require(request))

    @router.post(_HERE)
    async def invite(request: Request) -> Response:
        viewer, form = await _written(request, gate)
        wanted = InviteIn(form.get("role", ""), form.get("owner", ""), form.get("name", ""))
        try:
            made = await run_in_threadpool(door.invite, request, wanted, viewer)
        except PhoneFormError as error:
            return await page(request, viewer, refused=_Refused(error.code))
        return await page(request, viewer, made=made)

    @router.post(_HERE + "/{phone}/name")
    async def rename(request: Request, phone: str) -> Response:
        return await done(
            request,
            phone,
            lambda known, viewer, form: door.phones.rename(
                known.phone, form.get("name", ""), by=viewer.name
            ),
        )

    @router.post(_HERE + "/{phone}/revoke")
    async def revoke(request: Request, phone: str) -> Response:
        return await done(
            request,
            phone,
            lambda known, viewer, form: door.phones.revoke(
                known.phone, reason=form.get("reason", ""), by=viewer.name
            ),
        )

    @router.get(_HERE + "/enrol")
    async def enrol(request: Request) -> Response:
        # Whoever holds a link is nobody yet: the page itself says nothing of the site's goods.
        viewer = await gate.viewer(request)
        return pages_of(request).render(
            request,
            "phone_enrol.html",
            roles=[role for role in ROLES if viewer and viewer.may(role)],
            viewer=viewer,
        )

    return router


def _people(door: PhoneDoor) -> list[str]:
    return [each.name for each in door.accounts.users() if not each.disabled]


async def _written(request: Request, gate: Gate) -> tuple[Viewer, dict[str, str]]:
    viewer = await gate.require(request)
    await gate.verify(request)
    return viewer, {key: str(value).strip() for key, value in (await request.form()).items()}
