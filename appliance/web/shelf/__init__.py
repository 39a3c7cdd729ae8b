"""The page at the shelf, as the hub serves it."""

from __future__ import annotations

from appliance.web.shelf.page import shelf_page_router

__all__ = ["shelf_page_router"]
