"""A box in virtual time without files: what it holds, what it runs, when it is up and heard.

It stands for the whole agent where millions of batches are judged; `fleet` has the real one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from appliance.bench.rollout.world.agenda import MINUTE_US, SECOND_US, Agenda
from appliance.bench.rollout.world.core import VirtualCore
from appliance.bench.rollout.world.deliveries import Carton
from appliance.bench.rollout.world.network import Network
from appliance.bench.rollout.world.station import VirtualStation
from contracts.errors import UnavailableError
from ota.judging.barrier import to_keep
from ota.judging.goods import Result

POLL_US = 10 * MINUTE_US
_SEND_US = 30 * SECOND_US
_LEAST_DOWN_US, _MOST_DOWN_US = 20 * SECOND_US, 20 * MINUTE_US
_LEAST_FETCH_US, _MOST_FETCH_US = MINUTE_US, 120 * MINUTE_US
_LEAST_LOAD_US, _MOST_LOAD_US = 2 * SECOND_US, 30 * SECOND_US


@dataclass(frozen=True, slots=True)
class Orders:
    """What the hub wants of a box: an assignment in few words."""

    stage: str = ""
    run: Mapping[str, str] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """What a box reports."""

    box: str
    at_us: int
    running: Mapping[str, str]
    staged: frozenset[str]


Hub = Callable[[Said], Orders]


class Box(ABC):
    """A station with its journal's way to the core. What decides which sets are here and run is what
    its children add.
    """

    def __init__(
        self,
        station: VirtualStation,
        *,
        core: VirtualCore,
        network: Network,
        agenda: Agenda,
        draw: Random,
    ) -> None:
        self.name = station.name
        self.station = station
        self.up = True
        self._core, self._network = core, network
        self._agenda, self._draw = agenda, draw
        self._asleep: list[Carton] = []
        self._sending = False
        self._starts = 0

    @abstractmethod
    def begin(self, until_us: int) -> None:
        """Start its work; it ends at that moment."""

    def comes_by(self, carton: Carton) -> None:
        """A carton; while the box is down it stands in front of the camera and waits."""
        if not self.up:
            self._asleep.append(carton)
            return
        self.station.see(carton)
        self._send_soon()

    def crash(self) -> None:
        """Kill -9, or the power: what is not on disk is gone."""
        if not self.up:
            return
        self.up = False
        self._starts += 1
        self.station.crashed()
        self._stopped()
        self._agenda.after(self._draw.randint(_LEAST_DOWN_US, _MOST_DOWN_US), self._start)

    def _stopped(self) -> None:  # noqa: B027 -- a hook; not every box has something to do
        """What a crash takes with it."""

    def _started(self) -> None:  # noqa: B027 -- a hook; not every box has something to do
        """What stands on disk runs again."""

    def _start(self) -> None:
        self.up = True
        self.station.well_since_us = max(self._agenda.now_us, self.station.well_since_us)
        self._started()
        asleep, self._asleep = self._asleep, []
        for carton in asleep:
            self.station.see(carton)
        self._send_soon()

    def _sync(self) -> None:
        """What the core wants of the station, and who judges which batch. Raises
        UnavailableError.
        """
        now_us = self._agenda.now_us
        tasks = self._network.ask(self.name, now_us, lambda: self._core.tasks(self.name))
        pins = self._network.ask(self.name, now_us, lambda: self._core.pins(self.name))
        self.station.follow(tasks, pins)
        self._send_soon()

    def _unreached(self) -> None:
        """The hub was not reached just now."""
        self.station.well_since_us = max(self._agenda.now_us, self.station.well_since_us)

    def _still(self, do: Callable[[], None]) -> Callable[[], None]:
        """`do`, unless the box crashed meanwhile."""
        start = self._starts

        def then() -> None:
            if self.up and start == self._starts:
                do()

        return then

    def _send_soon(self) -> None:
        if not self._sending:
            self._sending = True
            self._agenda.after(_SEND_US, self._send)

    def _send(self) -> None:
        self._sending = False
        batch = self.station.sent()
        if not self.up or not batch:
            return
        try:
            self._network.ask(self.name, self._agenda.now_us, lambda: self._book(batch))
        except UnavailableError:
            self._send_soon()
            return
        self.station.acknowledged(batch[-1][0])
        if self.station.outbox:
            self._send_soon()

    def _book(self, batch: list[tuple[int, Result]]) -> None:
        for number, result in batch:
            self._core.took(result, number, self.name)


class PlainBox(Box):
    """What it holds and runs are values in memory; orders come from a `Conductor`."""

    def __init__(
        self,
        station: VirtualStation,
        *,
        installed: Mapping[str, str],
        hub: Hub,
        core: VirtualCore,
        network: Network,
        agenda: Agenda,
        draw: Random,
        poll_us: int = POLL_US,
    ) -> None:
        super().__init__(station, core=core, network=network, agenda=agenda, draw=draw)
        self._held: set[str] = set(installed.values())
        self._fetching: set[str] = set()
        self._wanted: Mapping[str, str] = dict(installed)
        self._hub, self._poll_us = hub, poll_us
        station.running = dict(installed)
        station.holds = self._held.__contains__

    def begin(self, until_us: int) -> None:
        """Poll from some moment of the first period on."""
        first = self._agenda.now_us + self._draw.randrange(self._poll_us)
        self._agenda.at(
            first, lambda: self._agenda.every(self._poll_us, self._poll, until_us=until_us)
        )

    def _stopped(self) -> None:
        self._fetching.clear()

    def _started(self) -> None:
        self.station.running = {
            use: digest if digest in self._held else self.station.running[use]
            for use, digest in self._wanted.items()
        }

    def _poll(self) -> None:
        if not self.up:
            return
        now_us = self._agenda.now_us
        said = Said(self.name, now_us, dict(self.station.running), frozenset(self._held))
        try:
            orders = self._network.ask(self.name, now_us, lambda: self._hub(said))
            self._obey(orders)
            self._sync()
        except UnavailableError:
            self._unreached()

    def _obey(self, orders: Orders) -> None:
        wanted = {orders.stage, *orders.run.values(), *orders.keep} - {""}
        for digest in wanted - self._held - self._fetching:
            self._fetch(digest)
        self._wanted = {**self._wanted, **orders.run}
        if any(self.station.running.get(use) != digest for use, digest in self._wanted.items()):
            delay_us = self._draw.randint(_LEAST_LOAD_US, _MOST_LOAD_US)
            self._agenda.after(delay_us, self._still(self._switch))
        kept = to_keep(
            {*orders.keep, *self.station.book.sets()},
            running={*self.station.running.values(), *self._wanted.values()},
            staged={orders.stage},
        )
        for digest in self._held - set(kept):
            self._held.discard(digest)

    def _fetch(self, digest: str) -> None:
        self._fetching.add(digest)

        def there() -> None:
            self._fetching.discard(digest)
            self._held.add(digest)

        delay_us = self._draw.randint(_LEAST_FETCH_US, _MOST_FETCH_US)
        self._agenda.after(delay_us, self._still(there))

    def _switch(self) -> None:
        for use, digest in self._wanted.items():
            if digest in self._held:
                self.station.running[use] = digest
