"""A real Tryton under faults: workers killed -9, answers lost, requests sent twice, inspections that
fail, shipments picked already, deliveries that name no lots.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from appliance.bench.core import tryton_peer
from appliance.bench.core.tryton_peer import Tryton
from contracts.clock import FixedClock
from contracts.errors import UnavailableError
from erp_link.connectors.http import Wire
from erp_link.connectors.port import ErpDocument, ErpRefusedError, Stopped
from erp_link.connectors.skeleton import deliver
from erp_link.connectors.tryton.connector import TrytonConnector
from erp_link.domain.erp.delivery import State
from erp_link.domain.erp.messages import Goods, Message, MessageKind
from erp_link.domain.orders import NewOrder
from erp_link.service.core import Core
from erp_link.service.erp import outbox
from erp_link.service.erp.worker import ErpWorker
from tests.erp_link.story import JUICE, LATER, WATER
from tests.support.tryton import IN, INTERNAL, OUT, Books, connector

# The first of them may have to install and set up Tryton.
pytestmark = pytest.mark.timeout(600)


class Line(httpx.BaseTransport):
    """The wire to Tryton. `after(method)` is called with each RPC method once Tryton did it."""

    def __init__(self, after: Callable[[str], None]) -> None:
        self._inner = httpx.HTTPTransport()
        self._after = after
        self.twice = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        method = json.loads(request.content)["method"]
        if method == self.twice:
            self.twice = ""
            self._inner.handle_request(request).read()
        answer = self._inner.handle_request(request)
        answer.read()
        self._after(method)
        return answer

    def close(self) -> None:
        self._inner.close()


def over(tryton: Tryton, line: Line) -> TrytonConnector:
    return TrytonConnector(
        Wire(tryton.url, transport=line),
        database=tryton_peer.DATABASE,
        user=tryton_peer.USER,
        password=tryton_peer.PASSWORD,
    )


def receipt(units: int = 5, blocked: int = 0, *, damaged: int = 0) -> Message:
    goods = Goods(WATER, units, blocked, lot=WATER.lot, expiry=LATER)
    return Message(MessageKind.RECEIPT, "TM-R1", (goods,), partner="ACME", damaged=damaged)


def stop() -> Message:
    return Message(MessageKind.STOP, "TM-H1", (Goods(WATER, 0, lot=WATER.lot),))


def work_until_killed(url: str, database_url: str, method: str, at: datetime) -> None:
    """A worker that is killed right after Tryton did `method`, before it hears of it."""

    def kill(done: str) -> None:
        if done == method:
            os.kill(os.getpid(), signal.SIGKILL)

    core = Core(database_url, clock=FixedClock(at))
    port = TrytonConnector(
        Wire(url, transport=Line(kill)),
        database=tryton_peer.DATABASE,
        user=tryton_peer.USER,
        password=tryton_peer.PASSWORD,
    )
    ErpWorker(core, port, prefix="TM", holder="hub-1").step()


@pytest.fixture
def lone_core(sqlite_template: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Core]:
    """One database is enough here: what differs between the two is tested without Tryton."""
    shutil.copy(sqlite_template, tmp_path / "core.db")
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield core
    core.close()


def test_killed_nine_times_tryton_books_each_delivery_once(
    lone_core: Core, tryton: Tryton, books: Books, clock: FixedClock, tmp_path: Path
) -> None:
    lone_core.receive(WATER, 5, location="D1", by="op")
    lone_core.receive(JUICE, 2, location="QUARANTINE", by="op")
    moments = (
        "common.db.login",
        "model.stock.lot.create",
        f"model.{IN}.create",
        "model.stock.move.create",
        f"model.{IN}.receive",
        "model.stock.move.delete",
        f"model.{IN}.do",
        f"model.{INTERNAL}.create",
        f"model.{INTERNAL}.do",
    )
    fork = multiprocessing.get_context("fork")
    killed = []
    for moment in moments:
        clock.at += timedelta(minutes=10)
        child = fork.Process(
            target=work_until_killed,
            args=(tryton.url, f"sqlite:///{tmp_path / 'core.db'}", moment, clock.at),
        )
        child.start()
        child.join(60)
        killed.append(child.exitcode == -signal.SIGKILL)
    assert dict(zip(moments, killed, strict=True)) == dict.fromkeys(moments, True)
    clock.at += timedelta(minutes=10)
    worker = ErpWorker(lone_core, connector(tryton), prefix="TM", holder="hub-2")
    worker.step()
    worker.close()
    assert {x.state for x in lone_core.read(outbox.letters)} == {State.DONE}
    assert books.stock(books.water, WATER.lot) == {"STO": 5}
    assert books.stock(books.juice, JUICE.lot) == {"QUAR": 2}
    states = [row["state"] for row in books.rpc.find(IN, [], ["state"])]
    assert states.count("done") == 2
    assert set(states) <= {"done", "cancelled"}


def test_an_answer_lost_and_a_request_sent_twice_book_once(tryton: Tryton, books: Books) -> None:
    lost = [f"model.{IN}.create", f"model.{IN}.do"]

    def lose(method: str) -> None:
        if lost and method == lost[0]:
            lost.pop(0)
            raise httpx.ReadTimeout("no answer")

    line = Line(lose)
    port = over(tryton, line)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            deliver(port, receipt())
    line.twice = f"model.{IN}.create"
    deliver(port, receipt())
    other = replace(receipt(), reference="TM-R2")
    deliver(port, other)
    assert books.stock(books.water, WATER.lot) == {"STO": 10}
    port.close()


def control(books: Books, name: str, kind: str, **limits: float) -> None:
    """A quality control of every receipt with one point."""
    point = {"name": name, "string": name.title(), "type_": kind} | limits
    books.rpc.create(
        "quality.control",
        {
            "name": f"Dock {name}",
            "operations": ["stock.shipment.in:receive"],
            "frequency": 1.0,
            "company": books.company,
            "points": [["create", [point]]],
        },
    )


def test_inspections_are_answered_with_what_was_counted(tryton: Tryton, books: Books) -> None:
    control(books, "damaged", "integer", tolerance_upper=2.0)
    port = connector(tryton)
    deliver(port, receipt(5, 1, damaged=1))
    assert books.stock(books.water, WATER.lot) == {"STO": 4, "QUAR": 1}
    found = books.rpc.find("quality.inspection", [], ["state", "points"])
    assert [(row["state"], row["points"]) for row in found] == [("passed", {"damaged": 1})]
    port.close()


def test_a_failed_inspection_waits_for_its_alert_to_be_settled(
    tryton: Tryton, books: Books
) -> None:
    control(books, "damaged", "integer", tolerance_upper=2.0)
    port = connector(tryton)
    with pytest.raises(ErpRefusedError, match="did not pass inspection") as caught:
        deliver(port, receipt(5, 4, damaged=4))
    assert "alert" in caught.value.mend
    alert = books.rpc.search("quality.alert", [])[0]
    books.rpc.press("quality.alert", "process", alert)
    books.rpc.press("quality.alert", "resolve", alert)
    deliver(port, receipt(5, 4, damaged=4))
    assert books.stock(books.water, WATER.lot) == {"STO": 1, "QUAR": 4}
    port.close()


def test_a_control_that_asks_for_more_waits_for_a_person(tryton: Tryton, books: Books) -> None:
    control(books, "sugar", "float", tolerance_upper=9.5)
    port = connector(tryton)
    with pytest.raises(ErpRefusedError, match="asks for Sugar, which nobody measures here"):
        deliver(port, receipt())
    inspection = books.rpc.search("quality.inspection", [])[0]
    books.rpc.write("quality.inspection", [inspection], {"points": {"sugar": 8.0}})
    books.rpc.press("quality.inspection", "process", inspection)
    deliver(port, receipt())
    assert books.stock(books.water, WATER.lot) == {"STO": 5}
    port.close()


def test_a_packed_shipment_is_brought_back_a_step_and_told(tryton: Tryton, books: Books) -> None:
    port = connector(tryton)
    deliver(port, receipt())
    packed, waiting = books.orders((books.water, 2)), books.orders((books.water, 1))
    books.assigns(packed, WATER.lot, books.water)
    books.assigns(waiting, WATER.lot, books.water)
    number = books.rpc.search(OUT, [["number", "=", packed]])[0]
    for button in ("pick", "pack"):
        books.rpc.press(OUT, button, number)
    stopped = deliver(port, stop())
    assert isinstance(stopped, Stopped)
    assert {each.number: each.at_risk for each in stopped.documents} == {
        packed: True,
        waiting: False,
    }
    assert books.state(OUT, packed) == "picked"
    assert books.state(OUT, waiting) == "waiting"
    port.close()


def test_a_lot_deactivated_in_tryton_leaves_all_the_same(tryton: Tryton, books: Books) -> None:
    """Why a freeze unassigns: what the notes say of Tryton is still so."""
    port = connector(tryton)
    deliver(port, receipt())
    order = books.orders((books.water, 2))
    books.assigns(order, WATER.lot, books.water)
    books.rpc.write("stock.lot", [books.lot(WATER.lot, books.water)], {"active": False})
    number = books.rpc.search(OUT, [["number", "=", order]])[0]
    for button in ("pick", "pack", "do"):
        books.rpc.press(OUT, button, number)
    assert books.state(OUT, order) == "done"
    port.close()


def test_a_delivery_that_names_no_lot_cannot_be_announced(tryton: Tryton, books: Books) -> None:
    books.expects("DESP-1", (books.water, WATER.lot, 4))
    books.expects("DESP-2", (books.water, "", 4))
    port = connector(tryton)
    good, bad = port.announced()
    assert getattr(good, "number", "") == "DESP-1"
    assert isinstance(bad, ErpRefusedError)
    assert "DESP-2 cannot be announced: line 1" in bad.message
    assert "names no lot" in bad.message
    port.close()


def test_less_in_tryton_than_left_here_is_told_with_the_way_to_mend(
    tryton: Tryton, books: Books
) -> None:
    port = connector(tryton)
    deliver(port, receipt(2))
    order = books.orders((books.water, 3))
    goods = (Goods(WATER, 3, lot=WATER.lot),)
    message = Message(MessageKind.ISSUE, "TM-I4", goods, document=order, why=order)
    with pytest.raises(ErpRefusedError, match="less in its storage than left here"):
        deliver(port, message)
    deliver(port, replace(receipt(1), reference="TM-R3"))
    done = deliver(port, message)
    assert isinstance(done, ErpDocument)
    assert done.number == order
    port.close()


def test_orders_that_wait_are_read_but_for_our_own(tryton: Tryton, books: Books) -> None:
    port = connector(tryton)
    deliver(port, receipt(1))
    nameless = tryton_peer.add_product(books.rpc, "", "Nameless")
    order, other = books.orders((books.water, 3), (books.juice, 2)), books.orders((nameless, 1))
    # One of our own that Tryton could not assign waits there too.
    goods = (Goods(WATER, 9, lot=WATER.lot),)
    message = Message(MessageKind.ISSUE, "TM-I4", goods, document=order, why=order)
    with pytest.raises(ErpRefusedError):
        deliver(port, replace(message, document="", reference="TM-I5"))
    found = port.ordered()
    assert [each.order for each in found if isinstance(each, NewOrder)] == [order]
    wanted = next(each for each in found if isinstance(each, NewOrder))
    assert wanted.customer == "Shop"
    assert {(line.gtin, line.quantity) for line in wanted.lines} == {
        (WATER.gtin, 3),
        (JUICE.gtin, 2),
    }
    told = [each.message for each in found if isinstance(each, ErpRefusedError)]
    why = "the product of line 1 has no code"
    assert told == [f"Tryton's shipment {other} cannot be taken as an order: {why}"]
    port.close()
