"""What one address means once its template and its device are known: bytes in, values out.

A decode is a pure function of the payload, so that the tailer, which decodes the kept bytes again,
comes to the same values. What cannot be taken is refused whole, with a code that a page can show:
never half a message, never a guess (I7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

Measured = tuple[int | None, int | None, tuple[float | None, ...]]
"""(microseconds since 1970 of the sensor's own clock, sequence, values in the order of
`Binding.series`); None where the payload does not say."""

Columns = tuple[Sequence[int | None] | None, Sequence[int | None], Sequence[Sequence[float | None]]]
"""Many Measured at once: their times (None where the template reads none), their sequences, and the
values of each series; all in the order of the payloads."""

DAY_US: Final = 86_400_000_000
BEHIND_US: Final = 366 * DAY_US
"""A logger that was away may tell of last year, never of 1970."""
AHEAD_US: Final = 300_000_000
_RELATIVE_US: Final = 2**28 * 1_000_000


class Refused(ValueError):  # noqa: N818 -- the trade's word: a payload is refused
    """Why a payload goes to the quarantine.

    `code` is a key of the catalogue (`refused.<code>`), `detail` says what and where, in English,
    for the one who has the bytes before them.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Binding:
    """One address, decoded.

    `decode` gives one Measured and raises Refused. Where `several` is not None, one payload may
    hold readings of several moments (a logger's memory, SenML, a list in JSON): call it instead.
    Read `series` after the call: a template with open channels (Cayenne LPP, SenML) appends what it
    had not met before, and never changes the order of what it had.
    """

    device: str
    template: str
    series: tuple[int, ...]
    decode: Callable[[bytes], Measured]
    several: Callable[[bytes], Sequence[Measured]] | None = None
    together: Callable[[Sequence[bytes]], Columns] | None = None
    """What `decode` gives, of many payloads in one call, for half the time: the same object for all
    devices that one template reads alike. Raises, whatever it may be, where one payload is refused or
    is not plain; then ask `decode` of each.
    """
    behind_us: int = BEHIND_US
    ahead_us: int = AHEAD_US
    wrong_clock_refused: bool = False
    wrong_clock_shifted: bool = False
    """A logger whose clock is off tells its distances right: what it is off by is learned anew from
    each message, so that the same bytes give the same times whoever reads them again.
    """
    relative_clock: bool = False
    """SenML: times below 2**28 s count from when the message came in (RFC 8428, 4.5.3)."""
    wrong_clocks: int = 0
    """Messages whose own time could not be right, since this binding was made."""
    clocks: dict[str, int] = field(default_factory=dict)
    """The same by device, for all bindings of a catalogue and those after it."""

    def measured(self, payload: bytes) -> Sequence[Measured]:
        """All readings of a payload, whichever way it is decoded. Raises Refused."""
        return (self.decode(payload),) if self.several is None else self.several(payload)

    def time_of(self, at_us: int | None, received_us: int) -> int:
        """The time a reading counts for: its own where that can be right, else when it came in.

        The hot loop writes the two comparisons out and calls `clock_off` alone.
        """
        if at_us is None:
            return received_us
        if received_us - self.behind_us <= at_us <= received_us + self.ahead_us:
            return at_us
        return self.clock_off(at_us, received_us)

    def times_of(self, every: Sequence[Measured], received_us: int) -> list[int]:
        """The times that the readings of one message count for. Raises Refused."""
        if self.wrong_clock_shifted and not self.relative_clock:
            newest = max((at_us for at_us, _, _ in every if at_us is not None), default=None)
            if newest is not None and self.time_of(newest, received_us) != newest:
                off = received_us - newest
                return [received_us if at_us is None else at_us + off for at_us, _, _ in every]
        return [self.time_of(at_us, received_us) for at_us, _, _ in every]

    def clock_off(self, at_us: int, received_us: int) -> int:
        """A clock of 1970 or 2099: counted, and the time of arrival taken in its place; refused
        where the template says so (`wrong_clock = "refuse"`).
        """
        if self.relative_clock and abs(at_us) < _RELATIVE_US:
            return received_us + at_us
        self.wrong_clocks += 1
        self.clocks[self.device] = self.clocks.get(self.device, 0) + 1
        if self.wrong_clock_refused:
            raise Refused("wrong_clock", f"the sensor says {at_us} us, it came in at {received_us}")
        return received_us
