"""A hub's module listener as a process of its own, to be killed: URL DATABASE [stall].

With `stall` it prints "heard" when a message came, and books nothing.
"""

from __future__ import annotations

import asyncio
import sys

from appliance.config import BrokerConfig, Config
from appliance.hub.news import HubNews
from appliance.live.memory import MemoryLiveView
from appliance.modules.listener import open_listener
from appliance.modules.settings import ModulesConfig
from contracts.clock import SystemClock
from erp_link.service.core import Core


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class _Stalls:
    async def module_event(self, event: object) -> None:
        _say("heard")
        await asyncio.Event().wait()


async def main(url: str, database: str, *, stall: bool) -> None:
    core = Core(database, clock=SystemClock())
    config = Config(
        broker=BrokerConfig(url=url), modules=ModulesConfig(dialects=("module-factory",))
    )
    news = HubNews(MemoryLiveView(), wake=lambda: None)
    listener = open_listener(config, core, news, client_id="hub-modules")
    assert listener is not None
    assert listener.subscriber is not None
    if stall:
        listener.stations._results = _Stalls()
    subscriber = listener.subscriber
    subscriber.on_change = lambda: subscriber.connected and _say("connected")
    await listener.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], stall=sys.argv[3:] == ["stall"]))
