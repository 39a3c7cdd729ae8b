"""When a box gets another assignment, and under which number. Pure (I5).

The rules: what a box is to do is made out anew when it changes, when the box is asked once more, and
at half of its time; every making has a number of its own, and a number is never used for two texts.
A box that says it has seen a later number than this hub gave out means that the hub's records are
older than the box (restored from a backup): then its next epoch begins.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from contracts.ota import Assignment, Shadow

_encoder = msgspec.json.Encoder(order="deterministic")
_DAY_US = 86_400_000_000
FURTHEST = 2**31
"""An epoch beyond which a box's word is no longer followed: no hub ever began so many."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an assignment says, without number and time. `snapshot`: a box is told of a newer image
    plane at once, so that nobody keeps the one from it in which a withdrawn set still stands.
    """

    device: str
    cell: str
    stage: dict[str, str]
    run: dict[str, str]
    shadow: tuple[Shadow, ...]
    keep: tuple[str, ...]
    rollout: str
    stop: bool
    attempts: int = 0
    snapshot: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.stage or self.run or self.shadow or self.keep or self.stop)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of them: whether two makings say the same. Nobody signs or sends it."""
        return hashlib.sha256(_encoder.encode(self)).hexdigest()


@dataclass(frozen=True, slots=True)
class Number:
    epoch: int
    sequence: int


def is_due(
    words: Words,
    *,
    same: bool,
    last: Number | None,
    said: Number,
    epoch: int,
    now_us: int,
    renew_us: int,
) -> bool:
    """Whether the box needs another assignment. `same`: its `last` one says just these words (None:
    it never had one); `said` the number that it reports, `epoch` the fleet's, `renew_us` the half
    of the last one's time.
    """
    if last is None:
        return not words.nothing or _ahead(said, Number(0, 0))
    return not same or now_us >= renew_us or epoch > last.epoch or _ahead(said, last)


def next_number(*, last: Number | None, said: Number, epoch: int) -> Number:
    """The number of the next assignment of a box: beyond all that were ever given out for it."""
    last = last or Number(0, 0)
    if _ahead(said, last):
        return Number(max(said.epoch + 1, epoch), 1)
    if epoch > last.epoch:
        return Number(epoch, 1)
    return Number(last.epoch, last.sequence + 1)


def make_out(words: Words, number: Number, *, now_us: int, days: int) -> tuple[Assignment, int]:
    """The assignment, and when it is to be made out again (microseconds since 1970)."""
    assignment = Assignment(
        device=words.device,
        cell=words.cell,
        epoch=number.epoch,
        sequence=number.sequence,
        least_snapshot=words.snapshot,
        not_after_us=now_us + days * _DAY_US,
        stage=words.stage,
        run=words.run,
        shadow=words.shadow,
        keep=words.keep,
        rollout=words.rollout,
        stop=words.stop,
        attempts=words.attempts,
    )
    return assignment, now_us + days * _DAY_US // 2


def _ahead(said: Number, last: Number) -> bool:
    return (said.epoch, said.sequence) > (last.epoch, last.sequence) and said.epoch < FURTHEST
