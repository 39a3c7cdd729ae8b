"""A gateway on aiomqtt, as a peer of the bench: receives, reads the JSON, checks two thresholds.

Nothing is stored, and it acknowledges as it receives. Says "ready", then "seen N".

    python -m appliance.bench.ingest.aiomqtt_peer mqtt://127.0.0.1:1883 WANTED
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import urlsplit

import aiomqtt

from appliance.bench.ingest.stream import FILTER

_WARM, _COLD = 8.0, 7.5


async def receive(url: str, wanted: int) -> None:
    """Until it is ended."""
    broker = urlsplit(url)
    above: set[str] = set()
    seen = 0
    async with aiomqtt.Client(
        broker.hostname or "127.0.0.1", broker.port or 1883, max_queued_incoming_messages=0
    ) as client:
        await client.subscribe(FILTER, qos=1)
        print("ready", flush=True)  # noqa: T201 -- what its parent waits for
        async for message in client.messages:
            reading = json.loads(bytes(message.payload))
            topic = str(message.topic)
            if reading["temperature"] > _WARM:
                above.add(topic)
            elif reading["temperature"] < _COLD:
                above.discard(topic)
            seen += 1
            if seen % wanted == 0:
                print(f"seen {seen}", flush=True)  # noqa: T201 -- as above


if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1], int(sys.argv[2])))
