"""A station in virtual time: it judges by the real rules (`ota.judging.station`), and what it sees with
is made up. Its journal and its book of pins survive a crash, as they do at a real one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from appliance.bench.rollout.world.account import Account
from appliance.bench.rollout.world.deliveries import Carton
from contracts.errors import UnavailableError
from contracts.inspection import InspectDecision
from contracts.judging import Pin, RejudgeTask, judge_digest
from contracts.stock import BatchKey
from ota.judging.goods import Result
from ota.judging.station import Course, PinBook, Way, decide, rejudge

SETTLED_US = 180 * 60 * 1_000_000
"""Up and connected for so long, a box has polled, fetched what its cell is pinned to, and was waited
for by its cell's barrier: there is no excuse left for a set that is not here."""
_AT_ONCE = 64


class Core(Protocol):
    """What a station asks of the hub's core."""

    def pin(self, batch: BatchKey, parts: Mapping[str, str], *, by: str) -> Pin: ...
    def took(self, result: Result, number: int, station: str) -> None:
        """A result by its station and number: again is the same as once."""
        ...

    def tasks(self, station: str) -> list[RejudgeTask]: ...
    def pins(self, station: str) -> list[Pin]:
        """Of batches that are open at this station's cell."""
        ...


Eyes = Callable[[Carton, Mapping[str, str]], InspectDecision]
"""What the sets in `parts` say of a carton."""


class VirtualStation:
    """`running`: sets by use that judge new batches. `holds`: whether a set can judge here now."""

    def __init__(
        self,
        name: str,
        cell: str,
        *,
        core: Core,
        ask: Callable[[Callable[[], Pin]], Pin],
        eyes: Eyes,
        account: Account,
        now_us: Callable[[], int],
        asks: bool = True,
    ) -> None:
        self.name, self.cell = name, cell
        self.running: dict[str, str] = {}
        self.holds: Callable[[str], bool] = lambda _digest: True
        self.well_since_us = 0
        """Since when it is up and connected without a break; a cut puts it into the future."""
        self.book = PinBook()
        self.outbox: deque[tuple[int, Result]] = deque()
        self.frames: dict[str, Carton] = {}
        self.cartons = 0
        self._core, self._ask, self._eyes, self._account = core, ask, eyes, account
        self._now_us = now_us
        self._asks = asks
        self._number = 0
        self._kept_book = self.book.to_bytes()
        self._done_tasks: set[tuple[str, int]] = set()

    def crashed(self) -> None:
        """What was in memory is gone; what was on disk is not."""
        self.book = PinBook.from_bytes(self._kept_book)
        self._done_tasks.clear()

    def see(self, carton: Carton) -> None:
        """A carton comes by."""
        self.cartons += 1
        self._account.seen[carton.carton_id] = carton.batch
        self.frames[carton.carton_id] = carton
        course = self._course(carton.batch)
        self._account.happened[f"judged {course.way}"] += 1
        if course.way is Way.REVIEW and carton.batch in self.book.told:
            self._at_a_loss(carton)
        self._write(carton, course)

    def follow(self, tasks: list[RejudgeTask], pins: list[Pin]) -> None:
        """What the hub told with its expectations: the pins of all batches that are open here."""
        learned = self.book.learn(pins)
        over = self.book.told.keys() - {pin.batch for pin in pins}
        self.book.forget(over)
        if learned or over:
            self._keep_book()
        for task in tasks:
            if (task.carton_id, task.pin.generation) not in self._done_tasks:
                self._again(task)

    def sent(self, most: int = _AT_ONCE) -> list[tuple[int, Result]]:
        """The oldest results that nobody acknowledged."""
        return [self.outbox[number] for number in range(min(most, len(self.outbox)))]

    def acknowledged(self, number: int) -> None:
        while self.outbox and self.outbox[0][0] <= number:
            self.outbox.popleft()

    def _course(self, batch: BatchKey) -> Course:
        if not self._asks:
            return decide(batch, PinBook(), self.running, self.holds, may_ask=False)
        course = decide(batch, self.book, self.running, self.holds, may_ask=True)
        if course.way is not Way.ASK:
            return course
        try:
            pin = self._ask(lambda: self._core.pin(batch, self.running, by=self.name))
        except UnavailableError:
            course = decide(batch, self.book, self.running, self.holds, may_ask=False)
            self.book.begin(batch, course.parts)
        else:
            self.book.learn([pin])
            course = decide(batch, self.book, self.running, self.holds, may_ask=False)
        self._keep_book()
        return course

    def _again(self, task: RejudgeTask) -> None:
        carton = self.frames.get(task.carton_id)
        course = rejudge(task, self.holds, frame_kept=carton is not None)
        if course.way is Way.REVIEW or carton is None:
            # It is asked again with the next expectations: by then the set may be here.
            self._account.happened["re-judging put off"] += 1
            return
        self._account.happened["judged again"] += 1
        self._done_tasks.add((task.carton_id, task.pin.generation))
        self._write(carton, course)

    def _write(self, carton: Carton, course: Course) -> None:
        """Into the journal: from here on it is never lost."""
        nobody = course.way is Way.REVIEW
        decision = InspectDecision.REVIEW if nobody else self._eyes(carton, course.parts)
        mark = course.under
        if mark is None:
            self._account.happened["without a watermark"] += 1
            return
        self._number += 1
        judge = "" if nobody else judge_digest(course.parts)
        result = Result(carton.carton_id, carton.batch, mark, decision, judge, course.parts)
        self.outbox.append((self._number, result))

    def _keep_book(self) -> None:
        self._kept_book = self.book.to_bytes()

    def _at_a_loss(self, carton: Carton) -> None:
        self._account.happened["pinned set not here"] += 1
        own = self._account.began.get(carton.batch) == self.cell
        if own and self._now_us() - self.well_since_us >= SETTLED_US:
            self._account.at_a_loss.add(carton.batch)
