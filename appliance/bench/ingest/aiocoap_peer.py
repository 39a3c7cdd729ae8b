"""A CoAP server on aiocoap, as a peer of the bench: takes POSTs, reads the JSON, answers 2.04.

Its message layer knows messages that come again, as ours does; nothing is stored. Says "ready PORT".

    python -m appliance.bench.ingest.aiocoap_peer
"""

from __future__ import annotations

import asyncio
import json

import aiocoap
import aiocoap.resource

from appliance.services.address import free_address


class Readings(aiocoap.resource.Resource, aiocoap.resource.PathCapable):  # type: ignore[misc]  # it ships no types
    """Every path below it."""

    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        json.loads(request.payload)
        return aiocoap.Message(code=aiocoap.CHANGED)


async def serve() -> None:
    """Until it is ended."""
    host, _, port = free_address().rpartition(":")
    site = aiocoap.resource.Site()
    site.add_resource(["sensors"], Readings())
    await aiocoap.Context.create_server_context(site, bind=(host, int(port)))
    print(f"ready {port}", flush=True)  # noqa: T201 -- what its parent waits for
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(serve())
