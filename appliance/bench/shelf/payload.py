"""How much a phone fetches before the page works without the network: all that the service worker
asks for, as the hub sends it with gzip.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from appliance.bench.shelf.house import open_house
from appliance.bench.shelf.stage import served
from appliance.web.shelf.worker import fetched

_LARGEST = 5


def measure(folder: Path) -> dict[str, Any]:
    """Bytes over the line, both languages and the worker itself included."""
    house = open_house(folder)
    try:
        with served(house.app) as url, httpx.Client(base_url=url, timeout=30) as client:
            sizes = {each: _over_the_line(client, each) for each in fetched()}
    finally:
        house.close()
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:_LARGEST]
    return {
        "payload_gzip_kb": round(sum(sizes.values()) / 1000, 1),
        "payload_files": len(sizes),
        "payload_largest_kb": {name: round(size / 1000, 1) for name, size in largest},
    }


def _over_the_line(client: httpx.Client, address: str) -> int:
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        answer.raise_for_status()
        return sum(len(each) for each in answer.iter_raw())
