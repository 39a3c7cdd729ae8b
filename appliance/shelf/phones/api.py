"""Routes of the phones: `/api/v1/shelf/me` and `/api/v1/shelf/phones*`.

| | |
|---|---|
| `GET me` | who asks, in which roles, and until when the phone may work offline |
| `POST phones/invitations` | a one-time link for a phone (`ops` for anybody, everybody for themselves) |
| `POST phones/invitations/seen` | whom a link is for, told to whoever holds it |
| `POST phones` | enrol a key: with an invitation's token, or as the person signed in; sets the phone's session |
| `GET phones/{phone}/challenge`, `POST phones/{phone}/session` | let in again by the key, without a password |
| `GET phones`, `POST phones/{phone}/name`, `POST phones/{phone}/revoke` | the list and its commands |
| `POST phones/{phone}/last-words` | a revoked phone's unsent entries: kept, not booked |
| `POST phones/{phone}/wiped` | a revoked phone has wiped itself |

A phone sends its id in the header `Tallyman-Phone` with each request below `/api/v1/shelf` and
`/api/v1/offline`: a revoked one hears 410 `phone_revoked` with `"wipe": true` whatever its cookie is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from appliance.accounts.session import LIFETIME
from appliance.accounts.store import Accounts
from appliance.accounts.user import User
from appliance.accounts.web import (
    COOKIE,
    check_origin,
    csrf_protect,
    current_user,
    optional_user,
)
from appliance.shelf.caller import READERS, ShelfCaller, refuse_revoked, shelf_caller
from appliance.shelf.phones import shapes
from appliance.shelf.phones.desk import Phones
from appliance.shelf.phones.facts import Phone
from appliance.shelf.phones.proofs import CHALLENGE
from appliance.shelf.phones.qr import qr_svg
from contracts.clock import Clock
from contracts.errors import ForbiddenError, NotSignedInError
from erp_link.api.shapes import Key

KEEPERS = ("ops", "quality")
"""Who looks after everybody's phones; others look after their own."""


