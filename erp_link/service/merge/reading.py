"""Entries as they stand in the tables, for the deciders of `domain/merge`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from contracts.device_log import Carried, Fact
from contracts.stock import BatchKey, HoldKind
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.domain.merge.entries import Entry
from erp_link.domain.merge.releases import HoldSeen
from erp_link.service.merge.proving import fact_of

WAITING, ADMITTED, BOOKED, SETTLED = "waiting", "admitted", "booked", "settled"
"""How far an entry has come: its predecessor is missing; it counts; it is in the books; and, of a
hold or a release, the others have been brought in line with it."""
UNREADABLE = "unreadable"
"""It hangs in its chain, and says nothing that can be used."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COUNTING = (ADMITTED, BOOKED, SETTLED)

_BASIS = m.offline_entry.alias()
_ENTRIES = (
    select(m.offline_entry, _BASIS.c.body.label("told"))
    .join(_BASIS, _BASIS.c.entry_id == m.offline_entry.c.basis, isouter=True)
    .where(m.offline_entry.c.state.in_(COUNTING))
    .order_by(m.offline_entry.c.device, m.offline_entry.c.seq, m.offline_entry.c.entry_id)
)


def entries_where(connection: Connection, *wanted: ColumnElement[bool]) -> list[Entry]:
    """The entries that count and fit, each with what its device knew."""
    rows = connection.execute(_ENTRIES.where(*wanted))
    return [_entry(row) for row in rows]


def entry(connection: Connection, entry_id: str) -> Entry:
    """One entry that counts."""
    (found,) = entries_where(connection, m.offline_entry.c.entry_id == entry_id)
    return found


def entry_or_none(connection: Connection, entry_id: str) -> Entry | None:
    """One entry, if it counts and fits."""
    found = entries_where(connection, m.offline_entry.c.entry_id == entry_id)
    return found[0] if found else None


def fact_of_row(row: Row[Any]) -> Fact:
    """What a stored entry says. Raises BadInputError."""
    return fact_of(row.kind, json.loads(row.body))


def roles_of(connection: Connection, devices: Iterable[str]) -> dict[str, frozenset[str]]:
    """With which roles devices are enrolled."""
    rows = connection.execute(
        select(m.offline_device.c.device, m.offline_device.c.roles).where(
            m.offline_device.c.device.in_(sorted(set(devices)))
        )
    )
    return {row.device: frozenset(row.roles) for row in rows}


def owners(connection: Connection) -> dict[str, str]:
    """Who enrolled each device."""
    rows = connection.execute(select(m.offline_device.c.device, m.offline_device.c.owner))
    return {row.device: row.owner for row in rows}


def suspects(connection: Connection) -> dict[str, int]:
    """The devices whose word lifts no hold, each from which number on."""
    rows = connection.execute(
        select(m.offline_device.c.device, m.offline_device.c.suspect_from).where(
            m.offline_device.c.suspect_from.is_not(None)
        )
    )
    return {row.device: row.suspect_from for row in rows}


def holds_where(connection: Connection, *wanted: ColumnElement[bool]) -> list[HoldSeen]:
    """Holds, with the device's entry of those that one added. A hold put back after its release
    was found void goes by the name of the first.
    """
    rows = connection.execute(
        select(t.hold, t.batch.c.supplier.label("of"), t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.hold.c.batch_id, isouter=True)
        .where(*wanted)
        .order_by(t.hold.c.hold_id)
    ).all()
    by_id = _entries_of_holds(connection, [row.hold_id for row in rows])
    return [
        HoldSeen(
            first_name(row.hold_id),
            HoldKind(row.kind),
            BatchKey(row.of, row.gtin, row.lot) if row.batch_id is not None else None,
            row.supplier,
            by_id.get(first_name(row.hold_id)),
        )
        for row in rows
    ]


AGAIN = "-again"


def first_name(hold_id: str) -> str:
    """The name under which a hold was first raised."""
    return hold_id.split(AGAIN, 1)[0]


def _entries_of_holds(connection: Connection, hold_ids: list[str]) -> Mapping[str, Entry]:
    wanted = {first_name(each) for each in hold_ids}
    if not wanted:
        return {}
    column = m.offline_entry.c.target
    held = (m.offline_entry.c.kind == "held") & column.in_(sorted(wanted))
    rows = connection.execute(select(m.offline_entry.c.entry_id, column).where(held))
    names = {row.entry_id: row.target for row in rows}
    return {names[each.entry_id]: each for each in entries_where(connection, held)}


def _entry(row: Row[Any]) -> Entry:
    fact = fact_of_row(row)
    seen: Mapping[str, int] = {}
    if isinstance(fact, Carried):
        seen = fact.seen
    elif row.told is not None:
        seen = json.loads(row.told)["seen"]
    at_us = micros(row.at)
    return Entry(row.entry_id, row.device, row.seq, row.by, fact, seen, at_us)


def heads(connection: Connection) -> dict[str, int]:
    """Of each device's log, the last entry up to which all are in the books."""
    entry = m.offline_entry
    waits = entry.c.state.in_([WAITING, ADMITTED])
    last = connection.execute(
        select(entry.c.device, func.max(entry.c.seq)).where(~waits).group_by(entry.c.device)
    )
    found: dict[str, int] = {row[0]: row[1] for row in last}
    first = connection.execute(
        select(entry.c.device, func.min(entry.c.seq))
        .where(entry.c.state == ADMITTED)
        .group_by(entry.c.device)
    )
    for device, seq in first:
        found[device] = min(found.get(device, 0), seq - 1)
    return {device: seq for device, seq in sorted(found.items()) if seq > 0}


def told_and_uploaded(connection: Connection, entry_id: str) -> tuple[int, datetime]:
    """The core's position of which an entry's device knew (0 for none), and when it came in."""
    row = connection.execute(
        select(m.offline_entry.c.uploaded_at, _BASIS.c.body.label("told"))
        .join(_BASIS, _BASIS.c.entry_id == m.offline_entry.c.basis, isouter=True)
        .where(m.offline_entry.c.entry_id == entry_id)
    ).one()
    return (0 if row.told is None else int(json.loads(row.told)["version"])), row.uploaded_at


def position(connection: Connection) -> int:
    """How far the core's own history is."""
    return int(connection.execute(select(func.coalesce(func.max(t.event.c.id), 0))).scalar_one())


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)
