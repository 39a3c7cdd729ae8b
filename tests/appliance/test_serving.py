"""How a process ends: what was begun is finished, then jobs are cancelled."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest
from fastapi import FastAPI, Request

from appliance.serving import Serving


async def _answers(url: str) -> httpx.Response:
    async with httpx.AsyncClient(headers={"x-forwarded-for": "192.0.2.1"}) as client:
        async with asyncio.timeout(20):
            while True:
                try:
                    return await client.get(url)
                except httpx.TransportError:
                    await asyncio.sleep(0.02)


async def test_a_carton_under_way_is_finished_and_its_job_cancelled_after_it(free_port):
    told: list[str] = []
    under_way, done = asyncio.Event(), asyncio.Event()
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    async def judge() -> None:
        try:
            await under_way.wait()
            told.append("judged")
            done.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    async def finish() -> None:
        under_way.set()
        await done.wait()

    serving = Serving()
    serving.http(app, f"127.0.0.1:{free_port}", where="test")
    serving.job("judge", judge)
    serving.finish(finish)
    running = asyncio.create_task(serving.run())
    answer = await _answers(f"http://127.0.0.1:{free_port}/who")
    assert answer.json() == "127.0.0.1", "no header says who is asking"
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await running
    assert told == ["judged", "cancelled"]


async def test_what_does_not_finish_holds_nothing_up_for_ever():
    serving = Serving()
    serving.finish(asyncio.Event().wait)
    running = asyncio.create_task(serving.run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await running


async def test_a_side_job_that_fails_begins_anew_and_the_dock_works_on():
    begun, again = 0, asyncio.Event()

    async def count_rates() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise ValueError("a number that nobody thought of")
        again.set()
        await asyncio.Event().wait()

    serving = Serving()
    serving.side_job("read rates", count_rates, again_s=0.0)
    running = asyncio.create_task(serving.run())
    async with asyncio.timeout(20):
        await again.wait()
    assert not running.done()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await running
    assert begun == 2


async def test_a_job_that_fails_ends_the_process_with_its_error():
    async def judge() -> None:
        raise ValueError("the journal is gone")

    serving = Serving()
    serving.job("judge", judge)
    async with asyncio.timeout(20):
        with pytest.raises(ValueError, match="the journal is gone"):
            await serving.run()
