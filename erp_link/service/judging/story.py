"""What ran on which box and when, and what candidates said beside it: kept as the boxes told it."""

from __future__ import annotations

from sqlalchemy import insert, update

from contracts.events import JournalEntry, ModelSetsActivated, ShadowJudged
from contracts.reason import Reason
from erp_link.adapters import judging_tables as j
from erp_link.adapters import tables as t
from erp_link.service.devices import moment_of
from erp_link.service.work import Work


def activated(work: Work, entry: JournalEntry, body: ModelSetsActivated) -> None:
    """From this entry on these sets judge new batches on the device."""
    work.connection.execute(
        insert(j.box_sets).values(
            device=entry.device,
            seq=entry.seq,
            at=moment_of(entry),
            station=body.station,
            before=dict(body.before),
            after=dict(body.after),
            variant=dict(body.variant),
            why=body.why,
            epoch=body.epoch,
            sequence=body.sequence,
            rollout=body.rollout,
            notes=[[note.code, note.params] for note in body.notes],
        )
    )
    work.connection.execute(
        update(t.device)
        .where(t.device.c.device == entry.device)
        .values(station=body.station, model_sets=dict(body.after))
    )
    changed = sorted(lane for lane in body.after if body.after[lane] != body.before.get(lane, ""))
    params: dict[str, str | int | float] = {
        "device": entry.device,
        "why": body.why,
        "lanes": ", ".join(changed) or "-",
    }
    text = Reason("story_sets_activated", params)
    for each in (text, *body.notes):
        work.event("device", each, reference=entry.device, at=moment_of(entry))
    work.tell("device", entry.device, text)


def shadow(work: Work, entry: JournalEntry, body: ShadowJudged) -> None:
    """A candidate's word counts for nothing here: it is kept for the rollout's gate."""
    work.connection.execute(
        insert(j.shadow_result).values(
            device=entry.device,
            seq=entry.seq,
            at=moment_of(entry),
            station=body.station,
            carton_id=body.carton_id,
            rollout=body.rollout,
            lane=body.lane,
            model_set=body.model_set,
            running=body.running,
            said=body.said,
            stood=body.stood,
            harmful=int(body.harmful),
            late=int(body.late),
            error=body.error,
            elapsed_ms=body.elapsed_ms,
        )
    )
