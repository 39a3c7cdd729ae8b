"""The learning loop at the hub: examples in, lines that people look at, runs, proposals (I5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from appliance.config import Config
from appliance.hub.ota import HubOta
from appliance.learning.closing import READ, Closing
from appliance.learning.dataset import Dataset
from appliance.learning.folders import hub_dataset, schedule_of, training_of
from appliance.learning.force import InForce
from appliance.learning.labels.desk import LabelDesk, label_book
from appliance.learning.schedule import Every, next_slot
from appliance.learning.training import Training
from appliance.serving import Serving
from contracts.clock import Clock

_LOOK_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class HubLearning:
    """`queue` is what the page of doubtful lines asks."""

    config: Config
    dataset: Dataset
    training: Training
    queue: LabelDesk

    def serve(self, serving: Serving, ota: HubOta) -> None:
        """Its work beside the dock's; each begins anew by itself where it fails."""
        loop = Closing(
            self.training.candidates,
            ota.registry.registry.catalogue,
            ota.registry,
            ota.rollouts,
            then=self.config.learning.then,
            zone=self.config.site.time_zone,
        )
        serving.side_job("learning", self.training.keep_schedule)
        serving.side_job("doubtful lines", self.queue.run)
        serving.side_job("learned candidates", loop.run)
        force = InForce(self.dataset.folder, ota.registry.registry, lambda: _running(ota))
        serving.side_job("set in force", lambda: _keep(force))


@contextmanager
def open_learning(config: Config, clock: Clock) -> Iterator[HubLearning]:
    """Open until the end."""
    dataset = hub_dataset(config)
    schedule = schedule_of(config)

    def next_run() -> datetime | None:
        planned = schedule.every is not Every.OFF
        return next_slot(schedule, clock.now()) if planned else None

    with closing(label_book(dataset.folder)) as book:
        queue = LabelDesk(dataset, book, clock=clock, next_run=next_run)
        yield HubLearning(config, dataset, training_of(config, dataset, clock), queue)


def _running(ota: HubOta) -> Iterator[str]:
    for box in ota.rollouts.boxes():
        report = box.heard.report
        if report is not None and box.heard.live and READ in report.running:
            yield report.running[READ]


async def _keep(force: InForce) -> None:
    while True:
        await asyncio.to_thread(force.look)
        await asyncio.sleep(_LOOK_EVERY_S)
