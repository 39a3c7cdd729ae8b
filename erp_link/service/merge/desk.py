"""The desk of devices that were offline: take in their logs, book them, tell them how things stand.

Whatever the order, the parts and the repetitions in which logs come in, the books end in the same
state (I6): each entry is booked once, in a transaction of its own, in differences that commute, and
what depends on several entries is worked out from all of them each time (`erp_link/domain/merge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from contracts.device_log import Held, LogEntry, Released, Shipped, hold_id_of
from contracts.errors import BadInputError, ConflictError, NotFoundError, UnavailableError
from contracts.stock import BatchKey
from erp_link.adapters import device_keys
from erp_link.adapters import merge_tables as m
from erp_link.adapters import tables as t
from erp_link.domain.merge.entries import Entry
from erp_link.domain.merge.releases import ReleaseRule
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service import commands, holding
from erp_link.service.core import Core
from erp_link.service.merge import (
    booking,
    carrying,
    confirming,
    holds,
    logbook,
    proving,
    reading,
    recounting,
    roster,
    shipments,
    standing,
)
from erp_link.service.merge.carrying import Carry, Dispute, OfflineDevice
from erp_link.service.merge.logbook import Standing, Uploaded
from erp_link.service.work import Work

MOST_ENTRIES = 500
"""In one upload; a longer log comes in parts."""
MOST_KEPT = 25_000
"""Of a revoked device: twice what a phone writes in a day, and some."""


class OfflineLogs:
    """Over one core. Methods block and are safe to call from many threads and processes. `policy`
    is the site's for decisions: no release offline asks for less.
    """

    def __init__(self, core: Core, policy: DecisionPolicy | None = None) -> None:
        self._core = core
        self._rule = ReleaseRule.of(policy or DecisionPolicy())

    def upload(self, entries: Sequence[LogEntry], *, by: str) -> Uploaded:
        """Keep what came, book what hangs together. Answered only when it is on disk and booked.

        An entry that is not its device's own is kept and told, and stops nothing beside it. Raises
        BadInputError for more than MOST_ENTRIES, UnavailableError.
        """
        if len(entries) > MOST_ENTRIES:
            raise BadInputError(
                f"{len(entries)} entries at once", mend=f"Send at most {MOST_ENTRIES}"
            )
        done = self._core.write(lambda work: logbook.take_in(work, entries), by=by)
        self.settle()
        return done

    def settle(self) -> int:
        """Book what counts and is not booked: after an upload, and where one was cut short."""
        booked = 0
        trouble: Exception | None = None
        for entry_id, kind, state, by in self._core.read(_unsettled):
            try:
                if state == reading.ADMITTED:
                    booked += self._book(entry_id, by=by)
                if kind in _BROUGHT_IN_LINE:
                    self._bring_in_line(entry_id, by=by)
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 -- what one entry meets must not keep the others out; raised below
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return booked

    def enrol(
        self,
        device: str,
        public_key: str,
        *,
        roles: Iterable[str],
        by: str,
        key: str | None = None,
    ) -> OfflineDevice:
        """Let a device keep a log under its Ed25519 key, with the roles of the person who holds it.
        What it had sent before anybody knew it is taken in now.

        Raises BadInputError, ConflictError (it has another key).
        """
        proving.check_device(device)
        device_keys.check_public_key(public_key)
        owned = sorted(roles)
        self._core.command(
            "enrol_offline",
            {"device": device, "public_key": public_key, "roles": owned},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: roster.enrol(work, device, public_key, owner=by, roles=owned),
        )
        for part in self._kept(device):
            self.upload(part, by=by)
        return self.device(device)

    def readmit(
        self, device: str, *, reason: str, by: str, key: str | None = None
    ) -> OfflineDevice:
        """A person has looked into a quarantined device: its word counts again, that given while it
        was quarantined included. Of a revoked one they take what it sent since: what it saw is
        booked, its releases lift nothing. Raises NotFoundError, ConflictError, BadInputError.
        """
        if not reason.strip():
            raise BadInputError("A readmission needs its reason", mend="Write what was found")
        self._core.command(
            "readmit_offline",
            {"device": device, "reason": reason},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: roster.readmit(work, device, reason),
        )
        if self.device(device).state == roster.REVOKED:
            take = partial(logbook.take_in, of_revoked=True)
            for part in self._kept(device):
                self._core.write(partial(take, entries=part), by=by)
        self.settle()
        return self.device(device)

    def revoke(self, device: str, *, reason: str, by: str) -> None:
        """From now on what the device sends is kept and books nothing until quality takes it
        (`readmit`); it is never enrolled again. One that is not known here changes nothing.
        """
        self._core.write(lambda work: roster.revoke(work, device, reason), by=by)

    def check(self, entries: Sequence[LogEntry]) -> None:
        """Raises BadInputError or NotFoundError for the first that is not its device's own."""
        for entry in entries:
            proving.check_form(entry)
            known = partial(roster.known_device, device=entry.device)
            proving.check_signature(entry, self._core.read(known).public_key)

    def keep(self, device: str, entries: Sequence[LogEntry], *, by: str) -> int:
        """What a revoked device still sends, kept for quality to look at: how many entries. Nobody
        is signed in there, so there is an end to it. Raises BadInputError, NotFoundError.
        """
        if self.device(device).refused + len(entries) > MOST_KEPT:
            raise BadInputError(
                f"More than {MOST_KEPT} entries of {device} are kept already",
                mend="Export what the phone still has, and bring it to quality",
            )
        self.upload(entries, by=by)
        return len(entries)

    def recount(
        self, batch: BatchKey, location: str, counted: int, *, by: str, key: str | None = None
    ) -> None:
        """A bin was counted again at the core: that settles what the counts disagreed on. Sent
        twice with one `key` it counts once: goods may have left the bin in between.

        Raises BadInputError, ConflictError (the key came before with another count).
        """
        self._core.command(
            "recount_offline",
            {"batch": str(batch), "location": location, "counted": counted},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: recounting.recount(work, batch, location, counted),
        )

    def confirm(
        self,
        batch: BatchKey,
        location: str,
        *,
        by: str,
        quantity: int = 0,
        key: str | None = None,
    ) -> int:
        """Goods that were seen offline leave inspection; 0 means all of them. The units. Those that
        a hold or a finding speaks of stay blocked.

        Raises InsufficientStockError, NotFoundError, BadInputError.
        """
        body = {"batch": str(batch), "location": location, "quantity": quantity}
        return int(
            self._core.command(
                "confirm_offline",
                body,
                by=by,
                key=key,
                guards_of=lambda c: commands.guards_of_batch(c, batch, location),
                act=lambda work: confirming.confirm(work, batch, location, quantity),
            )
        )

    def carry(self, device: str, locations: Sequence[str] = ()) -> Carry:
        """What a device takes along offline. Raises NotFoundError for one not enrolled."""
        return self._core.read(lambda c: carrying.carry(c, device, locations))

    def device(self, device: str) -> OfflineDevice:
        """Raises NotFoundError."""
        found = [each for each in self.devices() if each.device == device]
        if not found:
            raise NotFoundError(f"No device {device[:80]!r} keeps a log here", mend="Enrol it")
        return found[0]

    def devices(self) -> list[OfflineDevice]:
        """Every device that keeps a log, or sent one."""
        return self._core.read(carrying.devices)

    def disputes(self, *, open_only: bool = True) -> list[Dispute]:
        """What came in and contradicts itself or the books, with every side, newest first."""
        return self._core.read(lambda c: carrying.disputes(c, open_only=open_only))

    def unconfirmed(self) -> list[carrying.Unconfirmed]:
        """Goods that were seen offline and wait in inspection."""
        return self._core.read(carrying.unconfirmed)

    def standing(self, device: str) -> Standing:
        """How far a device's log has come. Raises NotFoundError."""
        return self._core.write(lambda w: logbook.standings(w, [device])[0], by="")

    def digest(self) -> str:
        """The SHA-256 of all that logs have an influence on: the same after any order of them."""
        return self._core.read(standing.digest)

    def _kept(self, device: str) -> list[list[LogEntry]]:
        kept = self._core.read(lambda c: carrying.kept_entries(c, device))
        return [kept[at : at + MOST_ENTRIES] for at in range(0, len(kept), MOST_ENTRIES)]

    def _book(self, entry_id: str, *, by: str) -> int:
        try:
            return int(self._core.write(lambda work: booking.book(work, entry_id), by=by))
        except (BadInputError, NotFoundError, ConflictError) as error:
            why = error.message
            self._core.write(lambda work: booking.cannot(work, entry_id, why), by=by)
            return 0

    def _bring_in_line(self, entry_id: str, *, by: str) -> None:
        """A hold or release came in: whatever depends on it is looked at again."""
        entry = self._core.read(lambda c: reading.entry_or_none(c, entry_id))
        if entry is None:
            return
        for hold_id in _holds_in(entry):
            act = partial(holds.bring_in_line, hold_id=hold_id, rule=self._rule)
            self._core.write(act, by=by)
            self._settle_around(hold_id, by=by)
        if isinstance(entry.fact, Released):
            self._core.write(lambda work: holds.settle_release(work, entry, self._rule), by=by)
        self._core.write(lambda work: logbook.settled(work, entry_id), by=by)

    def _settle_around(self, hold_id: str, *, by: str) -> None:
        def act(work: Work) -> None:
            for name in holds.touched_by(work, hold_id):
                holds.settle_release(work, reading.entry(work.connection, name), self._rule)
            for entry in _shipments_under(work, hold_id):
                shipments.settle_recalls(work, entry)

        self._core.write(act, by=by)


