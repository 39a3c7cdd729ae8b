"""The parts of `tallyman bench core`, one after the other, and what they say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.bench import facts
from appliance.bench.core import history, peer, reorder
from appliance.bench.core.command import Part
from appliance.bench.core.databases import POSTGRESQL, SQLITE, fresh
from appliance.bench.core.shipments import shipments, visible_ms

Told = Callable[[str], None]

_PEER_ORDERS = 60
_GTIN = "06933132577789"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and how much of it."""

    parts: frozenset[Part]
    databases: tuple[str, ...]
    shipments: int
    rounds: int
    clients: int
    holds: int
    moves: int
    operations: int
    races: int
    seed: int
    tryton: Path | None


def measure(wanted: Wanted, folder: Path, *, told: Told) -> dict[str, Any]:
    """Everything that is wanted, as `tallyman bench core --json` prints it."""
    figures: dict[str, Any] = {
        "machine": facts.machine(),
        "commit": facts.commit(),
        "model_set": "",
        "seed": wanted.seed,
    }
    if Part.CAMPAIGN in wanted.parts:
        # First of all: it forks, and the parts after it have threads.
        figures |= _campaign(wanted, folder, told)
    databases = {kind: _on(kind, wanted, folder, told) for kind in wanted.databases}
    figures["databases"] = databases
    first = databases.get(POSTGRESQL) or databases.get(SQLITE) or {}
    for name in ("shipments_per_s", "hold_visible_p95_ms"):
        if name in first:
            figures[name] = first[name]
    if Part.REORDER in wanted.parts:
        told("reorder: how often the bound on demand held")
        figures["reorder_bound"] = [asdict(each) for each in reorder.held(seed=wanted.seed)]
    if Part.PEER in wanted.parts:
        figures["peers"] = {"tryton": _tryton(wanted, folder, told, databases)}
    return figures


def _on(kind: str, wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def at(part: Part) -> Path:
        told(f"{kind}: {part}")
        place = folder / f"{kind}-{part}"
        place.mkdir()
        return place

    if Part.SHIPMENTS in wanted.parts:
        with fresh(kind, at(Part.SHIPMENTS)) as url:
            shipped = shipments(
                url,
                seed=wanted.seed,
                how_many=wanted.shipments,
                clients=wanted.clients,
                rounds=wanted.rounds,
            )
        found |= {
            "shipments_per_s": shipped.per_s,
            "shipments_alone_per_s": shipped.alone_per_s,
            "shipments_rounds_per_s": list(shipped.rounds),
        }
    if Part.VISIBLE in wanted.parts:
        with fresh(kind, at(Part.VISIBLE)) as url:
            seen = visible_ms(url, holds=wanted.holds)
        found |= {
            "hold_visible_p50_ms": facts.percentile(seen, 50),
            "hold_visible_p95_ms": facts.percentile(seen, 95),
        }
    if Part.HISTORY in wanted.parts:
        with fresh(kind, at(Part.HISTORY)) as url:
            asked = history.questions(
                url,
                moves=wanted.moves,
                seed=wanted.seed,
                told=lambda done: told(f"{kind}: {done:,} of {wanted.moves:,} moves"),
            )
        found["history"] = asdict(asked)
    if Part.REORDER in wanted.parts:
        with fresh(kind, at(Part.REORDER)) as url:
            found["reorder"] = asdict(reorder.suggestions(url, seed=wanted.seed))
    return found


def _campaign(wanted: Wanted, folder: Path, told: Told) -> dict[str, Any]:
    """A short form of `make campaign-core`: random operations, races, and the ablations."""
    from appliance.bench.core import campaign

    told("campaign: random operations, then races")
    place = folder / "campaign"
    place.mkdir()
    found = campaign.carry_out(
        place,
        operations=wanted.operations,
        race_count=wanted.races * len(wanted.databases),
        databases=wanted.databases,
        chunk=wanted.races,
        seed=wanted.seed,
    )
    kept = ("operations", "operation_seconds", "races", "ablations", "ablations_caught")
    return {"violations": found["violations"], "campaign": {name: found[name] for name in kept}}


def _tryton(
    wanted: Wanted, folder: Path, told: Told, databases: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Rates beside each other: goods issues, and the whole way of an order by one client."""
    from appliance.bench.core import tryton_peer as tryton

    if wanted.tryton is None:
        return {"measured": False, "why": "no --tryton; scripts/extra.sh tryton prints it"}
    told("tryton: set up, then ship")
    made = tryton.provision(wanted.tryton, folder / "tryton")
    with tryton.copied(wanted.tryton, made, folder / "tryton-run") as server:
        rpc = server.rpc()
        product = tryton.add_product(rpc, _GTIN, "Still water")
        customer = tryton.add_party(rpc, "Customer")
        lot = tryton.add_stock(rpc, product, "L00001", 10 * _PEER_ORDERS)
        tryton.ship(rpc, product, lot, customer, 3)
        theirs = [
            _PEER_ORDERS / tryton.ship(rpc, product, lot, customer, _PEER_ORDERS) for _ in range(3)
        ]
    place = folder / "peer"
    place.mkdir()
    with fresh(SQLITE, place) as url:
        ours = peer.orders_per_s(url, orders=4 * _PEER_ORDERS)
    rate = facts.median(theirs)
    found: dict[str, Any] = {
        "measured": True,
        "orders_per_s": rate,
        "ours_same_way_per_s": ours,
        "ours_same_way_ratio": ours / rate,
    }
    for kind, figures in databases.items():
        if "shipments_per_s" in figures:
            found[f"{kind}_shipments_ratio"] = figures["shipments_per_s"] / rate
    return found
