"""The hub's talk with the site's ERP: a connector from the settings, a worker beside the pages.

The secret stands in a file of its own (`[erp] secret`), readable by us alone; never in a setting.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import stat
import threading
from datetime import datetime
from pathlib import Path

import structlog

from appliance.config import Config, ErpConfig
from appliance.web.ports import HealthItem
from contracts.errors import BadInputError, TallymanError, UnavailableError
from erp_link.connectors.open import SYSTEMS, ErpSettings, open_connector
from erp_link.connectors.port import ErpPort
from erp_link.domain.erp.delivery import State
from erp_link.service.core import Core
from erp_link.service.erp.desk import Announced, ErpDesk, Overview
from erp_link.service.erp.projection import begin_now
from erp_link.service.erp.worker import BY, ErpWorker

log = structlog.get_logger()
_NOTHING = Announced((), ())


class HubErp:
    """`desk` is there for the pages with no ERP too; `run` is the side job."""

    def __init__(self, config: Config, core: Core) -> None:
        self._config = config.erp
        self._core = core
        self.desk = ErpDesk(core, system=SYSTEMS.get(config.erp.kind, ""))
        self.announced = _NOTHING
        self._wake = asyncio.Event()
        self._busy = threading.Lock()
        self._health: tuple[HealthItem, ...] = ()
        self._port: ErpPort | None = None
        if config.erp.kind:
            self._port = open_connector(_settings(config.erp), self.desk.name_book)

    def health(self) -> tuple[HealthItem, ...]:
        """The ERP's row of the health page, ready made; none where no ERP is connected."""
        return self._health

    def wake(self) -> None:
        """A person mended something: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Tell the ERP what happened, until cancelled. Returns at once where there is none."""
        if self._port is None:
            return
        holder = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        worker = ErpWorker(self._core, self._port, prefix=self._config.prefix, holder=holder)
        if not self._config.history and await asyncio.to_thread(begin_now, self._core):
            log.info("the ERP is told what happens from now on")
        try:
            while True:
                await asyncio.to_thread(self._step, worker)
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), self._config.every_s)
                except TimeoutError:
                    continue
        finally:
            worker.stop()
            await asyncio.to_thread(self._end, worker)

    def _end(self, worker: ErpWorker) -> None:
        # What is being told now is told to its end, or until the ERP's time is over.
        with self._busy:
            worker.close()

    def _step(self, worker: ErpWorker) -> None:
        with self._busy:
            self._work(worker)

    def _work(self, worker: ErpWorker) -> None:
        ended = worker.step()
        if ended:
            log.info("told the ERP", messages=ended)
        self._health = (_item(self.desk.overview(), self._core.clock.now(), self._config.every_s),)
        if self._port is None or worker.is_stopping:
            return
        try:
            self.announced = self._look(self._port)
        except UnavailableError:
            # The worker has noted it already, or will the next time.
            return
        except TallymanError as error:
            log.warning("what the ERP expects cannot be read", why=str(error))

    def _look(self, port: ErpPort) -> Announced:
        """What the ERP expects to come, and to leave."""
        coming = self.desk.take_announced(port, by=BY) if self._config.announced else _NOTHING
        leaving = self.desk.take_ordered(port, by=BY) if self._config.orders else _NOTHING
        return Announced(coming.imported, coming.unusable + leaving.unusable, leaving.orders)


def _item(seen: Overview, now: datetime, every_s: float) -> HealthItem:
    dead, waiting = seen.counts[State.DEAD], seen.counts[State.WAITING]
    state = "down" if seen.line.down_since else "warn" if dead else "ok"
    told = f"{waiting} to be told, {dead} refused"
    if seen.line.trouble is not None:
        told = f"{told}; {seen.line.trouble.message}"
    return HealthItem(
        "process",
        f"ERP {seen.system}",
        state,
        detail=told,
        at=now,
        max_age_s=max(60.0, 4 * every_s),
    )


def _settings(config: ErpConfig) -> ErpSettings:
    return ErpSettings(
        kind=config.kind,
        url=config.url,
        database=config.database,
        user=config.user,
        secret=_secret(config.secret),
        company=config.company,
        warehouse=config.warehouse,
        quarantine=config.quarantine,
    )


def _secret(path: str) -> str:
    """The words in the file. Raises BadInputError where it is missing, empty, or open to others."""
    if not path:
        return ""
    file = Path(path)
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"[erp] secret: {path} cannot be read", mend="Name a file that holds the secret alone"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInputError(
            f"[erp] secret: others on this machine can read {path}", mend=f"chmod 600 {path}"
        )
    if not text:
        raise BadInputError(f"[erp] secret: {path} is empty", mend="Write the secret into it")
    return text
