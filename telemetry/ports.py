"""What the ingest needs from outside: rules to run, somebody who tells alarms, a doorman.

The catalogue is `telemetry.describing.Catalogue`; the engine is `telemetry.watching`'s.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.telemetry import AlarmChanged
from telemetry.segments.groups import Quarantined


class Watcher(Protocol):
    """All rules on one series behind one comparison: inside the quiet band nothing can change."""

    low: float
    high: float

    def see(self, at_us: int, value: float) -> None:
        """A value outside the quiet band, or any value where the band is (inf, -inf)."""
        ...


class Engine(Protocol):
    """The fences at work. The arrays and the watchers are indexed by the number of the series; they
    stay the same objects for as long as the engine is.
    """

    latest: array[float]
    latest_us: array[int]
    quiet_low: array[float]
    quiet_high: array[float]
    """Between them a value changes nothing, in whatever order it comes with those of other series;
    (inf, -inf) where each value must be seen in its place."""

    @property
    def watch(self) -> Sequence[Watcher]: ...

    def extend(self) -> None:
        """The catalogue's book has more series: make the lists as long."""
        ...

    def tick(self, now_us: int) -> None:
        """Time passed: missing readings, for-durations, schedules, escalation.

        Called by a timer and before every group, with the group's time, also when groups are gone
        through again after a restart.
        """
        ...

    def turn_back(self, now_us: int) -> bool:
        """The machine's clock was set back; False where it was by no more than a moment."""
        ...

    def take_changes(self) -> list[AlarmChanged]:
        """What changed since the last call, oldest first."""
        ...

    def save(self) -> bytes:
        """The whole state; belongs to the position of the group it was taken after."""
        ...

    def restore(self, data: bytes) -> None:
        """Take over a saved state. Raises BadInputError where it is not one."""
        ...

    def resume(self, now_us: int) -> None:
        """After the groups behind the saved state were gone through again."""
        ...


class AlarmSink(Protocol):
    """Who is told of alarms: the gateway's journal."""

    async def tell(self, changes: Sequence[AlarmChanged]) -> None:
        """Returns when they are durable. The same (alarm_id, number) may come again after a
        restart and counts once (I2).
        """
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks to come in, as its CONNECT and its TLS session say."""

    client_id: str
    username: str
    password: bytes
    peer: str
    """Address and port, for the log."""
    certificate: bytes
    """DER of the certificate that TLS has verified; empty without one."""
    common_name: str
    uris: tuple[str, ...]
    """Of the certificate's subject alternative names."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who came in and what it may publish."""

    device: str
    """Identity: certificate's name or user name. A client id belongs to one identity at a time."""
    topics: tuple[str, ...]
    """MQTT topic filters; `+` and `#` as in the standard."""


class Doorman(Protocol):
    """Knows who may publish. Passwords take their time to check, so it is asynchronous."""

    async def admit(self, caller: Caller) -> Admission:
        """Raises NotSignedInError (unknown or wrong password) or ForbiddenError."""
        ...


class DurablePath(Protocol):
    """What endpoints hand readings to (`telemetry.ingest.Intake`)."""

    @property
    def full(self) -> bool:
        """No more should be read now."""
        ...

    def when_room(self, callback: Callable[[], None]) -> None:
        """Called once when there is room again."""
        ...

    def take(
        self, messages: Sequence[tuple[str, bytes]], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        """Readings as (address, payload); `on_disk` is called when all of them are durable."""
        ...

    def set_aside(
        self, items: Sequence[Quarantined], received_us: int, on_disk: Callable[[], None]
    ) -> None:
        """What an endpoint itself cannot take for a reading, with its reason."""
        ...
