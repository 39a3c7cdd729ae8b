"""The quality pages: batches and their story, holds with what is at risk, tickets and decisions.

A ticket shows its evidence before it asks for anything (I4). A decision wants a reason in words, the
role quality and the signature of a key that is registered to the person; only a usage decision lifts
a hold (I1).
"""

from __future__ import annotations

from fastapi import APIRouter

from appliance.web.ports import Gate, Records
from appliance.web.quality import batches, dossier, photos, signing, tickets
from appliance.web.quality.ports import Decider, Desk, PictureShelf


def quality_router(
    records: Records,
    gate: Gate,
    desk: Desk | None = None,
    pictures: PictureShelf | None = None,
    *,
    decider: Decider | None = None,
) -> APIRouter:
    """/batches, /batch, /holds, /tickets, /tickets/{id} and its decision, /signing-keys, a batch's
    dossier, a delivery's claims pack.

    Without `desk` nothing is signed, and `decider` takes the decisions.
    """
    router = APIRouter()
    batches.add_to(router, records, gate, dossiers=pictures is not None)
    tickets.add_to(router, records, gate, desk, desk or decider)
    if desk is not None:
        signing.add_to(router, gate, desk)
    if desk is not None and pictures is not None:
        dossier.add_to(router, gate, desk, pictures)
        photos.add_to(router, gate, desk, pictures)
    return router
