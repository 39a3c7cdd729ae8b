"""What the agent needs from outside: its hub and somebody who proves a set on this machine.

Time comes from `contracts.clock.Clock`, the disk from `ota.agent.files.Files`; chance from a seeded
`random.Random`. All methods block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from contracts.ota import BoxReport
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class Polled:
    """The hub's answer to a poll. `envelope` is the signed assignment (DSSE, JSON), None where
    nothing changed since `etag`.
    """

    envelope: bytes | None
    etag: str = ""


class Hub(Protocol):
    """The device port. Each call ends within its own total deadline, however slowly bytes come.

    Raises UnavailableError where it cannot be reached, says nothing useful, or is too slow;
    ForbiddenError and NotSignedInError where it knows the device no more.
    """

    def poll(self, etag: str) -> Polled:
        """`GET /device/v1/ota/assignment`, with the ETag of the last answer (empty: none)."""
        ...

    def report(self, report: BoxReport) -> None:
        """`POST /device/v1/ota/report`."""
        ...

    def get(self, path: str, *, offset: int = 0, most: int) -> bytes:
        """At most `most` bytes from `offset` of `/device/v1/ota/<path>`; paths are `root`,
        `tuf/<name>`, `artefacts/<64 hex>`, `deltas/<64 hex>-<64 hex>.<kind>`. Fewer bytes than are
        there may come at any time (a line cut, a deadline); none at all: the end.

        Raises NotFoundError too.
        """
        ...


class Prover(Protocol):
    """Runs a set on its golden frames, on this machine and its engine, before it may run."""

    def prove(self, lane: str, digest: str, folder: str) -> Reason | None:
        """Why the set in `folder` must not run here; None where it proved itself. Never raises for
        what the set does: one that crashes or hangs is a reason. UnavailableError: it was stopped
        before it could tell, and is asked once more.
        """
        ...
