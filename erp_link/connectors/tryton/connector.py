"""The Tryton connector: the port over its JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.asn import Asn
from erp_link.connectors.http import Wire
from erp_link.connectors.names import Names
from erp_link.connectors.port import ErpDocument, ErpRefusedError, Stopped
from erp_link.connectors.tryton.announced import announced
from erp_link.connectors.tryton.documents import Documents
from erp_link.connectors.tryton.issues import Issues
from erp_link.connectors.tryton.ordered import ordered
from erp_link.connectors.tryton.quality import Quality
from erp_link.connectors.tryton.receipts import Receipts
from erp_link.connectors.tryton.rpc import TrytonRpc
from erp_link.connectors.tryton.shifts import Shifts
from erp_link.connectors.tryton.site import Site
from erp_link.domain.erp.messages import Message, MessageKind
from erp_link.domain.orders import NewOrder


class TrytonConnector:
    """Implements ErpPort. `warehouse` and `quarantine` are codes of Tryton's locations."""

    def __init__(
        self,
        wire: Wire,
        *,
        database: str,
        user: str,
        password: str,
        names: Callable[[], Names] = Names,
        warehouse: str = "WH",
        quarantine: str = "QUAR",
    ) -> None:
        self._wire = wire
        self._rpc = TrytonRpc(wire, database=database, user=user, password=password)
        self._site = Site(self._rpc, names, warehouse=warehouse, quarantine=quarantine)
        self._documents = Documents(self._rpc)
        self._shifts = Shifts(self._rpc, self._site, self._documents)
        self._receipts = Receipts(
            self._rpc, self._site, self._documents, self._shifts, Quality(self._rpc)
        )
        self._issues = Issues(self._rpc, self._site, self._documents)

    @property
    def name(self) -> str:
        return "Tryton"

    def find(self, message: Message) -> list[ErpDocument]:
        return self._desk(message).find(message)

    def create(self, message: Message) -> ErpDocument:
        return self._desk(message).create(message)

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        return self._desk(message).advance(message, document)

    def cancel(self, document: ErpDocument) -> None:
        self._documents.cancel(document.key)

    def stop(self, message: Message) -> Stopped:
        return self._shifts.stop(message)

    def announced(self) -> Sequence[Asn | ErpRefusedError]:
        return announced(self._rpc, self._site)

    def ordered(self) -> Sequence[NewOrder | ErpRefusedError]:
        return ordered(self._rpc, self._site)

    def close(self) -> None:
        self._wire.close()

    def _desk(self, message: Message) -> Receipts | Shifts | Issues:
        match message.kind:
            case MessageKind.RECEIPT:
                return self._receipts
            case MessageKind.SHIFT:
                return self._shifts
            case MessageKind.ISSUE:
                return self._issues
            case _:
                raise AssertionError(f"{message.kind} is no document")