class Keeper(Protocol):
    """Whoever looks after phones: a caller of the API, or the viewer of a page."""

    @property
    def name(self) -> str: ...

    @property
    def roles(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class PhoneDoor:
    """What the routes are made from. `address(request)`: under which URL a phone reaches the pages,
    without a slash at its end; `tls`: cookies travel by TLS alone.
    """

    phones: Phones
    accounts: Accounts
    clock: Clock
    offline: timedelta
    address: Callable[[Request], str]
    site: str
    tls: bool

    def me(self, user: User) -> shapes.Me:
        """Blocks."""
        now = self.clock.now()
        label = ""
        if user.phone:
            self.phones.seen(user.phone)
            label = self.phones.phone(user.phone).name
        return shapes.Me(
            name=user.name,
            display_name=user.display_name,
            roles=tuple(sorted(map(str, user.roles))),
            phone=user.phone,
            phone_name=label,
            now_us=shapes.micros(now),
            session_until_us=shapes.micros(user.expires_at),
            offline_until_us=shapes.micros(now + self.offline) if user.phone else 0,
            csrf=user.csrf,
        )

    def invite(
        self, request: Request, wanted: shapes.InviteIn, who: Keeper, *, key: str | None = None
    ) -> shapes.Invited:
        """Blocks. Raises ForbiddenError, BadInputError."""
        asks = optional_user(request)
        if asks is not None and asks.phone:
            # One that was stolen would leave another behind, which outlives its own revocation.
            raise _no_other()
        owner = wanted.owner or who.name
        if owner != who.name and "ops" not in who.roles:
            raise ForbiddenError(
                "Inviting somebody else's phone is for ops", mend="Ask somebody with that role"
            )
        made = self.phones.invite(owner, wanted.role, name=wanted.name, by=who.name, key=key)
        link = f"{self.address(request)}/phones/enrol#{made.token}"
        return shapes.Invited(link, owner, made.role, shapes.micros(made.expires_at), qr_svg(link))

    def kept_by(self, who: Keeper) -> list[Phone]:
        """The phones that somebody looks after. Blocks."""
        return [each for each in self.phones.phones() if may_keep(who, each)]

    def kept(self, phone: str, who: Keeper) -> Phone:
        """One that they look after. Raises UnknownPhoneError, ForbiddenError. Blocks."""
        found = self.phones.phone(phone)
        if not may_keep(who, found):
            raise ForbiddenError(
                "This is somebody else's phone", mend="Ask somebody with the role ops or quality"
            )
        return found

    def signed_in(self, request: Request, body: Any, phone: Phone, *, status: int) -> Response:
        """The answer that gives a phone its session; a person's session there ends. Blocks."""
        token = self.phones.session(phone)
        before = request.cookies.get(COOKIE)
        if before:
            self.accounts.sign_out(before)
        user = self.accounts.read(token)
        if user is None:
            raise NotSignedInError("The session ended at once", mend="Try again")
        answer = JSONResponse(
            shapes.plain(self.me(user) if body is None else body), status_code=status
        )
        answer.set_cookie(
            COOKIE,
            token,
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            secure=self.tls,
            samesite="lax",
        )
        return answer


def phones_router(door: PhoneDoor) -> APIRouter:
    """The routes; `app.state.phones` and `app.state.sessions` are set by whoever includes them."""
    api = APIRouter(prefix="/api/v1/shelf", tags=["phones"])
    _add_me(api, door)
    _add_invitations(api, door)
    _add_enrolment(api, door)
    _add_list(api, door)
    _add_farewell(api, door)
    return api


def may_keep(who: Keeper, phone: Phone) -> bool:
    """True for somebody's own phone, and for those who look after all."""
    return phone.owner == who.name or bool(who.roles & set(KEEPERS))


def _no_other() -> ForbiddenError:
    return ForbiddenError(
        "A phone enrols no other one", mend="Make a link on the page Phones, on a computer"
    )


_Reader = Annotated[ShelfCaller, Depends(shelf_caller(*READERS))]


def _add_me(api: APIRouter, door: PhoneDoor) -> None:
    @api.get("/me")
    async def me(request: Request) -> shapes.Me:
        """Who asks. A phone's sign-in for offline use is renewed with each answer."""
        await run_in_threadpool(refuse_revoked, request)
        return await run_in_threadpool(door.me, current_user(request))


def _add_invitations(api: APIRouter, door: PhoneDoor) -> None:
    @api.post("/phones/invitations", status_code=201)
    def invite(
        request: Request, body: shapes.InviteIn, who: _Reader, key: Key = None
    ) -> shapes.Invited:
        """A link that enrols one phone, within 15 minutes. `ops` invites anybody, everybody
        themselves, nobody from a phone. The same key again makes a new link and ends the one before.
        """
        return door.invite(request, body, who, key=key)

    @api.post("/phones/invitations/seen")
    def seen(request: Request, body: shapes.TokenIn) -> shapes.InvitationOut:
        """Whom an invitation is for. Nothing is changed."""
        check_origin(request)
        found = door.phones.invitation(body.token)
        return shapes.InvitationOut(
            found.owner, found.role, found.name, door.site, shapes.micros(found.expires_at)
        )


def _add_enrolment(api: APIRouter, door: PhoneDoor) -> None:
    @api.post("/phones", status_code=201, response_model=shapes.PhoneOut)
    async def enrol(request: Request, body: shapes.PhoneIn) -> Response:
        """Enrol the phone that asks: by an invitation, or for the person who is signed in on it. The
        answer sets the phone's own session. The same key again is the same phone.
        """
        check_origin(request)
        if body.token:
            phone = await run_in_threadpool(
                door.phones.enrol_invited, body.token, body.public_key, body.proof, name=body.name
            )
        else:
            await csrf_protect(request)
            user = current_user(request)
            if user.phone:
                raise _no_other()
            phone = await run_in_threadpool(
                door.phones.enrol_signed_in,
                user.name,
                body.role,
                body.public_key,
                body.proof,
                name=body.name,
            )
        told = shapes.PhoneOut.of(phone)
        return await run_in_threadpool(door.signed_in, request, told, phone, status=201)

    @api.get("/phones/{phone}/challenge")
    def challenge(phone: str) -> shapes.Challenge:
        """What the phone signs to be let in, within two minutes."""
        expires = door.clock.now() + CHALLENGE
        return shapes.Challenge(door.phones.challenge(phone), shapes.micros(expires))

    @api.post("/phones/{phone}/session", response_model=shapes.Me)
    def session(request: Request, phone: str, body: shapes.ProofIn) -> Response:
        """Let a phone in by its key: the answer sets its session, 12 hours."""
        check_origin(request)
        known = door.phones.prove(phone, body.challenge, body.signature)
        return door.signed_in(request, None, known, status=200)


def _add_list(api: APIRouter, door: PhoneDoor) -> None:
    @api.get("/phones")
    def phones(who: _Reader) -> list[shapes.PhoneOut]:
        """Phones that were ever enrolled, newest first: all for ops and quality, else one's own."""
        return [shapes.PhoneOut.of(each) for each in door.kept_by(who)]

    @api.post("/phones/{phone}/name")
    def rename(phone: str, body: shapes.NameIn, who: _Reader) -> shapes.PhoneOut:
        """Said again it changes nothing."""
        known = door.kept(phone, who).phone
        return shapes.PhoneOut.of(door.phones.rename(known, body.name, by=who.name))

    @api.post("/phones/{phone}/revoke")
    def revoke(phone: str, body: shapes.RevokeIn, who: _Reader) -> shapes.PhoneOut:
        """End its sessions now; it wipes itself at its next contact. Said again it changes nothing."""
        known = door.kept(phone, who).phone
        return shapes.PhoneOut.of(door.phones.revoke(known, reason=body.reason, by=who.name))


def _add_farewell(api: APIRouter, door: PhoneDoor) -> None:
    @api.post("/phones/{phone}/last-words")
    def last_words(request: Request, phone: str, body: shapes.LastWordsIn) -> shapes.Kept:
        """A revoked phone's unsent entries, which their own signatures let in: kept, and booked only
        when quality takes them. Sent again they are kept once.
        """
        check_origin(request)
        return shapes.Kept(door.phones.last_words(phone, body.entries))

    @api.post("/phones/{phone}/wiped", status_code=204)
    def wiped(request: Request, phone: str, body: shapes.ProofIn) -> None:
        """A revoked phone wiped what it carried."""
        check_origin(request)
        door.phones.wiped(phone, body.challenge, body.signature)
