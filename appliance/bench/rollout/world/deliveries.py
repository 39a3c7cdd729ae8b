"""Made-up goods: batches, their cartons, and at which station each carton comes by, drawn by a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from appliance.bench.rollout.world.agenda import HOUR_US, MINUTE_US
from contracts.stock import BatchKey

_GTIN = "06933132577789"
_SUPPLIERS = 7


@dataclass(frozen=True, slots=True)
class Carton:
    """One carton that comes by `station` at a moment. `bad`: what a careful person would say."""

    carton_id: str
    batch: BatchKey
    station: str
    at_us: int
    bad: bool


@dataclass(frozen=True, slots=True)
class Habits:
    """How goods come. Shares are of batches; a batch stays within its cell but for `elsewhere`."""

    most_cartons: int = 8
    shared: float = 0.5
    """Batches that come by more than one station of their cell."""
    elsewhere: float = 0.02
    """Batches of which a part comes by another cell."""
    bad: float = 0.03
    """Cartons that are really bad."""
    shortest_us: int = 5 * MINUTE_US
    longest_us: int = 48 * HOUR_US
    """From a batch's first carton to its last."""


def cartons(
    draw: Random,
    cells: Mapping[str, Sequence[str]],
    *,
    batches: int,
    begin_us: int,
    end_us: int,
    habits: Habits | None = None,
) -> Iterator[Carton]:
    """The cartons of `batches` batches, batch by batch and not by time; all within the time."""
    habits = habits or Habits()
    names = sorted(cells)
    for number in range(batches):
        batch = BatchKey(f"supplier-{number % _SUPPLIERS}", _GTIN, f"L{number:07d}")
        home = draw.choice(names)
        stations = _stations(draw, cells, home, habits)
        first = draw.randrange(begin_us, end_us)
        # Short and long deliveries of every length: as many within an hour as over days.
        longest = habits.longest_us / habits.shortest_us
        length = int(habits.shortest_us * longest ** draw.random())
        last = min(end_us, first + length)
        for carton in range(draw.randint(1, habits.most_cartons)):
            yield Carton(
                f"C{number:07d}-{carton}",
                batch,
                draw.choice(stations),
                first if carton == 0 else draw.randint(first, last),
                draw.random() < habits.bad,
            )


def _stations(
    draw: Random, cells: Mapping[str, Sequence[str]], home: str, habits: Habits
) -> list[str]:
    own = list(cells[home])
    if draw.random() >= habits.shared:
        return [draw.choice(own)]
    stations = draw.sample(own, min(len(own), draw.randint(2, 4)))
    if draw.random() < habits.elsewhere and len(cells) > 1:
        other = draw.choice([name for name in cells if name != home])
        stations.append(draw.choice(cells[other]))
    return stations
