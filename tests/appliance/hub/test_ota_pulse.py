"""Rollouts go on when somebody asks, and what the hub asks now and then is asked again later."""

from __future__ import annotations

import asyncio
import threading

import pytest

from appliance.hub.ota import Pulse, _NowAndThen
from contracts.errors import UnavailableError


async def test_a_report_from_another_thread_is_looked_at_soon() -> None:
    pulse, loop = Pulse(), asyncio.get_running_loop()
    ticks: list[int] = []
    looked: asyncio.Queue[int] = asyncio.Queue()

    def tick() -> bool:
        ticks.append(1)
        loop.call_soon_threadsafe(looked.put_nowait, len(ticks))
        return False

    pulse.soon()  # before it runs, nobody is there to be woken
    pulse.follow(tick)
    running = asyncio.create_task(pulse.run())
    async with asyncio.timeout(10):
        assert await looked.get() == 1
        asker = threading.Thread(target=pulse.soon)
        asker.start()
        assert await looked.get() == 2
        asker.join()
    running.cancel()


async def test_a_look_that_fails_ends_the_job_so_that_it_is_begun_anew() -> None:
    pulse = Pulse()

    def tick() -> bool:
        raise UnavailableError("The database does not answer")

    pulse.follow(tick)
    with pytest.raises(UnavailableError):
        await pulse.run()


def test_what_is_asked_now_and_then_keeps_its_last_answer_while_nobody_answers() -> None:
    answers: list[frozenset[str] | None] = [frozenset({"a"}), None, frozenset({"b"})]

    def ask() -> frozenset[str]:
        answer = answers.pop(0)
        if answer is None:
            raise UnavailableError("The core is away")
        return answer

    always = _NowAndThen(ask, every_s=0.0)
    assert [always(), always(), always()] == [{"a"}, {"a"}, {"b"}]
    rarely = _NowAndThen(lambda: frozenset({"c"}), every_s=3600.0)
    assert rarely() is rarely()
