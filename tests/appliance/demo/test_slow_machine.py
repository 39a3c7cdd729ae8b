"""A machine too slow for the sample delivery: who came to look goes on looking."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import appliance.demo.run as demo
from appliance.cli.up import _work
from appliance.config import Config
from contracts.errors import UnavailableError


class Hub:
    """Takes the delivery."""

    def __init__(self, *_address: Any, **_more: Any) -> None:
        self.announced: list[str] = []
        self.asked: list[str] = []

    async def close_open_sessions(self) -> None:
        """No session was open."""

    async def announce(self, number: str, _asn: bytes, *, dock: str) -> None:
        self.announced.append(f"{number} at {dock}")

    async def call(self, _method: str, path: str, **_more: Any) -> dict[str, Any]:
        self.asked.append(path)
        return {"described": False}

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A site whose station judges too slowly."""

    async def too_slow(*_what: Any, **_more: Any) -> None:
        raise UnavailableError("Only 11 of 12 cartons were judged", mend="Look at the log")

    async def edge_comes() -> None:
        """It does."""

    monkeypatch.setattr(demo, "HubApi", Hub)
    monkeypatch.setattr(demo, "watch", too_slow)
    asn = tmp_path / "DESADV-1.csv"
    asn.write_bytes(b"")
    running = SimpleNamespace(
        api_url="",
        api_token="",
        api_trust=None,
        start_edge=edge_comes,
        layout=SimpleNamespace(journal=tmp_path / "journal.db", demo=tmp_path),
    )
    return SimpleNamespace(running=running, delivery=SimpleNamespace(asn_csv=asn, cartons=None))


async def test_the_pages_stay_and_say_how_far_it_came(site: SimpleNamespace) -> None:
    told = Console(file=StringIO(), width=100)
    surprises = await _work(Config(), site.running, site.delivery, told, stays=True)
    assert surprises == 1
    assert "Only 11 of 12 cartons were judged. Look at the log" in told.file.getvalue()


async def test_who_asked_for_one_run_is_told_that_it_failed(site: SimpleNamespace) -> None:
    with pytest.raises(UnavailableError, match="Only 11 of 12"):
        await _work(Config(), site.running, site.delivery, Console(file=StringIO()), stays=False)
