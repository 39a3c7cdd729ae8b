"""Shared fixtures, and the rule for skips: listed at the end, failures in CI."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.clock import FixedClock

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TALLYMAN_DATA", ROOT.parent / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {
        "data": None if DATA.is_dir() else f"test data folder {DATA} is absent (TALLYMAN_DATA)",
        "chromium": None if shutil.which("chromium") else "Chromium is not installed",
        "mosquitto": None
        if shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()
        else "Mosquitto is not installed",
    }
    for item in items:
        for marker, why in missing.items():
            if why and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=why))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so a skip is a hole in the floor."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TALLYMAN_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("TALLYMAN_NO_SKIPS is set and tests were skipped: failing", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real photos and messages; use with @pytest.mark.data."""
    return DATA


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
