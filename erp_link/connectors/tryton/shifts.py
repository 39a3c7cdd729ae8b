"""A freeze and its end in Tryton: shipments are unassigned, goods go to a place beside the storage
zone, where nothing assigns them, and come back.

Deactivating a lot does not do it: an assigned shipment leaves all the same.
"""

from __future__ import annotations

from erp_link.connectors.port import ErpDocument, ErpRefusedError, Stopped, StoppedDocument
from erp_link.connectors.tryton.documents import INTERNAL, OUT, Documents, split
from erp_link.connectors.tryton.rpc import TrytonRpc
from erp_link.connectors.tryton.site import Site
from erp_link.domain.erp.messages import Goods, Message, Zone

_LEAVING = (OUT, "stock.shipment.in.return")
_AT_RISK = frozenset({"picked", "packed", "shipped"})


class Shifts:
    def __init__(self, rpc: TrytonRpc, site: Site, documents: Documents) -> None:
        self._rpc = rpc
        self._site = site
        self._documents = documents

    def stop(self, message: Message) -> Stopped:
        """Unassign every shipment that would leave with one of the lots."""
        found: dict[tuple[str, str], StoppedDocument] = {}
        for goods in message.goods:
            for stopped in self._stop(goods):
                found[stopped.number, str(stopped.batch)] = stopped
        return Stopped(tuple(found.values()))

    def find(self, message: Message) -> list[ErpDocument]:
        return self._documents.find(INTERNAL, [["reference", "=", message.reference]])

    def create(self, message: Message) -> ErpDocument:
        places = self._site.places()
        source, target = places.storage, places.quarantine
        if message.to is Zone.FREE:
            source, target = target, source
        return self._create(message.reference, (message.first,), source, target)

    def set_apart(self, reference: str, goods: tuple[Goods, ...]) -> ErpDocument:
        """From where goods come in straight to quarantine, without a moment in storage."""
        found = self._documents.find(INTERNAL, [["reference", "=", reference]])
        living = [document for document in found if not document.cancelled]
        places = self._site.places()
        made = living[0] if living else self._create(
            reference, goods, places.input, places.quarantine
        )  # fmt: skip
        return self.drive(made)

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        if message.to is Zone.QUARANTINE:
            # What is assigned to a shipment cannot be moved away.
            self.stop(message)
        return self.drive(document)

    def drive(self, document: ErpDocument) -> ErpDocument:
        found, state = self._documents.read(document.key)
        if state in {"request", "draft"}:
            state = self._documents.press(found.key, "wait", to=("waiting", "assigned"))
        if state == "waiting":
            model, number = split(found.key)
            self._rpc.press(model, "assign_try", number)
            found, state = self._documents.read(found.key)
            if state != "assigned":
                raise ErpRefusedError(
                    f"Tryton cannot assign {found.number}: there is less in its books than here",
                    mend="Compare the lot's stock in Tryton with the batch here; count it there,"
                    " then try again",
                    document=found.number,
                )
        if state == "assigned":
            self._documents.press(found.key, "do", to=("done",))
        return self._documents.read(found.key)[0]

    def _create(
        self, reference: str, goods: tuple[Goods, ...], source: int, target: int
    ) -> ErpDocument:
        moves = []
        for each in goods:
            product = self._site.product(each.batch.gtin)
            moves.append(
                {
                    "product": product.number,
                    "lot": self._site.lot(each, product),
                    "unit": product.unit,
                    "quantity": float(each.quantity),
                    "from_location": source,
                    "to_location": target,
                    "company": self._rpc.context["company"],
                }
            )
        number = self._rpc.create(
            INTERNAL,
            {
                "reference": reference,
                "company": self._rpc.context["company"],
                "from_location": source,
                "to_location": target,
                "moves": [["create", moves]],
            },
        )
        return self._documents.read(f"{INTERNAL},{number}")[0]

    def _stop(self, goods: Goods) -> list[StoppedDocument]:
        product = self._site.product(goods.batch.gtin)
        lot = self._site.find_lot(goods, product)
        if lot is None:
            return []
        moves = self._rpc.find(
            "stock.move",
            [["lot", "=", lot], ["state", "in", ["draft", "assigned", "done"]]],
            ["shipment", "state", "to_location.type"],
        )
        assigned: dict[str, bool] = {}
        for move in moves:
            key = str(move["shipment"])
            if key.startswith(_LEAVING) and not _is_gone(move):
                assigned[key] = assigned.get(key, False) or move["state"] == "assigned"
        stopped = []
        for key in sorted(assigned):
            found, state = self._documents.read(key)
            # One that waits may have some of its moves assigned.
            if state == "assigned" or (state == "waiting" and assigned[key]):
                self._documents.press(key, "wait", to=("waiting", "draft"))
                stopped.append(StoppedDocument(found.number, goods.batch))
            elif state in _AT_RISK:
                stopped.append(self._at_risk(found, state, goods))
        return stopped

    def _at_risk(self, found: ErpDocument, state: str, goods: Goods) -> StoppedDocument:
        if state == "packed":
            # Tryton lets a packed shipment go with one click; a picked one has to be packed first.
            self._documents.press(found.key, "pick", to=("picked",))
        return StoppedDocument(found.number, goods.batch, at_risk=True)


def _is_gone(move: dict[str, object]) -> bool:
    place = move.get("to_location.") or {}
    kind = place.get("type") if isinstance(place, dict) else None
    return move["state"] == "done" and kind in {"customer", "supplier"}
