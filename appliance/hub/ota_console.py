"""The console of updates at the hub: its parts over the desks of sets, rollouts and devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache

import structlog

from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.hub.ota import HubOta
from appliance.identity.registry import DeviceRegistry
from appliance.layout import Layout
from appliance.ota.console.acceptance import AcceptanceConsole
from appliance.ota.console.curves import Curves
from appliance.ota.console.fleet import FleetConsole
from appliance.ota.console.rollouts import RolloutConsole
from appliance.ota.console.sets import SetConsole
from appliance.paths import SETS, models_root
from contracts.clock import Clock
from contracts.errors import ArtefactRefusedError, UnavailableError
from erp_link.service.core import Core
from ota.model_set import ModelSet, open_model_set

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Updates:
    """What the pages of updates stand on."""

    fleet: FleetConsole
    rollouts: RolloutConsole
    sets: SetConsole
    acceptance: AcceptanceConsole


@contextmanager
def open_updates(
    config: Config,
    ota: HubOta,
    core: Core,
    devices: DeviceRegistry,
    evidence: EvidenceStore,
    clock: Clock,
) -> Iterator[Updates]:
    """Open until the end."""
    with closing(Curves(Layout(config.data).hub_ota / "curves.db")) as curves:
        desk = ota.rollouts
        yield Updates(
            FleetConsole(desk, ota.registry.registry, devices, installed=_installed, clock=clock),
            RolloutConsole(desk, curves, clock=clock, second_person=config.ota.second_person),
            SetConsole(ota.registry, clock=clock),
            AcceptanceConsole(core, clock, evidence.has),
        )


@cache
def _installed() -> tuple[ModelSet, ...]:
    """The sets that came with this installation; their files do not change while it runs."""
    found: list[ModelSet] = []
    try:
        folders = [each for name in SETS.values() for each in (models_root() / name).iterdir()]
    except (OSError, UnavailableError) as error:
        log.warning("no model sets came with this installation", error=str(error))
        return ()
    for folder in sorted(folders):
        if folder.is_dir():
            try:
                found.append(open_model_set(folder))
            except ArtefactRefusedError as error:
                log.warning("a model set does not hold", folder=str(folder), error=str(error))
    return tuple(found)
