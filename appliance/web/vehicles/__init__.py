"""Who may sign in at the broker: vehicles and stations enrolled, revoked, and what was refused."""

from appliance.web.vehicles.pages import vehicles_router
from appliance.web.vehicles.ports import Access

__all__ = ["Access", "vehicles_router"]
