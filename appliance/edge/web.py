"""The edge's own pages: the station, uploads and the trigger. They work while the hub is away (I6):
sessions and tokens are checked with what the hub handed out while it was there.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import FastAPI

from appliance.accounts.session import SessionVerifier
from appliance.accounts.user import Role
from appliance.accounts.web import require_scope
from appliance.cameras.upload import upload_router
from appliance.config import Config
from appliance.desk import Desk
from appliance.edge.cameras import Eyes
from appliance.enrolling.service import Enrolling
from appliance.evidence import EvidenceStore
from appliance.teaching.ports import TeachingDesk
from appliance.web.app import create_app
from appliance.web.gate import AccountsGate
from appliance.web.products import products_router
from appliance.web.station import station_router
from contracts.clock import Clock
from contracts.ports import LiveView


def edge_app(
    config: Config,
    desk: Desk,
    live: LiveView,
    evidence: EvidenceStore,
    eyes: Eyes,
    *,
    teaching: TeachingDesk | None = None,
    sessions: SessionVerifier,
    clock: Clock,
    enrolling: Enrolling,
) -> FastAPI:
    """Everything under /station, reached on the edge's port and through the hub."""
    app = create_app(
        config.site.name,
        station=config.edge.station,
        hub_url=config.edge.pages_url,
        clock=clock,
        zone=ZoneInfo(config.site.time_zone),
    )
    app.state.sessions = sessions
    gate = AccountsGate()
    # Before the pages' routes: /station/cameras/... and /station/trigger are programs' doors.
    if eyes.uploads:
        app.include_router(upload_router(eyes.uploads, require_scope("camera", Role.OPERATOR)))
    for router in eyes.routers:
        app.include_router(router)
    app.include_router(products_router(enrolling, gate))
    app.include_router(station_router(desk, gate, live, evidence, clock=clock, teaching=teaching))
    return app
