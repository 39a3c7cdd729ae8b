"""What goes over the wire of the learning loop between a station and its hub."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLES_PATH = "/device/v1/examples"
ERASURES_PATH = "/device/v1/erasures"


@dataclass(frozen=True, slots=True)
class Told:
    """Which erasures the two sides have exchanged: ours that the hub took, the hub's that we did."""

    sent: str = ""
    etag: str = ""
