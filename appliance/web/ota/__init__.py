"""The console of updates: boxes, model sets, rollouts, site acceptance, approvals and audit."""

from __future__ import annotations

from fastapi import APIRouter

from appliance.web.ota.acceptance import add_acceptance_routes
from appliance.web.ota.approvals import add_approval_routes, add_audit_routes
from appliance.web.ota.box import add_box_routes
from appliance.web.ota.fleet import add_fleet_routes
from appliance.web.ota.planning import add_planning_routes
from appliance.web.ota.ports import Acceptance, Rollouts, Sets, Site
from appliance.web.ota.rollouts import add_rollout_routes
from appliance.web.ota.sets import add_set_routes
from appliance.web.ota.stream import add_stream_route
from appliance.web.ports import Gate
from contracts.clock import Clock

__all__ = ["updates_router"]


def updates_router(
    fleet: Site,
    rollouts: Rollouts,
    sets: Sets,
    acceptance: Acceptance,
    gate: Gate,
    *,
    clock: Clock,
) -> APIRouter:
    """/ota and what lies below it."""
    router = APIRouter(include_in_schema=False)
    add_fleet_routes(router, fleet, rollouts, gate)
    add_box_routes(router, fleet, gate)
    add_planning_routes(router, fleet, rollouts, gate)
    add_rollout_routes(router, fleet, rollouts, gate)
    add_set_routes(router, fleet, sets, gate)
    add_approval_routes(router, fleet, rollouts, sets, fleet, gate)
    add_audit_routes(router, fleet, fleet, gate)
    add_acceptance_routes(router, fleet, rollouts, acceptance, gate)
    add_stream_route(router, rollouts, gate, clock)
    return router
