"""/fleet: the map, and beside it the vehicles or the missions under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from agv_bridge.fleet.board import FleetRow
from agv_bridge.fleet.condition import NEEDS_A_LOOK, Condition
from agv_bridge.missions.snapshots import MissionSnapshot
from appliance.web.app import pages_of
from appliance.web.fleet.feed import FleetFeed, stream
from appliance.web.fleet.ports import Sight
from appliance.web.fleet.words import BADGES, STEP_BADGES, WORKERS, journey_url, vehicle_url
from appliance.web.listing import matching, query_of, turn_of
from appliance.web.ports import Gate
from contracts.clock import Clock
from contracts.errors import UnavailableError

PAGE: Final = 100
SHOWS: Final = ("all", "look", "working", "free", "away")
_WORKING: Final = frozenset({Condition.WORKING, Condition.PAUSED, Condition.MANUAL})
_FREE: Final = frozenset({Condition.IDLE, Condition.CHARGING})
_AWAY: Final = frozenset({Condition.LOST, Condition.SILENT, Condition.ASLEEP, Condition.NEW})
_RANK: Final = {condition: rank for rank, condition in enumerate(Condition)}


def add_board_routes(router: APIRouter, sight: Sight | None, gate: Gate, clock: Clock) -> None:
    """GET /fleet and its stream."""
    feed = FleetFeed(sight) if sight is not None else None

    @router.get("/fleet")
    async def board(request: Request) -> Response:
        viewer = await gate.require(request)
        query, turn = query_of(request), turn_of(request)
        on_missions = request.query_params.get("view") == "missions"
        rows = sight.rows() if sight is not None else ()
        missions = sight.missions() if sight is not None else ()
        shown = request.query_params.get("show", "")
        shown = shown if shown in SHOWS else SHOWS[0]
        vehicles = [row for row in matching(rows, query, _text) if fits(row, shown)]
        vehicles.sort(key=_urgency)
        found = matching(missions, query, _mission_text)
        part = slice(turn.skip, turn.skip + PAGE)
        return pages_of(request).render(
            request,
            "fleet.html",
            rows=vehicles[part],
            found=len(found) if on_missions else len(vehicles),
            total=len(missions) if on_missions else len(rows),
            vehicles=len(rows),
            missions=found[part],
            open_missions=len(missions),
            on_missions=on_missions,
            counts=_counts(rows),
            shows=SHOWS,
            shown=shown,
            turn=turn,
            last=max(1, -(-(len(found) if on_missions else len(vehicles)) // PAGE)),
            may_work=viewer.may(*WORKERS),
            trouble=sight.trouble if sight is not None else None,
            has_broker=sight is not None,
            badges=BADGES,
            step_badges=STEP_BADGES,
            conditions=tuple(Condition),
            vehicle_url=vehicle_url,
            journey_url=journey_url,
            q=query,
            viewer=viewer,
        )

    @router.get("/fleet/now")
    async def now(request: Request) -> Response:
        await gate.require(request)
        told = _there(feed)
        told.refresh()
        body = msgspec.json.encode(told.whole())
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.get("/fleet/stream")
    async def live(request: Request) -> StreamingResponse:
        await gate.require(request)
        return StreamingResponse(
            stream(_there(feed), clock),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )


def _there(feed: FleetFeed | None) -> FleetFeed:
    if feed is None:
        raise UnavailableError("This hub has no broker", mend="Set broker.url")
    return feed


def fits(row: FleetRow, shown: str) -> bool:
    """Whether a vehicle belongs to one of SHOWS."""
    match shown:
        case "look":
            return row.condition in NEEDS_A_LOOK
        case "working":
            return row.condition in _WORKING
        case "free":
            return row.condition in _FREE
        case "away":
            return row.condition in _AWAY
        case _:
            return True


def _counts(rows: Sequence[FleetRow]) -> Counter[str]:
    found: Counter[str] = Counter()
    for shown in SHOWS:
        found[shown] = sum(fits(row, shown) for row in rows)
    return found


def _urgency(row: FleetRow) -> tuple[int, str]:
    """What needs a look stands on top, the others by name: a list that hops about is no list."""
    return (_RANK[row.condition] if row.condition in NEEDS_A_LOOK else len(_RANK), row.name)


def _text(row: FleetRow) -> str:
    one = row.vehicle
    return (
        f"{one.vehicle} {row.condition.value} {one.order_id} {one.last_node} {row.map_id} "
        f"{one.version} {' '.join(one.loads or ())} {' '.join(p.kind for p in row.problems)}"
    )


def _mission_text(one: MissionSnapshot) -> str:
    return (
        f"{one.order_id} {one.kind.value} {one.load_id} {one.source} {one.target} {one.vehicle} "
        f"{one.step.value} {one.batch or ''}"
    )
