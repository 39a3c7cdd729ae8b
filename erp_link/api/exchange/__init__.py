"""What goes out and comes in over HTTP: EPCIS and webhooks, below /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from erp_link.api.exchange import epcis, webhooks
from erp_link.ports import Auth
from erp_link.service.exchange.desk import Exchange


def router(exchange: Exchange, auth: Auth) -> APIRouter:
    """The routes over the site's desk; `auth(*roles)` as for the core's own."""
    api = APIRouter(prefix="/api/v1")
    epcis.add_to(api, exchange.epcis, auth, clock=exchange.clock)
    webhooks.add_to(api, exchange.webhooks, auth)
    return api
