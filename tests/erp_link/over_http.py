"""The routes asked in this process, by somebody whose roles a header names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from fastapi import FastAPI, Request

from contracts.errors import ForbiddenError


@dataclass(frozen=True)
class Person:
    name: str
    roles: frozenset[str]


def auth(*roles: str) -> Callable[[Request], Person]:
    def who(request: Request) -> Person:
        person = Person("ann", frozenset(request.headers.get("x-roles", "").split()))
        if person.roles.isdisjoint(roles):
            raise ForbiddenError("not your role")
        return person

    return who


class Client:
    """Calls the application in this process, one request after the other."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.headers = {"x-roles": "operator quality"}

    def get(self, path: str, **more) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, **more))

    def post(self, path: str, *, headers: dict[str, str] | None = None, **more) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, headers=headers, **more))

    def put(self, path: str, **more) -> httpx.Response:
        return asyncio.run(self._ask("PUT", path, **more))

    def delete(self, path: str, **more) -> httpx.Response:
        return asyncio.run(self._ask("DELETE", path, **more))

    async def _ask(self, method: str, path: str, *, headers=None, **more) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://core") as client:
            return await client.request(
                method, path, headers=self.headers | (headers or {}), **more
            )
