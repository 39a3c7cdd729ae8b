"""What each message means, whether it is new, what the rules say.

Many messages are taken together where they are all as expected (`sifting.together`); the others one
after the other, in a loop written flat: a call or an attribute more costs a tenth of its time. Kept
apart from files and sockets, so that a restart goes through the same lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from telemetry.describing.binding import Binding, Measured, Refused
from telemetry.describing.catalogue import Catalogue
from telemetry.ingest.counts import Counts
from telemetry.ingest.identity import HORIZON_S, Memory, Steps, mark_of
from telemetry.ingest.judging import judge_of
from telemetry.ingest.sifting.ledger import Ledger, thin_out
from telemetry.ingest.sifting.together import ALONE, Together
from telemetry.ports import Engine
from telemetry.segments.groups import Message, Quarantined

_log = logging.getLogger(__name__)
_MOST_ADDRESSES = 200_000
_LONGEST_ADDRESS = 1_000
_RECENT_US = 60_000_000
_WORTH = 128
"""So many messages at once cost less together than one after the other."""
_AGAIN_S = 10.0


class Known:
    """One address: its binding, and what is remembered of its device."""

    __slots__ = ("binding", "decode", "judge", "memory", "place", "plain", "row", "series")

    def __init__(self, binding: Binding, memory: Memory, engine: Engine) -> None:
        self.binding = binding
        self.memory = memory
        self.row = memory.row
        self.place = ALONE
        self.judge = judge_of(engine, binding.series)
        self.decode = binding.decode
        self.series = binding.series
        self.plain = (
            binding.several is None and binding.behind_us >= _RECENT_US and binding.ahead_us >= 0
        )
        """One reading a message, and a time of the last minute is always right."""


class Addresses(dict[str, Known]):
    """Addresses met so far; one not met before is bound, or refused."""

    def __init__(self, meet: Callable[[str], Known]) -> None:
        super().__init__()
        self._meet = meet

    def __missing__(self, address: str) -> Known:
        known = self[address] = self._meet(address)
        return known


class Sieve:
    """Catalogue and rules over a stream of groups. Not thread-safe: one stream, one caller."""

    def __init__(
        self, catalogue: Catalogue, engine: Engine, counts: Counts, *, worth: int = _WORTH
    ) -> None:
        """`worth`: from so many messages on they are looked at together."""
        self._worth = worth
        self._catalogue = catalogue
        self._engine = engine
        self._counts = counts
        self._known = Addresses(self._meet)
        self._ledger = Ledger()
        self._together = Together(self._ledger, engine, _RECENT_US, self._place)
        self._memories: dict[tuple[object, ...], Memory] = {}
        self._steps = Steps()
        self._old_at_s = self._again_at_s = 0.0
        self._templates_failed = 0

    @property
    def version(self) -> str:
        return self._catalogue.version

    def exchange(self, catalogue: Catalogue) -> None:
        """Another catalogue from the next message on; what is known of devices stays."""
        self._catalogue = catalogue
        self._forget_addresses()

    def sift(
        self, messages: Sequence[Message], received_us: int, *, again: bool = False
    ) -> tuple[Sequence[Message], list[Quarantined]]:
        """(what is new and understood, what is not understood); the rules have seen the first.

        `again`: read back from segments, so everything is new. A message that is known already is
        in neither list, only counted.
        """
        if len(messages) < self._worth:
            dropped, refused = self._one_by_one(messages, received_us, again=again)
        else:
            left, unread = self._together.take(messages, received_us)
            if not left.any():
                return messages, []
            which = np.flatnonzero(left).tolist()
            some = messages if len(which) == len(messages) else [messages[n] for n in which]
            places, refused = self._one_by_one(some, received_us, again=again)
            dropped = [which[n] for n in places]
            if unread.any():
                self._leave(messages[n] for n in np.flatnonzero(unread).tolist())
        if not dropped:
            return messages, refused
        gone = set(dropped)
        return [each for n, each in enumerate(messages) if n not in gone], refused

    def _one_by_one(  # noqa: C901 -- flat: the hot loop
        self, messages: Sequence[Message], received_us: int, *, again: bool
    ) -> tuple[list[int], list[Quarantined]]:
        """(places of those that are not new or not understood, the latter)."""
        dropped: list[int] = []
        refused: list[Quarantined] = []
        known = self._known
        due, newest_us = self._ledger.due, self._ledger.newest_us
        recent_us = received_us - _RECENT_US
        for place, (address, payload) in enumerate(messages):
            try:
                device = known[address]
                if not device.plain:
                    if not self._sift_other(device, payload, received_us, again=again):
                        dropped.append(place)
                    continue
                measured = device.decode(payload)
                at_us, sequence, values = measured
                row = device.row
                if sequence is not None and sequence == due[row]:
                    if at_us is None:
                        at_us = received_us
                    elif not recent_us <= at_us <= received_us:
                        at_us = device.binding.time_of(at_us, received_us)
                    due[row] = sequence + 1
                    device.memory.marks.append(hash(measured))
                elif at_us is None and sequence is None:
                    at_us = received_us
                else:
                    timed = at_us is not None
                    mark = mark_of(measured, numbered=sequence is not None)
                    new = device.memory.admit(sequence, mark, self._steps, timed=timed)
                    if not new and not again:
                        self._counts.duplicates += 1
                        dropped.append(place)
                        continue
                    at_us = device.binding.time_of(at_us, received_us)
            except Exception as error:  # noqa: BLE001 -- a template's fault must not stop the others
                refused.append(self._set_aside(address, payload, error))
                dropped.append(place)
                continue
            try:
                if at_us < newest_us[row]:
                    self._come_late(device.series, values, at_us)
                    continue
                newest_us[row] = at_us
                device.judge(values, at_us)
            except Exception:  # noqa: BLE001 -- one fence's fault must not cost a reading
                self._rules_failed(address)
        return dropped, refused

    def remember(self, messages: Sequence[Message]) -> None:
        """Messages from before the point the rules start from: known again, nothing else."""
        known = self._known
        every: Sequence[Measured]
        for address, payload in messages:
            try:
                device = known[address]
                memory = device.memory
                if device.plain:
                    measured = device.decode(payload)
                    if measured[1] is not None and measured[1] == memory.due:
                        memory.due += 1
                        memory.marks.append(hash(measured))
                        continue
                    every = (measured,)
                else:
                    every = device.binding.measured(payload)
            except Exception:  # noqa: BLE001, S112 -- another template by now: it is not known then
                continue
            self._admit(memory, every)

    def tidy(self, most: int, now_s: float) -> int:
        """Once a second, `now_s` on any steady clock: bounds the memory of identities to about
        `most`; how many are left.
        """
        self._ledger.sort_in()
        if now_s >= self._old_at_s:
            for memory in self._memories.values():
                memory.grow_old()
            self._old_at_s = now_s + HORIZON_S
        if now_s >= self._again_at_s:
            self._together.try_again()
            self._again_at_s = now_s + _AGAIN_S
        if len(self._known) > _MOST_ADDRESSES:
            self._forget_addresses()
        self._counts.sequence_gaps = self._steps.gaps
        self._counts.sequence_restarts = self._steps.restarts
        return thin_out(self._memories.values(), most)

    def turn_back(self, now_us: int) -> None:
        """The machine's clock was set back: nothing was measured later than now."""
        self._ledger.turn_back(now_us)

    def _meet(self, address: str) -> Known:
        if len(address) > _LONGEST_ADDRESS:
            # Nothing keeps it: addresses that nobody described are remembered by the ten thousand.
            raise Refused("unknown_address", f"{address[:80]!r}... of {len(address)} signs")
        binding = self._catalogue.bind(address)
        self._extend()
        series = () if binding.several is not None else binding.series
        key = (binding.device, binding.template, series)
        memory = self._memories.get(key)
        if memory is None:
            times = self._engine.latest_us
            newest_us = max((times[number] for number in binding.series), default=0)
            memory = self._memories[key] = self._ledger.open(newest_us)
        known = Known(binding, memory, self._engine)
        if known.plain:
            known.place = self._together.place(binding, known.row)
        return known

    def _place(self, address: str) -> int | None:
        try:
            return self._known[address].place
        except Exception:  # noqa: BLE001 -- whoever looks at its message alone says what is wrong
            return None

    def _forget_addresses(self) -> None:
        self._known.clear()
        self._together.clear()

    def _leave(self, messages: Iterable[Message]) -> None:
        """Find who was at fault that these could not be read together."""
        for address, payload in messages:
            try:
                _, sequence, _ = self._known[address].decode(payload)
                plain = payload[:1] == b"{" and payload[-1:] == b"}"
            except Exception:  # noqa: BLE001 -- it was set aside with its reason before
                plain, sequence = False, None
            if not plain or sequence is None:
                self._together.leave(address)

    def _extend(self) -> None:
        if len(self._catalogue.series) > len(self._engine.latest):
            self._engine.extend()

    def _sift_other(self, device: Known, payload: bytes, received_us: int, *, again: bool) -> bool:
        """A payload of several moments is one message: taken whole. False: known already."""
        binding, memory, newest_us = device.binding, device.memory, self._ledger.newest_us
        every = binding.measured(payload)
        times = binding.times_of(every, received_us)
        if not self._admit(memory, every) and not again:
            self._counts.duplicates += 1
            return False
        self._extend()
        try:
            for at_us, (_, _, values) in zip(times, every, strict=True):
                self._come_late(binding.series, values, at_us)
                newest_us[device.row] = max(newest_us[device.row], at_us)
        except Exception:  # noqa: BLE001 -- one fence's fault must not cost a reading
            self._rules_failed(binding.device)
        return True

    def _come_late(self, series: Sequence[int], values: Sequence[float | None], at_us: int) -> None:
        """The rules on values that may be older than the newest of their series."""
        engine = self._engine
        for number, value in zip(series, values, strict=False):
            if value is not None:
                if at_us >= engine.latest_us[number]:
                    engine.latest[number] = value
                    engine.latest_us[number] = at_us
                watcher = engine.watch[number]
                if not watcher.low <= value <= watcher.high:
                    watcher.see(at_us, value)

    def _admit(self, memory: Memory, every: Sequence[Measured]) -> bool:
        """Whether a payload is new, by all of its readings together. The last one's sequence is the
        message's: some loggers number their records, others the message.
        """
        if not every:
            return True
        at_us, sequence, _ = every[-1]
        if at_us is None and sequence is None:
            return True
        said = every[0] if len(every) == 1 else tuple(every)
        mark = mark_of(said, numbered=sequence is not None)
        return memory.admit(sequence, mark, self._steps, timed=at_us is not None)

    def _rules_failed(self, where: str) -> None:
        self._counts.rule_errors += 1
        if _worth_a_line(self._counts.rule_errors):
            _log.exception("The rules failed on a reading of %s; it is stored", where)

    def _set_aside(self, address: str, payload: bytes, error: Exception) -> Quarantined:
        if isinstance(error, Refused):
            return Quarantined(address, payload, error.code, error.detail)
        self._templates_failed += 1
        if _worth_a_line(self._templates_failed):
            _log.warning("A template failed on %s: %r", address, error)
        detail = f"{type(error).__name__}: {error}"
        return Quarantined(address, payload, "template_failed", detail)


def _worth_a_line(times: int) -> bool:
    """The first, second, fourth, eighth...: a log of a line a reading would fill the disk."""
    return not times & times - 1
