"""Real brokers for tests: started on a free port, killed hard, started again on the same data."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.support.ports import free_port


class RealBroker:
    """One broker process with its data in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "broker.log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class NatsBroker(RealBroker):
    def command(self) -> list[str]:
        config = self.folder / "nats.conf"
        # NATS wants one setting a line.
        config.write_text(
            f"""server_name: tallyman_test
host: 127.0.0.1
port: -1
jetstream {{
  store_dir: "{self.folder / "jetstream"}"
  sync_interval: always
}}
mqtt {{
  host: 127.0.0.1
  port: {self.port}
}}
""",
            encoding="utf-8",
        )
        return [str(Path(sys.executable).with_name("nats-server")), "-c", str(config)]


class MosquittoBroker(RealBroker):
    def command(self) -> list[str]:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"""listener {self.port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {self.folder}/
autosave_on_changes true
autosave_interval 1
""",
            encoding="utf-8",
        )
        return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)]
