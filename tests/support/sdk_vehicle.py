"""A vehicle of the Python library vda5050-sdk (alpha), over a radio that doubles and mixes its states.

It takes orders by the rules of VDA 5050 2.1 (the first node must be where it stands) and is no code of
ours: only the forks and the bad radio are.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vda5050.adapters.mqtt.transport import AiomqttTransport
from vda5050.client.agv.client import VehicleClient
from vda5050.client.agv.executor import OrderExecutor
from vda5050.config import VehicleConfig
from vda5050.model.state import Load

MAKER = "adversary"


class BadRadio(AiomqttTransport):
    """One state in three comes twice, one in three after the next one."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(url)
        self._random = random.Random(seed)  # noqa: S311 -- a story told again by its seed
        self._late: list[tuple[str, bytes, dict]] = []
        self.doubled = 0
        self.overtaken = 0

    async def publish(self, topic: str, payload: bytes, **more) -> None:
        if not topic.endswith("/state"):
            await super().publish(topic, payload, **more)
            return
        late, self._late = self._late, []
        match self._random.choice(["once", "twice", "late"] if not late else ["once", "twice"]):
            case "late":
                self._late.append((topic, payload, more))
                self.overtaken += 1
                return
            case "twice":
                await super().publish(topic, payload, **more)
                self.doubled += 1
        await super().publish(topic, payload, **more)
        for one, before, how in late:
            await super().publish(one, before, **how)


class Forks(OrderExecutor):
    """Takes a load at a pick and leaves it at a drop."""

    def __init__(self, publisher, done: list[str]) -> None:
        super().__init__(publisher, node_delay=0.02, action_delay=0.02, enforce_arrival=False)
        self._done = done

    async def run_action(self, action, **where) -> None:
        named = {parameter.key: parameter.value for parameter in action.action_parameters or []}
        if action.action_type == "pick":
            self._publisher.set_loads([Load(load_id=str(named.get("loadId", "")))])
        elif action.action_type == "drop":
            self._publisher.set_loads([])
        await super().run_action(action, **where)
        self._done.append(action.action_id)


@asynccontextmanager
async def sdk_vehicle(url: str, serial: str, *, seed: int) -> AsyncIterator[tuple[BadRadio, list]]:
    """Its radio, and what it really did, while it is on the broker."""
    radio, done = BadRadio(url, seed), []
    config = VehicleConfig(
        broker_url=url, manufacturer=MAKER, serial_number=serial, state_interval=0.2
    )
    client = VehicleClient(config, transport=radio)

    @client.on_order
    async def drive(order) -> None:
        await Forks(client.publisher, done).run(order)

    await client.connect()
    client.update_position(x=0.0, y=0.0, theta=0.0, map_id="floor")
    client.mark_node_traversed("home", 0)
    client.set_loads([])
    await client.publish_state()
    try:
        yield radio, done
    finally:
        await client.disconnect()
