"""What a gateway tells of itself: every message stands in one of these numbers, with its reason."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance.gateway.alarms import JournalSink
from appliance.gateway.doors import Doors
from appliance.gateway.fronts import Fronts
from appliance.gateway.knowledge import Knowledge
from appliance.gateway.tailer import read_status
from appliance.layout import Layout
from appliance.uplink.sender import Uplink
from telemetry.ingest.intake import Intake
from telemetry.mqtt.endpoint import Endpoint
from telemetry.subscriber.subscriber import Subscriber

_WINDOW_S = 10
_NEWEST = 20
_PAGE_KB = 4


@dataclass(slots=True)
class Rate:
    """Readings a second over the last ten; `note` it once a second."""

    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_WINDOW_S + 1))

    def note(self, now_s: float, accepted: int) -> None:
        self._marks.append((now_s, accepted))

    @property
    def per_s(self) -> float:
        if len(self._marks) < 2:  # noqa: PLR2004 -- a rate is between two marks
            return 0.0
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """Everything that `tell` needs; all of it is read at once, on the event loop."""

    device: str
    version: str
    layout: Layout
    intake: Intake
    doors: Doors
    knowledge: Knowledge
    sink: JournalSink
    uplink: Uplink
    rate: Rate
    now_us: Callable[[], int]
    started_us: int

    def tell(self) -> dict[str, Any]:
        """JSON-ready; times in microseconds since 1970, sizes in bytes, durations in seconds."""
        tailer = read_status(self.layout.sensor_history)
        return {
            "device": self.device,
            "version": self.version,
            "at_us": self.now_us(),
            "started_us": self.started_us,
            "memory_bytes": _resident_bytes(),
            "free_bytes": shutil.disk_usage(self.layout.gateway).free,
            "intake": self._intake(),
            "doors": {
                "mqtt": _mqtt(self.doors.mqtt, self.doors.addresses),
                "coap": _coap(self.doors),
                "broker": _broker(self.doors.subscriber, self.doors.addresses),
            },
            "sensors": self._sensors(),
            "alarms": self._alarms(),
            "hub": {
                "online": self.uplink.online,
                "lag": self.uplink.lag,
                "trouble": self.uplink.trouble,
            },
            "history": None if tailer is None else asdict(tailer),
        }

    def _intake(self) -> dict[str, Any]:
        intake, counts = self.intake, self.intake.counts
        told = {name: getattr(counts, name) for name in counts.__slots__}
        told["quarantined"] = dict(counts.quarantined)
        trouble = intake.trouble
        return told | {
            "rate_per_s": round(self.rate.per_s, 1),
            "held_bytes": intake.held_bytes,
            "full": intake.full,
            "trouble": None if trouble is None else asdict(trouble),
            "segment": intake.position.segment,
            "offset": intake.position.offset,
        }

    def _sensors(self) -> dict[str, Any]:
        catalogue = self.knowledge.catalogue
        return {
            "catalogue": catalogue.version,
            "devices": len(catalogue.book.device),
            "series": len(catalogue.series),
            "wrong_clocks": dict(
                sorted(catalogue.wrong_clocks.items(), key=lambda one: -one[1])[:_NEWEST]
            ),
            "trouble": self.knowledge.trouble,
        }

    def _alarms(self) -> dict[str, Any]:
        engine, guard = self.knowledge.engine, self.knowledge.fences
        troubles = [*guard.troubles, *(engine.troubles if engine else ())]
        return {
            "open": len(engine.open_alarms()) if engine else 0,
            "fences": len(guard.fences()),
            "refused": guard.refused,
            "troubles": [asdict(each) for each in troubles[:_NEWEST]],
            "repeated": self.sink.repeated,
            "unwritten": self.sink.refused,
        }


def _mqtt(
    endpoint: Endpoint | Fronts | None, addresses: Mapping[str, str]
) -> dict[str, Any] | None:
    if endpoint is None:
        return None
    counts = endpoint.counts
    newest = list(counts.newest)[-_NEWEST:]
    return {
        "address": addresses.get("mqtt", ""),
        "connected": endpoint.connected,
        "accepted": counts.accepted,
        "messages": counts.messages,
        "pauses": counts.pauses,
        "refused": dict(counts.refused),
        "newest": [asdict(each) for each in reversed(newest)],
    }


def _coap(doors: Doors) -> dict[str, Any] | None:
    if doors.coap is None:
        return None
    watches = doors.observer.watches if doors.observer is not None else ()
    return {
        "address": doors.addresses.get("coap", ""),
        "counts": dict(doors.coap.counts),
        "observed": {each.observed.address: each.state for each in watches},
    }


def _broker(subscriber: Subscriber | None, addresses: Mapping[str, str]) -> dict[str, Any] | None:
    if subscriber is None:
        return None
    return {
        "address": addresses.get("broker", ""),
        "connected": subscriber.connected,
        "protocol": subscriber.protocol,
        "trouble": subscriber.trouble,
        "counts": dict(subscriber.counts),
    }


def _resident_bytes() -> int:
    """Of this process; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE_KB * 1024
