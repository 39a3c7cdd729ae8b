"""A store of rollouts in memory, for simulations and tests; it passes the suite of the real one."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

from contracts.errors import ConflictError
from contracts.ota import BoxReport
from ota.rollout.boxes import Box
from ota.rollout.events import Event, Recorded
from ota.rollout.ports import Deed, Issued, Ran
from ota.rollout.running import changes


class MemoryRollouts:
    """ota.rollout.ports.RolloutStore; safe to call from many threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._history: dict[str, list[Recorded]] = {}
        self._boxes: dict[str, Box] = {}
        self._reports: dict[str, BoxReport] = {}
        self._ran: defaultdict[str, list[Ran]] = defaultdict(list)
        self._issued: dict[str, Issued] = {}
        self._deeds: list[Deed] = []
        self._facts: dict[str, str] = {}

    def append(
        self, rollout: str, *, after: int, events: Sequence[Event], who: str, at_us: int
    ) -> list[Recorded]:
        with self._lock:
            history = self._history.get(rollout, [])
            if len(history) != after:
                raise moved_on(rollout, after)
            new = [
                Recorded(rollout, number, at_us, who, event)
                for number, event in enumerate(events, start=after + 1)
            ]
            self._history[rollout] = [*history, *new]
            return new

    def heads(self) -> dict[str, int]:
        with self._lock:
            return {name: len(history) for name, history in self._history.items()}

    def history(self, rollout: str) -> list[Recorded]:
        with self._lock:
            return list(self._history.get(rollout, ()))

    def boxes(self) -> dict[str, Box]:
        with self._lock:
            return dict(self._boxes)

    def set_box(self, box: Box) -> None:
        with self._lock:
            self._boxes[box.device] = box

    def reports(self) -> dict[str, BoxReport]:
        with self._lock:
            return dict(self._reports)

    def keep_report(self, report: BoxReport) -> None:
        with self._lock:
            self._reports[report.device] = report
            known = self._ran[report.device]
            ended, begun = changes(known, report)
            for each in ended:
                known[known.index(_open(known, each))] = each
            known += begun

    def ran(self, device: str = "") -> list[Ran]:
        with self._lock:
            named = [device] if device else sorted(self._ran)
            found = [each for name in named for each in self._ran.get(name, ())]
            return sorted(found, key=lambda each: (each.since_us, each.device, each.lane))

    def issued(self) -> dict[str, Issued]:
        with self._lock:
            return dict(self._issued)

    def issue(self, made: Sequence[Issued]) -> None:
        with self._lock:
            for each in made:
                known = self._issued.get(each.device)
                if known and (each.epoch, each.sequence) <= (known.epoch, known.sequence):
                    raise not_beyond(each)
            self._issued.update({each.device: each for each in made})

    def note(self, deed: Deed) -> None:
        with self._lock:
            self._deeds.append(deed)

    def deeds(self) -> list[Deed]:
        with self._lock:
            return list(self._deeds)

    def fact(self, name: str) -> str:
        with self._lock:
            return self._facts.get(name, "")

    def set_fact(self, name: str, value: str) -> None:
        with self._lock:
            self._facts[name] = value


def moved_on(rollout: str, after: int) -> ConflictError:
    """What `append` raises where somebody was faster."""
    return ConflictError(
        f"Rollout {rollout} went on since its event {after}", mend="Look at it again"
    )


def not_beyond(made: Issued) -> ConflictError:
    """What `issue` raises for a number that was given out."""
    return ConflictError(
        f"Assignment {made.epoch}.{made.sequence} of {made.device} was given out before",
        mend="Another hub works on the same folder: end one of them",
    )


def _open(known: Sequence[Ran], ended: Ran) -> Ran:
    return next(each for each in known if each.lane == ended.lane and each.until_us is None)
