"""A real Tryton beside the core: provisioned once, started on a free port, asked over its API.

Tryton is GPL software: it lives in an environment and a process of its own (requirements/tryton.lock,
`scripts/extra.sh tryton`), and we talk to it over HTTP only.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from appliance.services.address import free_address
from contracts.errors import UnavailableError
from erp_link.connectors.http import Wire
from erp_link.connectors.tryton.rpc import TrytonRpc

MODULES = ("stock", "stock_lot", "stock_lot_sled", "quality")
DATABASE = "wh"
USER = "admin"
PASSWORD = "nobody-else-is-here"  # noqa: S105 -- of a database on loopback that lives for one run
QUARANTINE = "QUAR"
_START_S = 60.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Tryton:
    """A running server; `rpc()` gives a session of its own to each caller."""

    url: str
    python: Path
    folder: Path
    process: subprocess.Popen[bytes]

    def rpc(self) -> TrytonRpc:
        return TrytonRpc(Wire(self.url), database=DATABASE, user=USER, password=PASSWORD)


def provision(python: Path, cache: Path) -> Path:
    """The folder of a database with stock, lots, dates and quality in it, one company, and a
    quarantine beside the storage zone. Made once for each environment (under a minute), then kept
    in `cache`. Raises UnavailableError where Tryton cannot be set up.
    """
    installed = sorted(
        path.name for path in (python.parent.parent / "lib").glob("*/site-packages/*.dist-info")
    )
    recipe = "\n".join((*installed, *MODULES, inspect.getsource(_furnish)))
    made = cache / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    if (made / "ready").exists():
        return made
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    (made / f"{DATABASE}.sqlite").touch()
    _administer(python, made, "--all", "--email", "admin@example.com")
    _administer(python, made, "-u", *MODULES, "--activate-dependencies")
    with running(python, made) as tryton:
        _furnish(tryton.rpc())
    # What the server wrote last stands in a file beside the database: one file is easier to copy.
    with closing(sqlite3.connect(made / f"{DATABASE}.sqlite")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (made / "ready").touch()
    return made


@contextmanager
def running(python: Path, folder: Path) -> Iterator[Tryton]:
    """The server over the database in `folder`, until the block ends."""
    address = free_address()
    config = write_config(folder, address)
    with (folder / "trytond.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 -- the environment's own interpreter
            [python.parent / "trytond", "-c", config, "-d", DATABASE],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        tryton = Tryton(f"http://{address}", python, folder, process)
        wait(tryton)
        yield tryton
    finally:
        process.kill()
        process.wait(timeout=30)


@contextmanager
def copied(python: Path, made: Path, folder: Path) -> Iterator[Tryton]:
    """As `running`, over a copy of a provisioned database."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(made / f"{DATABASE}.sqlite", folder)
    with running(python, folder) as tryton:
        yield tryton


def add_product(rpc: TrytonRpc, gtin: str, name: str) -> int:
    """A product that is told apart by lots wherever it stands; its number."""
    unit = rpc.search("product.uom", [["symbol", "=", "u"]])[0]
    template = rpc.create(
        "product.template",
        {
            "name": name,
            "default_uom": unit,
            "type": "goods",
            "lot_required": ["supplier", "customer", "lost_found", "storage", "production"],
            "shelf_life_state": "optional",
            "expiration_state": "optional",
            "products": [["create", [{"suffix_code": gtin}]]],
        },
    )
    return rpc.search("product.product", [["template", "=", template]])[0]


def add_party(rpc: TrytonRpc, name: str) -> int:
    """A party with an address, since goods are sent to one."""
    return rpc.create(
        "party.party", {"name": name, "code": name, "addresses": [["create", [{"street": "Dock"}]]]}
    )


def add_stock(rpc: TrytonRpc, product: int, lot: str, quantity: int) -> int:
    """Put goods into the storage zone, as its inventory would; the lot's number."""
    number = rpc.create("stock.lot", {"number": lot, "product": product})
    places = _places(rpc)
    move = rpc.create(
        "stock.move",
        {
            "product": product,
            "lot": number,
            "unit": rpc.search("product.uom", [["symbol", "=", "u"]])[0],
            "quantity": float(quantity),
            "from_location": places["lost_found"],
            "to_location": places["STO"],
            "company": rpc.context["company"],
        },
    )
    rpc.press("stock.move", "do", move, accept=("",))
    return number


