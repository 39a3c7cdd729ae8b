"""The desk of the one judge: pins by compare and set, generations, what waits, what ran where (I3).

Meets `contracts.ports.Pins`; the core is the authority, and the database's primary key is the one who
sets first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from contracts.errors import ConflictError
from contracts.judging import Pin, SessionPin
from contracts.stock import BatchKey
from erp_link.domain.judging import replaced, without_rings
from erp_link.service.judging import generations, pins, tasks, views
from erp_link.service.judging.shapes import Opened, Ran, Said, ShadowTally, Waiting
from erp_link.service.store import Store
from erp_link.service.work import Work, batch_guards, ensure_batch, find_batch

__all__ = ["Judging", "Opened", "Ran", "Said", "ShadowTally", "Waiting"]


class Judging:
    """Over one store. Methods block."""

    def __init__(self, core: Store) -> None:
        self._core = core

    # The port

    def pin(self, batch: BatchKey, parts: Mapping[str, str], *, by: str) -> Pin:
        """The newest generation's pin of a batch; made for the judge of `parts` where there is
        none. Raises BadInputError where `parts` names no judge, UnavailableError.
        """
        known = self.find(batch)
        if known is not None:
            return known
        named = pins.check_parts(parts)

        def first(work: Work) -> Pin:
            row = pins.ensure(work, ensure_batch(work.connection, batch), named)
            return pins.pin_of(row, batch)

        return self._core.write(first, by=by)

    def find(self, batch: BatchKey) -> Pin | None:
        """The newest generation's pin; None where nobody judges the batch yet."""
        return self._core.read(lambda c: pins.find(c, batch))

    def history(self, batch: BatchKey) -> Sequence[Pin]:
        """All generations' pins, oldest first."""
        return self._core.read(lambda c: pins.history(c, batch))

    def next_generation(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> Pin:
        """Open generation `after` + 1: what is free of the batch waits again, reservations give way,
        what left is at risk with a task, stations are asked to judge again. Asked again: the pin
        that was opened. Raises ConflictError, BadInputError.
        """
        if self.find(batch) is None:
            raise ConflictError(
                f"Batch {batch} has no generation {after}: nobody judges it yet",
                mend="Ask for its pin first",
                batch=str(batch),
                generation=0,
            )
        return self._open(batch, parts, after=after, by=by, why=why)[0]

    def pin_session(self, session: str, model_set: str, *, by: str) -> SessionPin:
        """What reads a receiving session's labels; `model_set` where nothing does yet."""
        known = self._core.read(lambda c: pins.reads(c, session))
        if known is not None:
            return known
        return self._core.write(lambda w: pins.ensure_session(w, session, model_set), by=by)

    # What a rollback asks for

    def replace(self, bad: Mapping[str, str], *, by: str, why: str) -> Opened:
        """A next generation for each batch that a set in `bad` judges and that has not left: with
        the set that `bad` names instead (empty: without that part). Doing it again opens nothing
        more; killed on the way, it goes on where it was. Raises BadInputError where sets replace
        each other in a ring, or nobody would judge some batch any more; then nothing was opened.
        """
        others = without_rings(bad)
        judged = self._core.read(lambda c: generations.judged_by(c, others))
        for _, row in judged:
            pins.check_parts(replaced(row.parts, others))
        opened: list[Pin] = []
        left: list[BatchKey] = []
        cartons = 0
        for batch_id, row in judged:
            batch, here = self._core.read(partial(generations.where_is, batch_id=batch_id))
            if not here:
                tell = partial(generations.left_under, batch_id=batch_id, row=row, why=why)
                left += [batch] if self._core.write(tell, by=by) else []
                continue
            instead = replaced(row.parts, others)
            pin, again = self._open(batch, instead, after=row.generation, by=by, why=why)
            opened.append(pin)
            cartons += again
        return Opened(tuple(opened), cartons, tuple(left))

    def ask_people(self, batch: BatchKey, *, by: str) -> int:
        """The stations that are asked about a batch will not answer, since their boxes are lost: a
        person looks instead. How many cartons that are. Raises NotFoundError.
        """

        def ask(work: Work) -> int:
            row = find_batch(work.connection, batch)
            work.take(batch_guards(work.connection, row))
            return tasks.give_to_people(work, row.id)

        return self._core.write(ask, by=by)

    def _open(
        self, batch: BatchKey, parts: Mapping[str, str], *, after: int, by: str, why: str
    ) -> tuple[Pin, int]:
        return self._core.write(
            lambda w: generations.open_next(w, batch, parts, after=after, why=why), by=by
        )

    def pinned_sets(self, *, within: timedelta = timedelta(days=7)) -> frozenset[str]:
        """The digests that boxes must keep: of the newest pins of batches announced in open
        sessions, asked to be judged again, or judged `within`.
        """
        since = self._core.clock.now() - within
        return self._core.read(lambda c: views.pinned_sets(c, since))

    # What people look at

    def said_of(self, batch: BatchKey) -> list[Said]:
        """Every word on a batch's goods, oldest first."""
        return self._core.read(lambda c: views.said_of(c, batch))

    def waiting(self) -> list[Waiting]:
        """Batches with cartons that wait for a result that counts."""
        return self._core.read(views.waiting)

    def mixed(self) -> list[tuple[BatchKey, int, tuple[str, ...]]]:
        """Batch generations that more than one judge's results counted for: there must be none."""
        return self._core.read(views.mixed)

    def ran(
        self, device: str | None = None, *, since: datetime | None = None, limit: int = 500
    ) -> list[Ran]:
        """What judged new batches on a box, or on all, newest first."""
        return self._core.read(lambda c: views.ran(c, device, since=since, limit=limit))

    def ran_at(self, at: datetime) -> dict[str, Ran]:
        """What each box ran at a moment, by device, as far as it told."""
        return self._core.read(lambda c: views.ran_at(c, at))

    def shadow_tallies(self, rollout: str) -> list[ShadowTally]:
        """What a rollout's candidates have shown so far, by device and lane, exactly once."""
        return self._core.read(lambda c: views.shadow_tallies(c, rollout))
