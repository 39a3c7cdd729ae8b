"""One message after the other: what it means, whether it is new, what the rules say.

The hot loop of the whole gateway, written flat: a call or an attribute more costs a tenth of its
time. Kept apart from files and sockets, so that a restart goes through the same lines.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from telemetry.describing.binding import Binding, Measured, Refused
from telemetry.describing.catalogue import Catalogue
from telemetry.ingest.counts import Counts
from telemetry.ingest.identity import Memory, Steps, thin_out
from telemetry.ports import Engine
from telemetry.segments.groups import Message, Quarantined

_log = logging.getLogger(__name__)
_MOST_ADDRESSES = 200_000


class Known:
    """One address: its binding, and what is remembered of its device."""

    __slots__ = ("ahead_us", "behind_us", "binding", "decode", "memory", "series", "several")

    def __init__(self, binding: Binding, memory: Memory) -> None:
        self.binding = binding
        self.memory = memory
        self.decode = binding.decode
        self.series = binding.series
        self.several = binding.several is not None
        self.behind_us = binding.behind_us
        self.ahead_us = binding.ahead_us


class Sieve:
    """Catalogue and rules over a stream of groups. Not thread-safe: one stream, one caller."""

    def __init__(self, catalogue: Catalogue, engine: Engine, counts: Counts) -> None:
        self._catalogue = catalogue
        self._engine = engine
        self._counts = counts
        self._known: dict[str, Known] = {}
        self._memories: dict[tuple[object, ...], Memory] = {}
        self._steps = Steps()

    @property
    def version(self) -> str:
        return self._catalogue.version

    def exchange(self, catalogue: Catalogue) -> None:
        """Another catalogue from the next message on; what is known of devices stays."""
        self._catalogue = catalogue
        self._known.clear()

    def sift(  # noqa: C901, PLR0912, PLR0915 -- flat: the hot loop
        self, messages: Sequence[Message], received_us: int, *, again: bool = False
    ) -> tuple[list[Message], list[Quarantined]]:
        """(what is new and understood, what is not understood); the rules have seen the first.

        `again`: read back from segments, so everything is new. A message that is known already is
        in neither list, only counted.
        """
        fresh: list[Message] = []
        refused: list[Quarantined] = []
        keep = fresh.append
        known = self._known
        engine = self._engine
        latest, latest_us, watch = engine.latest, engine.latest_us, engine.watch
        duplicates = 0
        for message in messages:
            address, payload = message
            try:
                device = known.get(address) or self._meet(address)
                if device.several:
                    if self._sift_several(device, payload, received_us, again=again):
                        keep(message)
                    else:
                        duplicates += 1
                    continue
                measured = device.decode(payload)
                at_us, sequence, values = measured
                mark = 0
                memory = device.memory
                if sequence is not None or at_us is not None:
                    mark = hash(measured)
                    if (mark in memory.recent or mark in memory.older) and not again:
                        duplicates += 1
                        continue
                if at_us is None:
                    at_us = received_us
                elif not received_us - device.behind_us <= at_us <= received_us + device.ahead_us:
                    at_us = device.binding.clock_off(at_us, received_us)
            except Exception as error:  # noqa: BLE001 -- a template's fault must not stop the others
                refused.append(_set_aside(address, payload, error))
                continue
            if mark:
                memory.recent.add(mark)
                if sequence is not None:
                    if sequence == memory.expected:
                        memory.expected = sequence + 1
                    else:
                        self._steps.jumped(memory, sequence)
            try:
                for number, value in zip(device.series, values, strict=False):
                    if value is not None:
                        if at_us >= latest_us[number]:
                            latest[number] = value
                            latest_us[number] = at_us
                        watcher = watch[number]
                        if not watcher.low <= value <= watcher.high:
                            watcher.see(at_us, value)
            except Exception:  # noqa: BLE001 -- one fence's fault must not cost a reading
                self._rules_failed(address)
            keep(message)
        self._counts.duplicates += duplicates
        return fresh, refused

    def remember(self, messages: Sequence[Message]) -> None:
        """Messages from before the point the rules start from: known again, nothing else."""
        for address, payload in messages:
            try:
                device = self._known.get(address) or self._meet(address)
                every = device.binding.measured(payload)
            except Exception:  # noqa: BLE001, S112 -- another template by now: it is not known then
                continue
            mark = _mark(every) if device.several else hash(every[0])
            self._note(device.memory, every, mark)

    def tidy(self, most: int) -> int:
        """Once a second: bounds the memory of identities to about `most`; how many are left."""
        if len(self._known) > _MOST_ADDRESSES:
            self._known.clear()
        self._counts.sequence_gaps = self._steps.gaps
        self._counts.sequence_restarts = self._steps.restarts
        return thin_out(self._memories.values(), most)

    def _meet(self, address: str) -> Known:
        binding = self._catalogue.bind(address)
        if len(self._catalogue.series) > len(self._engine.latest):
            self._engine.extend()
        series = () if binding.several is not None else binding.series
        memory = self._memories.setdefault((binding.device, binding.template, series), Memory())
        known = self._known[address] = Known(binding, memory)
        return known

    def _sift_several(
        self, device: Known, payload: bytes, received_us: int, *, again: bool
    ) -> bool:
        """A payload of several moments is one message: taken whole. False: known already."""
        binding = device.binding
        every = binding.measured(payload)
        mark = _mark(every)
        if mark and device.memory.knows(mark) and not again:
            return False
        times = [binding.time_of(at_us, received_us) for at_us, _, _ in every]
        self._note(device.memory, every, mark)
        if len(self._catalogue.series) > len(self._engine.latest):
            self._engine.extend()
        try:
            for at_us, (_, _, values) in zip(times, every, strict=True):
                for number, value in zip(binding.series, values, strict=False):
                    if value is not None:
                        self._rule(number, at_us, value)
        except Exception:  # noqa: BLE001 -- one fence's fault must not cost a reading
            self._rules_failed(binding.device)
        return True

    def _rule(self, number: int, at_us: int, value: float) -> None:
        engine = self._engine
        if at_us >= engine.latest_us[number]:
            engine.latest[number] = value
            engine.latest_us[number] = at_us
        watcher = engine.watch[number]
        if not watcher.low <= value <= watcher.high:
            watcher.see(at_us, value)

    def _note(self, memory: Memory, every: Sequence[Measured], mark: int) -> None:
        if mark and any(at is not None or number is not None for at, number, _ in every):
            memory.recent.add(mark)
        for _, sequence, _ in every:
            if sequence is not None:
                if sequence == memory.expected:
                    memory.expected = sequence + 1
                else:
                    self._steps.jumped(memory, sequence)

    def _rules_failed(self, where: str) -> None:
        self._counts.rule_errors += 1
        _log.exception("The rules failed on a reading of %s; it is stored", where)


def _mark(every: Sequence[Measured]) -> int:
    """Of a payload with several readings; 0 where none of them has an identity."""
    if all(at is None and number is None for at, number, _ in every):
        return 0
    return hash(tuple(every))


def _set_aside(address: str, payload: bytes, error: Exception) -> Quarantined:
    if isinstance(error, Refused):
        return Quarantined(address, payload, error.code, error.detail)
    _log.warning("A template failed on %s: %r", address, error)
    return Quarantined(address, payload, "template_failed", f"{type(error).__name__}: {error}")
