"""Sensors: the book of them, their templates, and trying a template on bytes."""

from appliance.web.sensors.pages import sensors_router

__all__ = ["sensors_router"]
