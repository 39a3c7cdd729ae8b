"""What one race is: goods that stand ready, seven racers with their commands, one hold, and who is
killed. The same seed and number give the same race; only the machine decides who comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from contracts.stock import BatchKey, HoldKind

PROCESSES = 8
STAGED = 6
"""Reservations picked already, one unit each: what the shippers race to bring out."""
RESERVED = 2
"""Reservations not picked yet, one unit each."""
FREE = 10
_GTIN = "06933132577789"
_KILLED_PERCENT = 6
_NO_CAMPAIGN = -1
_KINDS = (
    HoldKind.BATCH,
    HoldKind.BATCH,
    HoldKind.BATCH,
    HoldKind.SUPPLIER,
    HoldKind.LOCATION,
)


@dataclass(frozen=True, slots=True)
class Command:
    """`what` is ship, pick, reserve, receive or hold; `at` which reservation of the race."""

    what: str
    key: str
    at: int = 0
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Race:
    """`racers[0]` holds. `killed` is one of them, or nobody (-1), `killed_after_s` from the start."""

    number: int
    batch: BatchKey
    place: str
    kind: HoldKind
    racers: tuple[tuple[Command, ...], ...]
    starts_s: tuple[float, ...]
    killed: int = -1
    killed_after_s: float = 0.0

    @property
    def received(self) -> int:
        """Units that receipts bring, each exactly once whatever is killed and asked again."""
        return sum(c.quantity for racer in self.racers for c in racer if c.what == "receive")


def race(seed: int, number: int) -> Race:
    """The race of this number."""
    rng = Random(f"{seed}/{number}")  # noqa: S311 -- repeatable, not secret
    name = f"{seed}-{number}"
    batch = BatchKey(f"S{name}", _GTIN, f"R{name}")
    racers = [[Command("hold", f"{name}-hold")]]
    racers += [
        [Command("ship", f"{name}-ship-{at}", at) for at in pair] for pair in ((0, 1), (2, 3), (4,))
    ]
    racers.append(
        [Command("ship", f"{name}-ship-5", 5)]
        + [Command("pick", f"{name}-pick-{at}", at) for at in range(STAGED, STAGED + RESERVED)]
    )
    racers.append(
        [Command("reserve", f"{name}-reserve-{n}", quantity=rng.randint(1, 4)) for n in (0, 1)]
    )
    racers += [
        [Command("receive", f"{name}-receive-{n}-{m}", quantity=2) for m in range(2 - n)]
        for n in (0, 1)
    ]
    killed = rng.randrange(PROCESSES) if rng.randrange(100) < _KILLED_PERCENT else -1
    return Race(
        number=number,
        batch=batch,
        place=f"P{name}",
        kind=rng.choice(_KINDS),
        racers=tuple(tuple(commands) for commands in racers),
        starts_s=tuple(rng.choice((0.0, 0.0, rng.random() * 0.006)) for _ in racers),
        killed=killed,
        killed_after_s=rng.random() * 0.012,
    )


def races(seed: int, numbers: Sequence[int]) -> list[Race]:
    """Several races."""
    return [race(seed, number) for number in numbers]


def rehearsal() -> list[Race]:
    """A race for each kind of hold, that no campaign runs: nobody is killed and nothing is counted."""
    named = (race(_NO_CAMPAIGN, number) for number in range(len(HoldKind)))
    return [
        replace(each, kind=kind, killed=-1)
        for each, kind in zip(named, dict.fromkeys(_KINDS), strict=False)
    ]
