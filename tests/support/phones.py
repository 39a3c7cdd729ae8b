"""A site's phones without a hub: accounts, the phones' routes, and phones that hold their own keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from appliance import problems
from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.shelf.phones.api import PhoneDoor, phones_router
from appliance.shelf.phones.desk import Phones
from appliance.shelf.phones.facts import PHONE_HEADER, enrol_message, phone_id, session_message
from contracts.clock import FixedClock
from contracts.device_log import LogEntry
from contracts.errors import BadInputError

SITE = "https://dock.example"
PASSWORD = "four words in a row"  # noqa: S105 -- a story's password


@dataclass
class Roster:
    """The core's list of devices that keep a log, as far as phones need it."""

    enrolled: dict[str, list[str]] = field(default_factory=dict)
    revoked: dict[str, str] = field(default_factory=dict)
    kept: list[LogEntry] = field(default_factory=list)

    def enrol(self, device: str, public_key: str, *, roles: Sequence[str], by: str) -> None:
        assert phone_id(public_key) == device
        self.enrolled[device] = [by, *roles]

    def revoke(self, device: str, *, reason: str, by: str) -> None:
        del by
        self.revoked[device] = reason

    def check(self, entries: Sequence[LogEntry]) -> None:
        if any(entry.signature != "own" for entry in entries):
            raise BadInputError("Not its own", mend="")

    def keep(self, device: str, entries: Sequence[LogEntry], *, by: str) -> int:
        del by
        assert device in self.revoked
        self.kept.extend(entries)
        return len(entries)


@dataclass
class Site:
    """Everything behind the routes."""

    folder: Path
    clock: FixedClock
    roster: Roster = field(default_factory=Roster)

    def __post_init__(self) -> None:
        self.accounts = Accounts.open(
            self.folder / "accounts.db",
            clock=self.clock,
            session_key=Ed25519PrivateKey.generate(),
            hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
        )
        for name, roles in (
            ("ops", ["ops", "operator"]),
            ("mei", ["operator"]),
            ("mara", ["quality", "operator"]),
        ):
            self.accounts.add_user(name, PASSWORD, roles)
        self.open()

    def open(self) -> None:
        """As at a start of the hub."""
        self.phones = Phones(
            self.folder / "phones.db", clock=self.clock, roster=self.roster, people=self.accounts
        )
        self.app = FastAPI()
        problems.install(self.app)
        self.app.state.sessions, self.app.state.phones = self.accounts, self.phones
        door = PhoneDoor(
            self.phones, self.accounts, self.clock, timedelta(hours=36),
            lambda _: SITE, "Dock", tls=True,
        )  # fmt: skip
        self.app.include_router(phones_router(door))

    def close(self) -> None:
        self.phones.close()
        self.accounts.close()

    def client(self, person: str = "") -> Client:
        """A browser; `person` is signed in on it."""
        client = Client(self)
        if person:
            client.sign_in(person)
        return client


class Client:
    """A browser that keeps its cookie, and may hold a phone's key."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.key = Ed25519PrivateKey.generate()
        self.headers: dict[str, str] = {}
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=site.app), base_url=SITE)

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def phone(self) -> str:
        return phone_id(self.public_key)

    def sign_in(self, person: str) -> None:
        token = self.site.accounts.sign_in(person, PASSWORD, address="")
        user = self.site.accounts.read(token)
        assert user
        self._http.cookies.set(COOKIE, token, domain="dock.example")
        self.headers = {"X-CSRF-Token": user.csrf}

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(f"/api/v1/shelf/{path}", headers=self.headers)

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self._http.post(f"/api/v1/shelf/{path}", json=body, headers=self.headers)

    async def invite(self, role: str = "operator", **more: str) -> str:
        """The secret behind the link's #."""
        made = (await self.post("phones/invitations", {"role": role, **more})).json()
        return str(made["link"].partition("#")[2])

    async def enrol(self, token: str = "", *, role: str = "", name: str = "") -> httpx.Response:
        proof = self.key.sign(enrol_message(self.public_key, token)).hex()
        body = {"public_key": self.public_key, "proof": proof, "token": token}
        answer = await self.post("phones", body | {"role": role, "name": name})
        if answer.is_success:
            self.headers = {PHONE_HEADER: self.phone}
            await self.me()
        return answer

    async def me(self) -> httpx.Response:
        answer = await self.get("me")
        if answer.is_success:
            self.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return answer

    async def proof(self) -> dict[str, str]:
        challenge = (await self.get(f"phones/{self.phone}/challenge")).json()["challenge"]
        signature = self.key.sign(session_message(self.phone, challenge)).hex()
        return {"challenge": challenge, "signature": signature}

    async def come_back(self) -> httpx.Response:
        return await self.post(f"phones/{self.phone}/session", await self.proof())
