"""Tryton's quality control of receipts: each control's points are answered with what was counted.

Known points: `counted` and `damaged` (whole numbers), `accepted` (yes or no: nothing of the
delivery is blocked). A control that asks for anything else waits for a person.
"""

from __future__ import annotations

from erp_link.connectors.port import ErpDocument, ErpRefusedError
from erp_link.connectors.tryton.documents import split
from erp_link.connectors.tryton.rpc import Row, TrytonRpc
from erp_link.domain.erp.messages import Message

_OPERATION = "stock.shipment.in:receive"
_ALERTS_OPEN = ("open", "processing")


class Quality:
    def __init__(self, rpc: TrytonRpc) -> None:
        self._rpc = rpc

    def inspect(self, found: ErpDocument, message: Message) -> None:
        """Answer every control of a shipment that waits to be received. Raises ErpRefusedError
        where one fails, naming it: quality settles its alert in Tryton.
        """
        model, number = split(found.key)
        origin = f"{model},{number}"
        known = self._rpc.find(
            "quality.inspection", [["origin", "=", origin]], ["control", "state", "number"]
        )
        controls = self._rpc.find(
            "quality.control", [["operations", "in", _OPERATION]], ["name", "points"]
        )
        for control in controls:
            mine = [each for each in known if each["control"] == control["id"]]
            if not mine:
                mine = [self._create(origin, control, message)]
            for inspection in mine:
                if inspection["state"] == "pending":
                    self._fill(inspection, control, message)
        self._check(found, origin)

    def _create(self, origin: str, control: Row, message: Message) -> Row:
        number = self._rpc.create(
            "quality.inspection",
            {
                "company": self._rpc.context["company"],
                "reference": message.reference,
                "origin": origin,
                "control": control["id"],
            },
        )
        return self._rpc.read("quality.inspection", [number], ["control", "state", "number"])[0]

    def _fill(self, inspection: Row, control: Row, message: Message) -> None:
        answers = _answers(message)
        points = self._rpc.read("quality.control.point", control["points"], ["name", "string"])
        unknown = [point["string"] for point in points if point["name"] not in answers]
        if unknown:
            raise ErpRefusedError(
                f"Tryton's control {control['name']} asks for {', '.join(unknown)}, which nobody"
                " measures here",
                mend=f"Fill in and process inspection {inspection['number']} in Tryton, then try"
                " again",
            )
        values = {point["name"]: answers[point["name"]] for point in points}
        self._rpc.write("quality.inspection", [inspection["id"]], {"points": values})
        self._rpc.press("quality.inspection", "process", inspection["id"])

    def _check(self, found: ErpDocument, origin: str) -> None:
        failed = self._rpc.find(
            "quality.inspection",
            [["origin", "=", origin], ["state", "=", "failed"]],
            ["number", "alerts"],
        )
        for inspection in failed:
            alerts = self._rpc.read("quality.alert", inspection["alerts"], ["number", "state"])
            waiting = [alert["number"] for alert in alerts if alert["state"] in _ALERTS_OPEN]
            if waiting:
                raise ErpRefusedError(
                    f"{found.number} did not pass inspection {inspection['number']} in Tryton",
                    mend=f"Settle alert {', '.join(waiting)} in Tryton, then try again",
                    document=found.number,
                )


def _answers(message: Message) -> dict[str, int | bool]:
    return {
        "counted": sum(goods.quantity for goods in message.goods),
        "damaged": message.damaged,
        "accepted": not message.blocked,
    }
