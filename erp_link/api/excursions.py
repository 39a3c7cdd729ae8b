"""Routes of alarms and excursions, for programs: what goes on, what goods went through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from erp_link.api.paging import Page, Paged
from erp_link.api.shapes import Key
from erp_link.domain.excursions.limits import Limits
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import AlarmRow, Alarms, ChangeRow
from erp_link.service.excursions.desk import Excursions
from erp_link.service.excursions.report import ExcursionLine, ExcursionReport
from erp_link.service.excursions.whereabouts import Whereabouts, micros


@dataclass(frozen=True, slots=True)
class AlarmOut:
    """An alarm with everything that was told of it."""

    alarm: AlarmRow
    changes: tuple[ChangeRow, ...]


@dataclass(frozen=True, slots=True)
class AcknowledgeIn:
    note: str = ""


@dataclass(frozen=True, slots=True)
class ZoneIn:
    places: tuple[str, ...]


def add_to(
    api: APIRouter,
    core_provider: Callable[[], Core],
    *,
    reader: Any,
    worker: Any,
    quality: Any,
    planner: Any,
) -> None:
    """/alarms, /excursions, /zones."""
    needs_core = Depends(core_provider)
    _add_alarms(api, needs_core, reader, worker)
    _add_limits(api, needs_core, reader, quality)
    _add_zones(api, needs_core, reader, planner)

    @api.get("/excursions", tags=["excursions"], dependencies=[reader])
    def excursions(
        page: Paged,
        state: Annotated[Literal["all", "open"], Query(description="Open ones only")] = "all",
        core: Core = needs_core,
    ) -> list[ExcursionLine]:
        """Places that went out of range, newest first, with how many batches are beyond."""
        found = Excursions(core).excursions(
            open_only=state == "open", before=_moment(page), limit=page.limit + 1
        )
        return page.of(found, lambda row: (row.begun.isoformat(), row.excursion_id))

    @api.get("/excursions/{name}", tags=["excursions"], dependencies=[reader])
    def excursion(name: str, core: Core = needs_core) -> ExcursionReport:
        """Which batches, how long, how far, by which sensor with which calibration."""
        return Excursions(core).report(name)


def _add_alarms(api: APIRouter, needs_core: Any, reader: Any, worker: Any) -> None:
    @api.get("/alarms", tags=["excursions"], dependencies=[reader])
    def alarms(core: Core = needs_core) -> list[AlarmRow]:
        """What goes on in the building now, critical first."""
        return Alarms(core).open()

    @api.get("/alarms/history", tags=["excursions"], dependencies=[reader])
    def history(page: Paged, core: Core = needs_core) -> list[AlarmRow]:
        """Alarms that are over, newest first."""
        found = Alarms(core).history(before=_moment(page), limit=page.limit + 1)
        return page.of(found, lambda row: (row.since.isoformat(), row.alarm_id))

    @api.get("/alarms/{alarm_id}", tags=["excursions"], dependencies=[reader])
    def alarm(alarm_id: str, core: Core = needs_core) -> AlarmOut:
        """One alarm, change by change, with the minutes measured meanwhile."""
        desk = Alarms(core)
        return AlarmOut(desk.alarm(alarm_id), tuple(desk.changes(alarm_id)))

    @api.post("/alarms/{alarm_id}/acknowledge", tags=["excursions"])
    def acknowledge(
        alarm_id: str,
        body: AcknowledgeIn,
        key: Key = None,
        core: Core = needs_core,
        who: Any = worker,
    ) -> AlarmRow:
        """Say that somebody has seen it; it goes on until the readings are quiet."""
        Alarms(core).acknowledge(alarm_id, note=body.note, by=who.name, key=key)
        return Alarms(core).alarm(alarm_id)


def _add_limits(api: APIRouter, needs_core: Any, reader: Any, quality: Any) -> None:
    @api.get("/excursions/limits", tags=["excursions"], dependencies=[reader])
    def limits(core: Core = needs_core) -> dict[str, Limits]:
        """What goods bear, by `class:<temperature>` and by GTIN."""
        return Excursions(core).limits()

    @api.put("/excursions/limits/{subject}", tags=["excursions"], status_code=204)
    def set_limits(
        subject: str,
        body: Limits,
        key: Key = None,
        core: Core = needs_core,
        who: Any = quality,
    ) -> None:
        """Set what a product or a class bears, for excursions measured from now on."""
        Excursions(core).set_limits(subject, body, by=who.name, key=key)

    @api.delete("/excursions/limits/{subject}", tags=["excursions"], status_code=204)
    def drop_limits(
        subject: str, key: Key = None, core: Core = needs_core, who: Any = quality
    ) -> None:
        """From now on the class's or the house's own."""
        Excursions(core).set_limits(subject, None, by=who.name, key=key)


def _add_zones(api: APIRouter, needs_core: Any, reader: Any, planner: Any) -> None:
    @api.get("/zones", tags=["excursions"], dependencies=[reader])
    def zones(core: Core = needs_core) -> dict[str, str]:
        """The zone of every location; empty for one in none."""
        return Whereabouts(core).zones()

    @api.put("/zones/{zone}", tags=["excursions"], status_code=204)
    def name_zone(
        zone: str, body: ZoneIn, key: Key = None, core: Core = needs_core, who: Any = planner
    ) -> None:
        """From now on exactly these locations are in the zone by name."""
        Whereabouts(core).name_zone(zone, body.places, by=who.name, key=key)


def _moment(page: Page) -> tuple[int, str] | None:
    found: tuple[datetime, str] | None = page.moment()
    return None if found is None else (micros(found[0]), found[1])
