"""Read rates from a device's journal, at the hub: the same rows as intake writes (I6)."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.journal.codec import UnknownKindError, decode_body
from appliance.journal.verify import read_entries
from contracts.clock import SystemClock
from contracts.events import CartonJudged, CartonSettled
from erp_link.service.core import Core


def refill(config: Config, journal: Path) -> int:
    """Count every carton of a journal; how many entries spoke of one. The hub may be running.

    The caller has verified the journal. Raises UnavailableError where the core does not answer.
    """
    core = Core(config.database_url, clock=SystemClock(), zone=ZoneInfo(config.site.time_zone))
    counted = 0
    try:
        for entry in read_entries(journal):
            try:
                body = decode_body(entry.kind, entry.body)
            except UnknownKindError:
                continue
            if isinstance(body, CartonJudged | CartonSettled):
                core.read_again(entry, body)
                counted += 1
    finally:
        core.close()
    return counted