def ship(rpc: TrytonRpc, product: int, lot: int, customer: int, shipments: int) -> float:
    """Seconds that `shipments` customer shipments of one unit take, from a shipment that waits to
    goods gone: assign, pick, pack, done. Making the shipments is not counted.
    """
    waiting = [_waiting(rpc, product, lot, customer) for _ in range(shipments)]
    began = time.perf_counter()
    for number in waiting:
        for button in ("assign_try", "pick", "pack", "do"):
            rpc.press("stock.shipment.out", button, number)
    took = time.perf_counter() - began
    states = {row["state"] for row in rpc.read("stock.shipment.out", waiting, ["state"])}
    if states - {"done"}:
        raise AssertionError(f"Tryton's shipments ended as {sorted(states)}")
    return took


def _waiting(rpc: TrytonRpc, product: int, lot: int, customer: int) -> int:
    places = _places(rpc)
    number = rpc.create(
        "stock.shipment.out",
        {
            "company": rpc.context["company"],
            "customer": customer,
            "delivery_address": rpc.search("party.address", [["party", "=", customer]])[0],
            "warehouse": places["WH"],
            "warehouse_storage": places["STO"],
            "warehouse_output": places["OUT"],
            "outgoing_moves": [
                [
                    "create",
                    [
                        {
                            "product": product,
                            "lot": lot,
                            "unit": rpc.search("product.uom", [["symbol", "=", "u"]])[0],
                            "quantity": 1.0,
                            "from_location": places["OUT"],
                            "to_location": places["CUS"],
                            "company": rpc.context["company"],
                            "unit_price": Decimal(1),
                            "currency": rpc.search("currency.currency", [])[0],
                        }
                    ],
                ]
            ],
        },
    )
    rpc.press("stock.shipment.out", "wait", number)
    return number


def _places(rpc: TrytonRpc) -> dict[str, int]:
    rows = rpc.find("stock.location", [], ["code", "type"])
    return {row["code"] or row["type"]: row["id"] for row in rows}


def _furnish(rpc: TrytonRpc) -> None:
    rpc.call("model.res.user.get_preferences", True)
    groups = rpc.search("res.group", [["name", "not like", "%Force%"]])
    rpc.write("res.user", [rpc.user_id], {"groups": [["add", groups]]})
    currency = rpc.create(
        "currency.currency",
        {"name": "Euro", "code": "EUR", "symbol": "€", "rounding": Decimal("0.01"), "digits": 2},
    )
    party = add_party(rpc, "Site")
    company = rpc.create("company.company", {"party": party, "currency": currency})
    rpc.write("res.user", [rpc.user_id], {"companies": [["add", [company]]], "company": company})
    rpc.create(
        "stock.location",
        {
            "name": "Quarantine",
            "code": QUARANTINE,
            "type": "storage",
            "parent": _places(rpc)["WH"],
        },
    )


def _administer(python: Path, folder: Path, *arguments: str) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    config = write_config(folder, "127.0.0.1:0")
    done = subprocess.run(  # noqa: S603 -- the environment's own interpreter
        [python.parent / "trytond-admin", "-c", config, "-d", DATABASE, *arguments],
        env=os.environ | {"TRYTONPASSFILE": str(password)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(
            f"Tryton cannot be set up: {done.stderr[-500:]}",
            mend="Look at the environment that scripts/extra.sh tryton made",
        )


def write_config(folder: Path, address: str, *, data: Path | None = None) -> Path:
    """The configuration of a server whose database lies in `data`, as a rule in `folder` too."""
    path = folder / "trytond.conf"
    lines: Sequence[str] = (
        "[database]", "uri = sqlite://", f"path = {data or folder}",
        "[web]", f"listen = {address}",
        "[session]", "timeout = 86400",
    )  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def wait(tryton: Tryton) -> None:
    """Until it answers; raises UnavailableError where it ends or stays silent for a minute."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if tryton.process.poll() is not None:
            break
        try:
            tryton.rpc().call("model.res.user.get_preferences", True)
        except UnavailableError:
            time.sleep(_LOOK_S)
        else:
            return
    raise UnavailableError(
        "Tryton does not start", mend=f"Look into {tryton.folder / 'trytond.log'}"
    )
