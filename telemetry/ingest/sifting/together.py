"""Many messages at once, where they say what most messages say: the next number, a time that can be
right, values at which no fence does anything. Then all that is to be done is to put them down.

This is the gateway's hot loop: one call into C for a step of hundreds of messages, where a loop would
take a dozen steps for each. It decides nothing by itself. Whatever is not as above is left, with all
other messages of its device, for the loop that knows every case, and both come to the same: the
messages of a device stay in their order, and what asks for other devices' values is never taken here
(its band is never quiet). `tests/telemetry/ingest/test_together.py` holds the two together.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from telemetry.describing.binding import Binding, Columns
from telemetry.ingest.sifting.ledger import Ledger, Numbers
from telemetry.ports import Engine
from telemetry.segments.groups import Message

ALONE: Final = -1
"""Place of an address whose messages are always left."""
_SHIFT: Final = 32
_MOST_KINDS: Final = 16
"""Of so many sorts in one buffer each would have too few messages to be worth a call."""

Truths = npt.NDArray[np.bool_]


class Read(NamedTuple):
    """Messages of one kind, in the order in which they came: one element a message."""

    devices: Numbers
    """Rows of the ledger."""
    at_us: Numbers
    sequences: Numbers
    values: npt.NDArray[np.float64]
    """Shape (messages, series); NaN where a message does not say."""
    series: Numbers
    """The same shape: numbers of the series."""
    marks: Numbers
    whole: bool
    """Each message says all values."""


class Kind:
    """Addresses whose payloads one call reads: their devices and series side by side."""

    def __init__(self, together: Callable[[Sequence[bytes]], Columns], width: int) -> None:
        self._together = together
        self._width = width
        self._devices: array[int] = array("q")
        self._series: array[int] = array("q")

    def add(self, device: int, series: Sequence[int]) -> int:
        """The place of one address more."""
        self._devices.append(device)
        self._series.extend(series)
        return len(self._devices) - 1

    def read(self, places: Numbers, payloads: Sequence[bytes], received_us: int) -> Read:
        """Raises what decoding raises, and ValueError or TypeError for what must be left."""
        times, sequences, columns = self._together(payloads)
        if len(columns) != self._width:
            raise ValueError(f"{len(columns)} values for {self._width} series")
        known = repeat(None, len(payloads)) if times is None else times
        said = zip(known, sequences, zip(*columns, strict=True), strict=True)
        marks = np.fromiter(map(hash, said), np.int64, len(payloads))
        if times is None:
            at_us = np.full(len(payloads), received_us, np.int64)
        else:
            at_us = np.array(times, np.int64)
        values = np.array(columns, np.float64).T  # None becomes NaN
        series = np.frombuffer(self._series, np.int64).reshape(-1, self._width)
        devices = np.frombuffer(self._devices, np.int64)
        return Read(
            devices[places],
            at_us,
            np.array(sequences, np.int64),
            values,
            series[places],
            marks,
            whole=not np.isnan(values).any(),
        )


class Together:
    """Kinds of addresses met so far. Same caller as the sieve."""

    def __init__(
        self, ledger: Ledger, engine: Engine, recent_us: int, meet: Callable[[str], int | None]
    ) -> None:
        """`recent_us`: so old a time of a reading may always be. `meet` gives the place of an address
        not met before; None where nobody knows it.
        """
        self._ledger, self._engine, self._recent_us = ledger, engine, recent_us
        self._kinds: list[Kind] = []
        self._of: dict[object, int] = {}
        self.places = _Places(meet)
        self._alone: list[str] = []

    def place(self, binding: Binding, device: int) -> int:
        """Where the messages of a binding are read together; `ALONE` where they cannot be."""
        if binding.together is None or not binding.series:
            return ALONE
        key = (binding.together, len(binding.series))
        number = self._of.get(key)
        if number is None:
            number = self._of[key] = len(self._kinds)
            self._kinds.append(Kind(*key))
        return number << _SHIFT | self._kinds[number].add(device, binding.series)

    def clear(self) -> None:
        """Another catalogue: every address is met anew."""
        self._kinds.clear()
        self._of.clear()
        self.places.clear()
        self._alone.clear()

    def leave(self, address: str) -> None:
        """What came from there cannot be read with others: one bad payload costs all of its kind a
        second reading, so it is left for a while.
        """
        if self.places.get(address, ALONE) != ALONE:
            self.places[address] = ALONE
            self._alone.append(address)

    def try_again(self) -> None:
        """Every few seconds: whoever was left may have come to reason."""
        for address in self._alone:
            self.places.pop(address, None)
        self._alone.clear()

    def take(self, messages: Sequence[Message], received_us: int) -> tuple[Truths, Truths]:
        """(which messages are left, which of those are left because their kind could not be read);
        all others are put down.
        """
        addresses, payloads = zip(*messages, strict=True)
        places = np.fromiter(map(self.places.__getitem__, addresses), np.int64, len(messages))
        left = places < 0
        unread = np.zeros(len(messages), np.bool_)
        for kind, which in self._kinds_in(places, left):
            some = (
                payloads if len(which) == len(payloads) else [payloads[n] for n in which.tolist()]
            )
            try:
                read = kind.read(places[which] & (1 << _SHIFT) - 1, some, received_us)
            except Exception:  # noqa: BLE001 -- who is at fault is found where each is read alone
                left[which] = unread[which] = True
                continue
            left[which] = self._put_down(read, received_us)
        return left, unread

    def _kinds_in(self, places: Numbers, left: Truths) -> Iterator[tuple[Kind, Numbers]]:
        numbers = places >> _SHIFT
        first = int(numbers[0])
        if first >= 0 and (numbers == first).all():
            yield self._kinds[first], np.arange(len(places))
            return
        found = [number for number in np.unique(numbers).tolist() if number >= 0]
        for number in found[:_MOST_KINDS]:
            yield self._kinds[number], np.flatnonzero(numbers == number)
        for number in found[_MOST_KINDS:]:
            left[numbers == number] = True

    def _put_down(self, read: Read, received_us: int) -> Truths:
        """Which of these messages are left."""
        ledger = self._ledger
        due = np.frombuffer(ledger.due, np.int64)
        newest_us = np.frombuffer(ledger.newest_us, np.int64)
        # By device, and each device's in their order.
        order = np.argsort(read.devices, kind="stable")
        devices, sequences, at_us = read.devices[order], read.sequences[order], read.at_us[order]
        first = np.empty(len(order), np.bool_)
        first[0] = True
        np.not_equal(devices[1:], devices[:-1], out=first[1:])
        starts = np.flatnonzero(first)
        opening = devices[starts]
        # What each device's number and time must be, from the message before it.
        wanted, before_us = np.empty_like(sequences), np.empty_like(at_us)
        np.add(sequences[:-1], 1, out=wanted[1:])
        wanted[starts] = due[opening]
        before_us[1:] = at_us[:-1]
        before_us[starts] = newest_us[opening]
        odd = (sequences != wanted) | (at_us < before_us)
        unlike = self._loud(read)
        unlike |= (read.at_us < received_us - self._recent_us) | (read.at_us > received_us)
        odd |= unlike[order]

        ends = np.append(starts[1:], len(order)) - 1
        left = np.zeros(len(order), np.bool_)
        rest: slice | Truths = slice(None)
        if odd.any():
            devices_left = np.bitwise_or.reduceat(odd, starts)
            left[order] = np.repeat(devices_left, ends - starts + 1)
            ends, rest = ends[~devices_left], ~left
        if len(ends):
            closing = devices[ends]
            due[closing] = sequences[ends] + 1
            newest_us[closing] = at_us[ends]
            self._newest(read, order[ends], rest)
            ledger.put_down(read.devices[rest], read.marks[rest])
        return left

    def _loud(self, read: Read) -> Truths:
        """Messages of which a value is outside of its quiet band."""
        low = np.frombuffer(self._engine.quiet_low)[read.series]
        high = np.frombuffer(self._engine.quiet_high)[read.series]
        quiet = (low <= read.values) & (read.values <= high)
        if not read.whole:
            quiet |= np.isnan(read.values)
        return np.logical_not(quiet.all(axis=1))

    def _newest(self, read: Read, ends: Numbers, rest: slice | Truths) -> None:
        """`ends`: the last message of each device; `rest`: all that are taken."""
        latest = np.frombuffer(self._engine.latest)
        latest_us = np.frombuffer(self._engine.latest_us, np.int64)
        if read.whole:
            which = read.series[ends]
            latest[which] = read.values[ends]
            latest_us[which] = read.at_us[ends, np.newaxis]
            return
        # Each value of a device may be in another message; in their order, so that the last one stays.
        values = read.values[rest]
        spoken = ~np.isnan(values)
        which = read.series[rest][spoken]
        latest[which] = values[spoken]
        at_us = np.broadcast_to(read.at_us[rest, np.newaxis], spoken.shape)
        latest_us[which] = at_us[spoken]


class _Places(dict[str, int]):
    """Where each address is; one not met before is looked up, and remembered unless nobody knows it."""

    def __init__(self, meet: Callable[[str], int | None]) -> None:
        super().__init__()
        self._meet = meet

    def __missing__(self, address: str) -> int:
        place = self._meet(address)
        if place is None:
            return ALONE
        self[address] = place
        return place
