"""What an update costs on the line: differences of real sets, and one poll that brings nothing new."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from appliance.bench.rollout.plant.network import (
    FILE,
    installed,
    with_metadata,
    with_other_head,
)
from ota.agent import delta
from ota.agent.tensors import tensors


@dataclass(frozen=True, slots=True)
class Change:
    """A file that became another. `percent`: of the new one's bytes, over the line."""

    what: str
    bytes_whole: int
    bytes_sent: int
    kind: str

    @property
    def percent(self) -> float:
        return round(100 * self.bytes_sent / self.bytes_whole, 3)


def changes() -> list[Change]:
    """The installation's crack network with other metadata, another head, and trained further."""
    old = (installed().folder / FILE).read_bytes()
    made = {
        "metadata": with_metadata(old, "trained on"),
        "head": with_other_head(old),
        "all weights, a little": _trained_on(old),
    }
    return [_change(what, old, new) for what, new in made.items()]


def _change(what: str, old: bytes, new: bytes) -> Change:
    way = delta.make(old, new)
    if way is None:
        return Change(what, len(new), len(new), "whole")
    made = delta.apply(way.kind, old, way.data, size=len(new))
    if hashlib.sha256(made).digest() != hashlib.sha256(new).digest():
        raise AssertionError(f"the difference for {what} does not lead to the file")
    return Change(what, len(new), len(way.data), str(way.kind))


def _trained_on(network: bytes) -> bytes:
    """Every weight moved a little, as a fine-tune does."""
    draw, data = np.random.default_rng(1), bytearray(network)
    for each in tensors(network):
        if each.width == 4:  # noqa: PLR2004 -- float32
            weights = np.frombuffer(network, np.float32, each.length // 4, each.offset)
            moved = weights * (1 + 1e-3 * draw.standard_normal(len(weights))).astype(np.float32)
            data[each.offset : each.offset + each.length] = moved.astype(np.float32).tobytes()
    return bytes(data)
