"""A phone's browser: Chromium with a folder of its own and a film for a camera, that may be killed.

Started by us and not by Playwright, so that a kill -9 takes all its processes at once, as a phone
that falls does, and the next start finds what was really on the disk.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import UnavailableError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Playwright

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that is tested is never in the background.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
)
_PATIENCE_S = 60.0


@dataclass
class Chromium:
    """`folder` keeps what the phone keeps. camera: a y4m file, played again and again."""

    folder: Path
    camera: Path | None = None
    language: str = "en"
    size: tuple[int, int] = (1280, 720)
    """Of the window: (width, height) in pixels."""
    more: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> str:
        """The address for Playwright's `connect_over_cdp`. Raises UnavailableError."""
        found = shutil.which("chromium") or shutil.which("google-chrome")
        if found is None:
            raise UnavailableError("Chromium is not installed", mend="Install the package chromium")
        self.folder.mkdir(parents=True, exist_ok=True)
        port_file = self.folder / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        camera = [f"--use-file-for-fake-video-capture={self.camera}"] if self.camera else []
        self._process = subprocess.Popen(  # noqa: S603 -- the browser of this machine
            [
                found,
                *_FLAGS,
                f"--user-data-dir={self.folder}",
                f"--accept-lang={'zh-CN,zh' if self.language == 'zh' else 'en-US,en'}",
                f"--window-size={self.size[0]},{self.size[1]}",
                *camera,
                *self.more,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + _PATIENCE_S
        while True:
            lines = port_file.read_text().splitlines() if port_file.exists() else []
            if len(lines) >= 2:  # noqa: PLR2004 -- port and path
                return f"http://127.0.0.1:{lines[0]}"
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise UnavailableError("Chromium did not start", mend=f"Start {found} by hand")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)

    def kill(self) -> None:
        """All its processes at once, as by kill -9; nothing is closed or written before."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def opened(playwright: Playwright, chromium: Chromium) -> Iterator[BrowserContext]:
    """The browser's own context while it runs; it is killed at the end."""
    address = chromium.start()
    try:
        browser = playwright.chromium.connect_over_cdp(address)
        yield browser.contexts[0]
    finally:
        chromium.kill()
