"""The pages of fences: a list, an editor without code with a trial beside it, and the signature."""

from __future__ import annotations

from fastapi import APIRouter

from appliance.web.fences import editor, listing, signing
from appliance.web.fences.ports import FenceDesk, Names, Trials
from appliance.web.ports import Gate


def fences_router(
    desk: FenceDesk, trials: Trials, gate: Gate, names: Names | None = None
) -> APIRouter:
    """/fences, /fences/new, /fences/{id}, their trial, signatures and who may sign."""
    router = APIRouter()
    listing.add_to(router, desk, gate)
    editor.add_to(router, desk, trials, gate, names)
    signing.add_to(router, desk, gate)
    return router
