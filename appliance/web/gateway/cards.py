"""What the gateway's read port tells, as the page shows it. A gateway of another version may leave
things out: then their usual value stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from contracts.errors import UnavailableError
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class IntakeCard:
    accepted: int = 0
    duplicates: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    groups: int = 0
    last_sync_s: float = 0.0
    slowest_sync_s: float = 0.0
    sequence_gaps: int = 0
    sequence_restarts: int = 0
    clock_steps: int = 0
    store_failures: int = 0
    damaged_bytes: int = 0
    rate_per_s: float = 0.0
    held_bytes: int = 0
    full: bool = False
    trouble: Reason | None = None

    @property
    def swapped(self) -> int:
        """Messages that name another sensor than their address."""
        return self.quarantined.get("other_device", 0)

    @property
    def aside(self) -> int:
        return sum(self.quarantined.values())


@dataclass(frozen=True, slots=True)
class RefusalCard:
    """A connection that was not let in or was closed."""

    at_us: int
    code: str
    detail: str
    peer: str
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class MqttCard:
    address: str = ""
    connected: int = 0
    messages: int = 0
    pauses: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    newest: tuple[RefusalCard, ...] = ()


@dataclass(frozen=True, slots=True)
class CoapCard:
    address: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    """State of each sensor that we observe: asking, observed or silent."""

    @property
    def refused(self) -> dict[str, int]:
        return _refused(self.counts)


@dataclass(frozen=True, slots=True)
class BrokerCard:
    address: str = ""
    connected: bool = False
    protocol: str = ""
    trouble: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> dict[str, int]:
        return _refused(self.counts)


@dataclass(frozen=True, slots=True)
class DoorsCard:
    mqtt: MqttCard | None = None
    coap: CoapCard | None = None
    broker: BrokerCard | None = None


@dataclass(frozen=True, slots=True)
class SensorsCard:
    devices: int = 0
    series: int = 0
    trouble: str = ""
    wrong_clocks: dict[str, int] = field(default_factory=dict)
    """By device: messages whose own time could not be right, those with the most."""


@dataclass(frozen=True, slots=True)
class AlarmsCard:
    open: int = 0
    fences: int = 0
    unwritten: int = 0
    """Changes that no journal could take: the hub never hears of them."""
    troubles: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class HubCard:
    online: bool = False
    lag: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class HistoryCard:
    at_us: int = 0
    readings: int = 0
    waiting: int = 0
    store_failure: str = ""
    tend_failure: str = ""
    live: str = ""
    live_lost: int = 0
    late: dict[str, int] = field(default_factory=dict)
    """By device: microseconds from measuring to arrival of its newest reading, where that is long."""


@dataclass(frozen=True, slots=True)
class GatewayCard:
    """The whole page's figures; times in microseconds since 1970, sizes in bytes."""

    device: str
    version: str
    at_us: int
    started_us: int
    memory_bytes: int = 0
    free_bytes: int = 0
    intake: IntakeCard = field(default_factory=IntakeCard)
    doors: DoorsCard = field(default_factory=DoorsCard)
    sensors: SensorsCard = field(default_factory=SensorsCard)
    alarms: AlarmsCard = field(default_factory=AlarmsCard)
    hub: HubCard = field(default_factory=HubCard)
    history: HistoryCard | None = None

    @property
    def state(self) -> str:
        """accept, review or hold: whether readings come in, and whether all beside it is well."""
        if self.intake.trouble is not None:
            return "hold"
        broker, history = self.doors.broker, self.history
        worries = (
            self.intake.full,
            broker is not None and not broker.connected,
            self.sensors.trouble,
            self.alarms.troubles or self.alarms.unwritten,
            self.intake.swapped,
            self.hub.trouble,
            history is not None and (history.store_failure or history.tend_failure),
        )
        return "review" if any(worries) else "accept"


def read_card(raw: bytes) -> GatewayCard:
    """Raises UnavailableError for an answer of another kind."""
    try:
        return msgspec.json.decode(raw, type=GatewayCard)
    except msgspec.MsgspecError as error:
        raise UnavailableError(
            f"The gateway speaks another version: {error}", mend="Update hub and gateway"
        ) from error


def _refused(counts: dict[str, int]) -> dict[str, int]:
    head = "refused."
    return {code.removeprefix(head): n for code, n in counts.items() if code.startswith(head)}
