"""Shared fixtures, the dock with real processes, and the rule for skips: failures in CI."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from appliance.layout import Layout
from contracts.clock import FixedClock
from erp_link.adapters import database
from tests.support import ports, statements, workers

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TALLYMAN_DATA", ROOT.parent / "shared" / "data"))

# How long an example takes says more about the machine than about the code.
settings.register_profile(
    "house", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    workers.keep_to_one_core()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> workers.ByUnit:
    return workers.ByUnit(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = workers.ordered((item.nodeid, item) for item in items)
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


@pytest.fixture(scope="session", autouse=True)
def tables_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The first core on an empty SQLite file makes its tables by every migration; the others of this
    worker begin with a copy of what it made.
    """
    from erp_link.service import store

    migrate, made = store.migrate, tmp_path_factory.mktemp("tables") / "core.db"

    def from_the_copy(engine: Engine) -> None:
        file = Path(engine.url.database or "")
        if engine.dialect.name == "sqlite" and not file.exists():
            if not made.exists():
                first = database.open_engine(f"sqlite:///{made}")
                migrate(first)
                first.dispose()
            shutil.copy(made, file)
        migrate(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "migrate", from_the_copy)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", statements.sharing_engine)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real photos and messages; use with @pytest.mark.data."""
    return DATA


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


PATIENCE_S = 150.0


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """A data folder with samples and profiles, to copy from."""
    from appliance.demo.prepare import prepare
    from appliance.profiles import ProfileFolder
    from appliance.teaching.trust import TrustedKeys

    layout = Layout(tmp_path_factory.mktemp("prepared"))
    profiles, trust = ProfileFolder(layout.profiles), TrustedKeys(layout.trust)
    prepare(layout.demo, profiles, trust, today=datetime.now(UTC).date())
    return layout.root


@dataclass
class Up:
    """`tallyman up` as a person starts it, on free ports, in a data folder of its own."""

    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> str:
        return f"http://{self.environ['TALLYMAN_HUB_LISTEN']}"

    @property
    def layout(self) -> Layout:
        return Layout(self.folder)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "up", *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environ,
            )
        return self.process

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def until(self, what: Callable[[], object], why: str) -> None:
        """Wait for `what` to be true, or fail with what was printed."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            if self.process is not None and self.process.poll() is not None:
                pytest.fail(f"{why}: up ended with {self.process.returncode}\n{self.output()}")
            if time.monotonic() > deadline:
                pytest.fail(f"{why}: not within {PATIENCE_S:.0f} s\n{self.output()}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)


@pytest.fixture
def up(prepared, tmp_path) -> Iterator[Up]:
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    made = Up(
        folder,
        tmp_path / "up.log",
        environ={
            "TALLYMAN_SITE_DATA": str(folder),
            "TALLYMAN_HUB_LISTEN": ports.free_address(),
            "TALLYMAN_HUB_DEVICE_LISTEN": ports.free_address(),
            "TALLYMAN_EDGE_LISTEN": ports.free_address(),
            "TALLYMAN_GATEWAY_LISTEN": ports.free_address(),
            "TALLYMAN_GATEWAY_MQTT_LISTEN": ports.free_address(),
            "TALLYMAN_GATEWAY_COAP_LISTEN": ports.free_address(),
        },
    )
    try:
        yield made
    finally:
        made.stop()
