"""What an applied journal entry means to those who watch: pages by live event, vehicles by a wake."""

from __future__ import annotations

from collections.abc import Callable

from contracts.events import EventBody, JournalEntry
from contracts.ports import LiveView
from erp_link.domain.effects import Applied

# Effect kinds of the core, and the live topic whose watchers they concern.
_TOPICS = {
    "received": "session",
    "in_review": "session",
    "settled": "session",
    "held": "hold",
    "ticket": "ticket",
    "transport": "transport",
    "device": "health",
    "lesson": "lesson",
    "alarm": "alarm",
}


class HubNews:
    """Tells after the fact; losing an event loses nothing, a page asks for the state."""

    def __init__(self, live: LiveView, *, wake: Callable[[], None]) -> None:
        self._live = live
        self._wake = wake

    async def applied(self, entry: JournalEntry, body: EventBody, applied: object) -> None:
        """Called once for each entry that changed something."""
        if isinstance(applied, Applied):
            await self.told(applied, device=entry.device, load=str(getattr(body, "carton_id", "")))

    async def told(self, applied: Applied, *, device: str, load: str) -> None:
        """What came of something that a device, or a module station, said about a load."""
        for effect in applied.effects:
            topic = _TOPICS.get(effect.kind)
            if topic is None:
                continue
            await self._live.publish(
                topic,
                {
                    "what": effect.kind,
                    "reference": effect.reference,
                    "device": device,
                    "load": load,
                    "target": str(effect.text.params.get("target", "")),
                },
            )
        if any(effect.kind == "transport" for effect in applied.effects):
            self._wake()
