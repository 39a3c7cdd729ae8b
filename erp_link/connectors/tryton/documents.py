"""Tryton's shipments as documents: found by our reference, driven by their buttons.

A button may do nothing but open a wizard; so after each one the state is read again.
"""

from __future__ import annotations

from collections.abc import Sequence

from erp_link.connectors.port import ErpDocument, ErpRefusedError
from erp_link.connectors.tryton.rpc import Row, TrytonRpc

IN = "stock.shipment.in"
OUT = "stock.shipment.out"
INTERNAL = "stock.shipment.internal"
_FIELDS = ("number", "reference", "state")


class Documents:
    def __init__(self, rpc: TrytonRpc) -> None:
        self._rpc = rpc

    def find(self, model: str, domain: Sequence[object]) -> list[ErpDocument]:
        return [document(model, row) for row in self._rpc.find(model, domain, _FIELDS)]

    def read(self, key: str) -> tuple[ErpDocument, str]:
        """A document and its state."""
        model, number = split(key)
        row = self._rpc.read(model, [number], _FIELDS)[0]
        return document(model, row), str(row["state"])

    def press(self, key: str, button: str, *, to: Sequence[str], accept: Sequence[str] = ()) -> str:
        """The state after a button, one of `to`. Raises ErpRefusedError where it opened a wizard
        instead, or did nothing.
        """
        model, number = split(key)
        self._rpc.press(model, button, number, accept=accept)
        found, state = self.read(key)
        if state not in to:
            raise ErpRefusedError(
                f"Tryton leaves {found.number} {state}: {button} waits for a person",
                mend=f"Open {found.number} in Tryton, answer what {button} asks, then try again",
                document=found.number,
                state=state,
            )
        return state

    def cancel(self, key: str) -> None:
        model, number = split(key)
        self._rpc.press(model, "cancel", number)


def document(model: str, row: Row) -> ErpDocument:
    return ErpDocument(
        f"{model},{row['id']}",
        str(row["number"] or row["reference"] or row["id"]),
        done=row["state"] == "done",
        cancelled=row["state"] == "cancelled",
    )


def split(key: str) -> tuple[str, int]:
    model, _, number = key.partition(",")
    return model, int(number)
