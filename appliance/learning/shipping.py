"""Examples to the hub: after everything else, and no faster than the site allows.

Rules: nothing is sent while an entry or a picture waits; one example at a time; what the hub has is
removed here (one copy is enough); what the hub refuses is left to the retention; erasures go both
ways before any example does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from appliance.durable import write_atomic
from appliance.learning import wire
from appliance.learning.budget import Budget
from appliance.learning.dataset import Dataset
from appliance.learning.erasure import Erasures
from appliance.learning.example import ExampleName
from appliance.uplink.backoff import Backoff
from appliance.uplink.client import HubClient, HubRefusedError
from contracts.errors import TallymanError

_log = logging.getLogger(__name__)
_FIRST_S, _MOST_S = 1.0, 600.0
_LOOK_EVERY_S = 60.0


class ExampleUpload:
    """One for an uplink. Start `run` beside the sending of entries."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        bytes_per_s: int,
        told: Path,
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        """`bytes_per_s` 0: no example is sent; erasures are exchanged all the same. `told` is the file
        that keeps which erasures the hub and this station have exchanged.
        """
        self._dataset = dataset
        self._bytes_per_s = bytes_per_s
        self._told = told
        self._look_every_s = look_every_s
        self._refused: set[ExampleName] = set()
        self._wake: asyncio.Event | None = None

    def wake(self) -> None:
        """Something that went first is done; call it in the loop of `run`."""
        if self._wake is not None:
            self._wake.set()

    async def run(self, hub: HubClient, *, worthwhile: Callable[[], bool]) -> None:
        """Until cancelled. `worthwhile` says whether the hub is there and nothing else waits."""
        loop, wake = asyncio.get_running_loop(), asyncio.Event()
        self._wake = wake

        def heard(_name: ExampleName) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(wake.set)

        stop = self._dataset.listen(heard)
        rate = self._bytes_per_s
        budget = Budget(rate, now=loop.time()) if rate > 0 else None
        backoff = Backoff(first_s=_FIRST_S, most_s=_MOST_S)
        try:
            while True:
                wake.clear()
                wait_s = self._look_every_s
                if worthwhile():
                    try:
                        await self._exchange_erasures(hub)
                        if budget is not None:
                            await self._send_all(hub, budget, worthwhile)
                        backoff.reset()
                    except (TallymanError, OSError, msgspec.MsgspecError) as error:
                        _log.debug("examples_not_sent", extra={"why": str(error)})
                        wait_s = backoff.next_s()
                        # A new example does not shorten a back-off.
                        await asyncio.sleep(wait_s)
                        continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await wake.wait()
        finally:
            stop()

    async def _send_all(
        self, hub: HubClient, budget: Budget, worthwhile: Callable[[], bool]
    ) -> None:
        loop = asyncio.get_running_loop()
        for name in await asyncio.to_thread(self._dataset.names):
            if name in self._refused:
                continue
            await asyncio.sleep(budget.wait_s(loop.time()))
            if not worthwhile():
                return
            data = await asyncio.to_thread(self._dataset.read, name)
            if data is not None:
                budget.spend(len(data), loop.time())
                try:
                    await hub.ask("PUT", f"{wire.EXAMPLES_PATH}/{name.sha256}", body=data)
                except HubRefusedError as error:
                    if error.problem != "bad_input":
                        raise
                    _log.warning("example_refused", extra={"why": str(error)})
                    self._refused.add(name)
                    continue
            # Damaged here, or kept there: either way it is of no use here any more.
            await asyncio.to_thread(self._dataset.remove, [name])

    async def _exchange_erasures(self, hub: HubClient) -> None:
        """What is erased on one side is erased on the other."""
        own = await asyncio.to_thread(self._dataset.erasures)
        known = await asyncio.to_thread(self._known)
        if known.sent != own.etag() and own.all:
            await hub.ask("POST", wire.ERASURES_PATH, body=msgspec.json.encode(own))
        answer = await hub.ask("GET", wire.ERASURES_PATH, etag=known.etag)
        if answer.body:
            theirs = msgspec.json.decode(answer.body, type=Erasures)
            await asyncio.to_thread(self._dataset.erase, *theirs.all)
        now = wire.Told(
            sent=own.etag() if own.all else "", etag=answer.etag if answer.body else known.etag
        )
        if now != known:
            await asyncio.to_thread(write_atomic, self._told, msgspec.json.encode(now))

    def _known(self) -> wire.Told:
        try:
            return msgspec.json.decode(self._told.read_bytes(), type=wire.Told)
        except (OSError, msgspec.MsgspecError):
            return wire.Told()
