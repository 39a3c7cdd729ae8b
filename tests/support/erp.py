"""A house that tells a simulated Odoo, which may be away or kill whoever asks it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from contracts.clock import FixedClock
from erp_link.connectors.http import Wire
from erp_link.connectors.odoo.connector import OdooConnector
from erp_link.domain.erp.delivery import State
from erp_link.domain.erp.messages import MessageKind
from erp_link.service.core import Core
from erp_link.service.erp.desk import Announced, ErpDesk
from erp_link.service.erp.outbox import Trouble
from erp_link.service.erp.worker import ErpWorker
from tests.support import odoo
from tests.support.odoo import Odoo


class KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


@dataclass
class House:
    """A core, its outbox, and an Odoo that may be away or kill whoever asks it."""

    core: Core
    clock: FixedClock
    erp: Odoo
    away: bool = False
    kill_after: str = ""
    """The next call whose path ends so is done, and the worker dies before it hears of it."""

    @property
    def desk(self) -> ErpDesk:
        return ErpDesk(self.core, system="Odoo")

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        done = self.erp.handle(request)
        if self.kill_after and request.url.path.endswith(self.kill_after):
            self.kill_after = ""
            raise KilledError
        return done

    def worker(self, holder: str = "hub-1") -> ErpWorker:
        wire = Wire("http://erp.test", transport=httpx.MockTransport(self.answer))
        port = OdooConnector(wire, database="", key=odoo.KEY, names=self.desk.name_book)
        return ErpWorker(self.core, port, prefix="TM", holder=holder)

    def tells(self, holder: str = "hub-1") -> int:
        return self.worker(holder).step()

    def states(self) -> list[tuple[MessageKind, State]]:
        return [(each.message.kind, each.state) for each in reversed(self.desk.letters())]

    def pickings(self) -> list[str]:
        return [str(row["state"]) for row in self.erp.rows("stock.picking")]

    # As the exchange page sees it

    @property
    def announced(self) -> Announced:
        unusable = Trouble(
            "erp_refused", "Odoo's receipt WH/IN/00042 names no lot", "Write the lot into its line"
        )
        return Announced((), (unusable,))

    def wake(self) -> None:
        self.tells()
