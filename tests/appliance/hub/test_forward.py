"""A station's pages through the hub: what passes, who may write, and when the edge is away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import argon2
import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from appliance import problems
from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.hub.forward import forward_router
from appliance.identity.site_ca import SiteCa
from appliance.web.security import SecurityHeaders
from contracts.clock import SystemClock

STRICT = "default-src 'none'; sandbox"


def edge() -> FastAPI:
    app = FastAPI()

    @app.post("/station/echo")
    async def echo(request: Request) -> dict[str, object]:
        body = await request.body()
        return {"bytes": len(body), "length": request.headers.get("content-length")}

    @app.get("/station/evidence/{sha256}")
    async def picture(sha256: str) -> Response:
        return Response(b"\xff\xd8\xff", headers={"Content-Security-Policy": STRICT})

    @app.get("/station/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(
            iter([b"data: 1\n\n", b"data: 2\n\n"]), media_type="text/event-stream"
        )

    @app.get("/station")
    async def page() -> Response:
        return Response("page", headers={"Content-Security-Policy": "form-action http://hub"})

    return app


@contextlib.contextmanager
def served(app: FastAPI, port: int) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = Accounts.open(
        tmp_path / "accounts.db",
        clock=SystemClock(),
        session_key=SiteCa.open_or_create(tmp_path / "ca").session_key,
        hasher=argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    accounts.add_user("wang", "a long password", ["operator", "ops"])
    yield accounts
    accounts.close()


@pytest.fixture
async def hub(accounts: Accounts, free_port: int):
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    app.state.sessions = accounts
    router, client = forward_router(f"http://127.0.0.1:{free_port}")
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as http:
        yield http
    await client.aclose()


async def test_pages_pictures_and_streams_pass_with_the_policy_that_fits(hub, free_port):
    with served(edge(), free_port):
        page = await hub.get("/station")
        assert "form-action 'self'" in page.headers["content-security-policy"]
        picture = await hub.get(f"/station/evidence/{'a' * 64}")
        assert picture.headers.get_list("content-security-policy") == [STRICT]
        assert picture.content == b"\xff\xd8\xff"
        assert (await hub.get("/station/events")).text == "data: 1\n\ndata: 2\n\n"


async def test_only_somebody_known_may_write_and_not_without_bound(hub, free_port, accounts):
    person = {"cookie": f"{COOKIE}={accounts.sign_in('wang', 'a long password', address='here')}"}
    program = {"authorization": f"Bearer {accounts.new_token('phone', ['camera'])}"}
    with served(edge(), free_port):
        for stranger in ({}, {"authorization": "Bearer made-up"}, {"cookie": f"{COOKIE}=made-up"}):
            assert (
                await hub.post("/station/echo", content=b"x", headers=stranger)
            ).status_code == 401
        for known in (person, program):
            answer = await hub.post("/station/echo", content=b"x" * 100_000, headers=known)
            assert answer.json() == {"bytes": 100_000, "length": "100000"}

        async def endless():
            while True:
                yield b"x" * (1 << 20)

        assert (
            await hub.post("/station/echo", content=endless(), headers=program)
        ).status_code == 422
        announced = {**program, "content-length": str(40 << 20)}
        answer = await hub.post("/station/echo", content=endless(), headers=announced)
        assert answer.status_code == 422


async def test_an_edge_that_is_away_is_told_as_such(hub):
    answer = await hub.get("/station")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
