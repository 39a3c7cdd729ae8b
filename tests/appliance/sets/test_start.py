"""What an edge says before it loaded anything: others act by it meanwhile (I3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import Config, SiteConfig
from appliance.edge import several
from appliance.layout import Layout
from contracts.clock import SystemClock
from ota.agent.files import RealFiles
from ota.agent.handover import (
    Active,
    LaneActive,
    Running,
    read_running,
    write_active,
    write_running,
)

ASSIGNED, PINNED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


class DiedOfItError(Exception):
    """The set took the process along."""


def test_an_edge_that_loads_keeps_hold_of_what_its_open_batches_are_pinned_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The agent makes room by this very word; a pinned set that went could judge no more."""
    layout = Layout(tmp_path)
    files = RealFiles(layout.sets)
    write_active(files, Active(change=4, lanes={"read": LaneActive(ASSIGNED, change=4)}))
    write_running(files, Running(at_us=1, boot="before", change=4, open_pins=(PINNED,)))

    def die(*_: object) -> None:
        raise DiedOfItError

    monkeypatch.setattr(several, "open_at_start", die)
    config = Config(site=SiteConfig(data=str(tmp_path)))
    with pytest.raises(DiedOfItError):
        several.open_several(config, layout, None, SystemClock())
    told = read_running(files)
    assert told is not None
    assert (told.loading, told.open_pins) == (4, (PINNED,))
    assert told.boot != "before"
