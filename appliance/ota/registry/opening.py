"""The site's registry from its configuration, and the hub's work for it: signing again in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from appliance.config import Config
from appliance.layout import Layout
from appliance.ota.keys import HubKeys
from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.golden import LANES, HubGolden
from contracts.clock import Clock
from contracts.errors import TallymanError
from ota.agent import delta
from ota.registry.adapters.bucket import BucketBlobs
from ota.registry.adapters.disk import DiskBlobs, DiskMetadata
from ota.registry.adapters.sqlite import SqliteCatalogue
from ota.registry.artefacts import Artefacts
from ota.registry.decisions import PublishPolicy
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.ports import Blobs, GoldenTest
from ota.registry.registry import Registry
from ota.registry.verifying import Trouble, expiring

_LOOK_EVERY_S = 600.0
log = structlog.get_logger()


@contextmanager
def open_registry(
    config: Config, clock: Clock, *, golden: GoldenTest | None = None
) -> Iterator[RegistryDesk]:
    """The desk over catalogue, artefacts and image plane of the data folder. `golden` judges the
    golden frames with a set that is proposed; None: as `ota.golden` says.

    Works beside a hub that runs, as commands do. Raises ForbiddenError for a key file that others
    can read, BadInputError for an artefact URL that is none.
    """
    layout = Layout(config.data)
    keys = HubKeys(layout.hub_ota / "keys")
    keys.check()
    catalogue = SqliteCatalogue(layout.hub_ota / "registry.db")
    with contextlib.closing(catalogue):
        registry = Registry(
            catalogue,
            Artefacts(_blobs(config, layout)),
            ImagePlane(DiskMetadata(layout.hub_ota / "tuf"), online=keys.online, clock=clock),
            clock=clock,
            policy=PublishPolicy(
                second_person=config.ota.second_person,
                golden_lanes=LANES if config.ota.golden else frozenset(),
            ),
            golden=golden or (HubGolden(clock) if config.ota.golden else None),
            delta=delta.make,
        )
        yield RegistryDesk(registry, keys, clock=clock)


async def keep_signed(
    desk: RegistryDesk, *, clock: Clock, changed: Callable[[], None] = lambda: None
) -> None:
    """A side job: snapshot and timestamp are signed again in time; what people must sign is told in
    the log. `changed` is called when the snapshot's version may be another. Until cancelled.
    """
    told: set[str] = set()
    while True:
        try:
            if await asyncio.to_thread(refresh, desk):
                changed()
            for each in await asyncio.to_thread(warnings, desk, clock):
                if each.where not in told:
                    log.warning(
                        "model set signatures expire", role=each.where, **each.reason.params
                    )
                told.add(each.where)
        except TallymanError as error:
            log.warning("model set signatures cannot be renewed", error=str(error))
        await asyncio.sleep(_LOOK_EVERY_S)


def refresh(desk: RegistryDesk) -> bool:
    """Whether something was signed again."""
    return desk.ready() and desk.registry.plane.refresh()


def warnings(desk: RegistryDesk, clock: Clock) -> list[Trouble]:
    """Signatures that expired or will soon, for pages and the health check."""
    return expiring(desk.registry.plane, now=clock.now()) if desk.ready() else []


def _blobs(config: Config, layout: Layout) -> Blobs:
    if config.ota.artefacts:
        return BucketBlobs(config.ota.artefacts)
    return DiskBlobs(layout.hub_ota / "blobs")
