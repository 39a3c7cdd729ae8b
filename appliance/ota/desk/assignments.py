"""The newest assignment of every box: made out when due, on disk before it is given out (I5)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

from appliance.ota.rollouts import Envelope
from contracts.ota import Assignment, BoxReport
from ota.director.dsse import Director, read_own
from ota.director.issuing import Number, Words, is_due, make_out, next_number
from ota.rollout.assigning import Voice, voices, wanted
from ota.rollout.boxes import Heard
from ota.rollout.ports import Issued, RolloutStore
from ota.rollout.state import Rollout

_EPOCH, _KEY = "epoch", "director_key"


class Assignments:
    """Its owner holds a lock around `make`; `envelope` may be called from anywhere at any time."""

    def __init__(self, store: RolloutStore, director: Director, *, days: int) -> None:
        self._store = store
        self._director = director
        self._days = days
        self._issued = store.issued()
        self.epoch = _epoch(store, director)
        self._said: dict[str, Words] = {}
        """What the newest assignments say: to compare without hashing it for every box."""
        self._envelopes = {device: _envelope(each) for device, each in self._issued.items()}

    def envelope(self, device: str) -> Envelope | None:
        return self._envelopes.get(device)

    def is_current(self, report: BoxReport) -> bool:
        """Whether a box's report is about its newest assignment."""
        last = self._issued.get(report.device)
        return last is None or (report.epoch, report.sequence) == (last.epoch, last.sequence)

    def assignment(self, device: str) -> Assignment | None:
        """The newest one, as it was signed."""
        last = self._issued.get(device)
        return read_own(last.envelope) if last else None

    def differs(self, heard: Heard) -> bool:
        """Whether a box says that it runs another set than it is told to run or to fetch."""
        words = self._said.get(heard.box.device)
        running = heard.report.running if heard.report else {}
        told = {**words.stage, **words.run} if words is not None else {}
        return any(digest and running.get(lane) != digest for lane, digest in told.items())

    def stale(self, now_us: int) -> list[str]:
        """Whose assignment is past half of its time."""
        return [each.device for each in self._issued.values() if now_us >= each.renew_us]

    def make(
        self,
        boxes: Iterable[Heard],
        rollouts: Sequence[Rollout],
        *,
        pinned: Iterable[str],
        closed: Iterable[str],
        withdrawn: Collection[str],
        snapshot: int,
        now_us: int,
    ) -> list[Issued]:
        """Make out what is due for these boxes; `rollouts` newest first. Raises ConflictError where
        another hub works on the same folder.
        """
        held = frozenset(pinned)
        said = voices(rollouts, closed=frozenset(closed), withdrawn=withdrawn)
        made: list[Issued] = []
        spoken: list[Words] = []
        for heard in boxes:
            words = _words(heard, said, held, snapshot)
            issued = self._one(heard, words, now_us)
            if issued is None:
                self._said[words.device] = words
            else:
                made.append(issued)
                spoken.append(words)
        if made:
            self._store.issue(made)
            self._said.update({words.device: words for words in spoken})
            self._issued.update({each.device: each for each in made})
            self._envelopes.update({each.device: _envelope(each) for each in made})
        return made

    def _same(self, words: Words, known: Issued | None) -> bool:
        """Whether the newest assignment says just this."""
        said = self._said.get(words.device)
        if said is not None:
            return said == words
        return known is not None and known.wanted == words.digest

    def _one(self, heard: Heard, words: Words, now_us: int) -> Issued | None:
        known = self._issued.get(words.device)
        last = Number(known.epoch, known.sequence) if known else None
        report = heard.report
        said = Number(report.epoch, report.sequence) if report else Number(0, 0)
        if not is_due(
            words,
            same=self._same(words, known),
            last=last,
            said=said,
            epoch=self.epoch,
            now_us=now_us,
            renew_us=known.renew_us if known else 0,
        ):
            return None
        number = next_number(last=last, said=said, epoch=self.epoch)
        assignment, renew_us = make_out(words, number, now_us=now_us, days=self._days)
        return Issued(
            words.device,
            number.epoch,
            number.sequence,
            words.digest,
            self._director.sign(assignment),
            renew_us,
        )


def _words(heard: Heard, said: Sequence[Voice], pinned: frozenset[str], snapshot: int) -> Words:
    made = wanted(heard, said, pinned=pinned)
    return Words(
        heard.box.device,
        heard.box.cell,
        made.stage,
        made.run,
        made.shadow,
        made.keep,
        made.rollout,
        made.stop,
        made.attempts,
        snapshot,
    )


def _envelope(issued: Issued) -> Envelope:
    tag = hashlib.sha256(issued.envelope).hexdigest()[:16]
    return Envelope(tag, issued.envelope, issued.epoch, issued.sequence)


def _epoch(store: RolloutStore, director: Director) -> int:
    """The fleet's epoch; the next one begins with another key of the director."""
    epoch = int(store.fact(_EPOCH) or 0)
    if epoch == 0 or store.fact(_KEY) != director.key_id:
        epoch += 1
        store.set_fact(_EPOCH, str(epoch))
        store.set_fact(_KEY, director.key_id)
    return epoch
