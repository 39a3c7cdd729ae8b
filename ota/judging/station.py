"""Under whose judgement a station looks at a carton's goods (I3, I6).

Rules, in their order:
1. A pin that the hub told binds. A station that has not every set of it says review.
2. A batch without a known pin is asked about, where the hub can be asked.
3. Where it cannot, the station judges provisionally with what runs here, and stays with that for the
   whole batch; its results may hold, and count only once the core gave the pin to the same judge.
4. A carton whose batch nobody could read belongs to no pin: it is looked at provisionally, and the
   reading sends it to review.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from contracts.judging import GOODS_PARTS, Pin, RejudgeTask, Watermark, judge_digest
from contracts.reason import Reason
from contracts.stock import BatchKey

_SHOWN_DIGITS = 12

HasSet = Callable[[str], bool]
"""Whether a set of this digest, whole and verified, can judge here now. False for one that was
stopped, too.
"""


class Way(StrEnum):
    """What a station does about a carton's goods."""

    PINNED = "pinned"
    PROVISIONAL = "provisional"
    ASK = "ask"
    """Ask the hub who judges this batch, with a short deadline, and decide again with the answer."""
    REVIEW = "review"
    """Nobody here may judge: a person does."""


@dataclass(frozen=True, slots=True)
class Course:
    """`parts` are the sets to judge with, by use; empty where nothing judges. `under` is the
    watermark of the result.
    """

    way: Way
    parts: Mapping[str, str] = field(default_factory=dict)
    under: Watermark | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(slots=True)
class PinBook:
    """What a station knows of pins: what the hub told, and under whom it began a batch by itself.

    Keeps nothing on disk; `to_bytes` is for whoever does.
    """

    told: dict[BatchKey, Pin] = field(default_factory=dict)
    begun: dict[BatchKey, dict[str, str]] = field(default_factory=dict)
    """The judge's sets of batches that were begun while the hub could not be asked."""

    def learn(self, pins: Iterable[Pin]) -> bool:
        """Take over what the hub says, in whatever order it comes: a later generation stays. True
        where anything was new.
        """
        changed = False
        for pin in pins:
            known = self.told.get(pin.batch)
            if known is None or known.generation < pin.generation:
                self.told[pin.batch] = pin
                self.begun.pop(pin.batch, None)
                changed = True
        return changed

    def begin(self, batch: BatchKey, parts: Mapping[str, str]) -> None:
        """A batch is begun provisionally: the first sets stay, whatever runs later."""
        if batch not in self.told:
            self.begun.setdefault(batch, goods_parts(parts))

    def forget(self, batches: Iterable[BatchKey]) -> None:
        """Batches that are over. One that comes again is asked about again."""
        for batch in list(batches):
            self.told.pop(batch, None)
            self.begun.pop(batch, None)

    def sets(self) -> frozenset[str]:
        """The digests that a station must keep for its open batches."""
        pinned = {digest for pin in self.told.values() for digest in pin.parts.values()}
        own = {digest for parts in self.begun.values() for digest in parts.values()}
        return frozenset(pinned | own)

    def to_bytes(self) -> bytes:
        """JSON, for `from_bytes`."""
        begun = [(batch, parts) for batch, parts in self.begun.items()]
        return msgspec.json.encode(_Kept(list(self.told.values()), begun))

    @classmethod
    def from_bytes(cls, data: bytes) -> PinBook:
        """Raises msgspec.MsgspecError for what is no such book."""
        kept = msgspec.json.decode(data, type=_Kept)
        return cls({pin.batch: pin for pin in kept.told}, dict(kept.begun))


@dataclass(frozen=True, slots=True)
class _Kept:
    told: list[Pin]
    begun: list[tuple[BatchKey, dict[str, str]]]


def decide(
    batch: BatchKey | None,
    book: PinBook,
    running: Mapping[str, str],
    has: HasSet,
    *,
    may_ask: bool,
) -> Course:
    """How to judge a carton's goods now.

    `batch` is None where the label was not read for sure. `running` are the sets by use that judge
    new batches of this product here, a product's profile and detector included. `may_ask` is False
    once the hub did not answer in time.
    """
    if batch is None:
        return _provisional(running, has)
    pin = book.told.get(batch)
    if pin is not None:
        return _pinned(pin, has)
    if may_ask:
        return Course(Way.ASK)
    return _provisional(book.begun.get(batch, running), has)


def rejudge(task: RejudgeTask, has: HasSet, *, frame_kept: bool) -> Course:
    """How to do what the hub asks for: with exactly the pin's sets, from exactly that frame. Where
    one of them is gone the course is REVIEW, and the answer tells the hub so.
    """
    if not frame_kept:
        gone = Reason("rejudge_frame_gone", {"picture": task.picture[:_SHOWN_DIGITS]})
        return Course(Way.REVIEW, under=_mark(task.pin), reasons=(gone,))
    return _pinned(task.pin, has)


def goods_parts(parts: Mapping[str, str]) -> dict[str, str]:
    """Those of the sets that judge goods, by use."""
    return {use: parts[use] for use in GOODS_PARTS if parts.get(use)}


def _pinned(pin: Pin, has: HasSet) -> Course:
    reasons = _missing(pin.parts, has)
    if reasons:
        return Course(Way.REVIEW, under=_mark(pin), reasons=reasons)
    return Course(Way.PINNED, dict(pin.parts), _mark(pin))


def _provisional(parts: Mapping[str, str], has: HasSet) -> Course:
    own = goods_parts(parts)
    reasons = _missing(own, has)
    if reasons:
        return Course(Way.REVIEW, reasons=reasons)
    if not own:
        return Course(Way.PROVISIONAL)
    return Course(Way.PROVISIONAL, own, Watermark(judge_digest(own), provisional=True))


def _missing(parts: Mapping[str, str], has: HasSet) -> tuple[Reason, ...]:
    return tuple(
        Reason("pinned_set_gone", {"use": use, "set": digest.rpartition(":")[2][:_SHOWN_DIGITS]})
        for use, digest in sorted(parts.items())
        if not has(digest)
    )


def _mark(pin: Pin) -> Watermark:
    return Watermark(pin.judge, pin.generation)