_BROUGHT_IN_LINE = ("held", "released")


def _unsettled(connection: Any) -> list[tuple[str, str, str, str]]:
    entry = m.offline_entry
    rows = connection.execute(
        select(entry.c.entry_id, entry.c.kind, entry.c.state, entry.c.by)
        .where(
            (entry.c.state == reading.ADMITTED)
            | ((entry.c.state == reading.BOOKED) & entry.c.kind.in_(_BROUGHT_IN_LINE))
        )
        .order_by(entry.c.device, entry.c.seq, entry.c.entry_id)
    )
    return [(row.entry_id, row.kind, row.state, row.by) for row in rows]


def _holds_in(entry: Entry) -> tuple[str, ...]:
    match entry.fact:
        case Held():
            return (hold_id_of(entry.entry_id),)
        case Released(named):
            return named
        case _:
            return ()


def _shipments_under(work: Work, hold_id: str) -> list[Entry]:
    row = work.connection.execute(select(t.hold).where(t.hold.c.hold_id == hold_id)).one_or_none()
    if row is None:
        return []
    covered = holding.covered_by(work.connection, row)
    found = reading.entries_where(
        work.connection,
        m.offline_entry.c.kind == "shipped",
        m.offline_entry.c.state == reading.BOOKED,
        m.offline_entry.c.batch_id.in_(covered),
    )
    return [entry for entry in found if isinstance(entry.fact, Shipped)]
