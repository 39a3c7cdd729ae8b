"""The whole dock with real processes: samples rendered and products enrolled once a session."""

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

from appliance.demo.prepare import prepare
from appliance.layout import Layout
from appliance.profiles import ProfileFolder
from appliance.services.address import free_address

PATIENCE_S = 150.0


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """A data folder with samples and profiles, to copy from."""
    layout = Layout(tmp_path_factory.mktemp("prepared"))
    prepare(layout.demo, ProfileFolder(layout.profiles), today=datetime.now(UTC).date())
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
            "TALLYMAN_HUB_LISTEN": free_address(),
            "TALLYMAN_HUB_DEVICE_LISTEN": free_address(),
            "TALLYMAN_EDGE_LISTEN": free_address(),
        },
    )
    try:
        yield made
    finally:
        made.stop()
