"""Which eyes a station has, from its configuration: a replayed folder, or live cameras with what
opens a carton (photo-eye or presence).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter

from appliance.cameras.camera import Camera
from appliance.cameras.frame import Frame
from appliance.cameras.upload import UploadSource
from appliance.cartons.replay import ReplayCartons
from appliance.cartons.view import CartonView
from appliance.config import Config
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.ports import MessageBus
from vision.frames import decode_frame

CAMERAS = ("label", "inspect")


@dataclass(frozen=True, slots=True)
class Eyes:
    """`jobs` run beside the cameras; `routers` are doors for programs (the trigger)."""

    cartons: Callable[[], AsyncIterator[CartonView]]
    cameras: tuple[Camera, ...] = ()
    uploads: Mapping[str, UploadSource] = field(default_factory=dict)
    replay: bool = False
    jobs: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = ()
    routers: tuple[APIRouter, ...] = ()
    last_picture: Callable[[str], bytes | None] = lambda _camera: None


def open_eyes(config: Config, *, bus: MessageBus | None, clock: Clock) -> Eyes:
    """Raises BadInputError for a configuration that names no cameras or an unknown trigger."""
    if config.edge.trigger == "replay":
        return _replay(config, clock)
    raise BadInputError(
        f"edge.trigger is {config.edge.trigger!r}", mend="Use presence, photo-eye or replay"
    )


def _replay(config: Config, clock: Clock) -> Eyes:
    if not config.edge.replay:
        raise BadInputError(
            "edge.trigger is replay and edge.replay names no folder",
            mend="Set edge.replay to a folder of carton pictures",
        )
    shown: dict[str, bytes] = {}

    def show(frame: Frame) -> None:
        shown[frame.camera] = frame.jpeg

    source = ReplayCartons(
        Path(config.edge.replay),
        station=config.edge.station,
        cameras=CAMERAS,
        clock=clock,
        decode=decode_frame,
        on_frame=show,
    )
    return Eyes(cartons=source.cartons, replay=True, last_picture=shown.get)
