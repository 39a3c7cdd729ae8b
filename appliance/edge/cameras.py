"""Which eyes a station has, from its configuration: a replayed folder, or live cameras with what
opens a carton (photo-eye or presence).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter

from appliance.accounts.user import Role
from appliance.accounts.web import require_scope
from appliance.cameras.camera import Camera
from appliance.cameras.frame import Frame
from appliance.cameras.kept_view import KeptView
from appliance.cameras.ports import CameraSource
from appliance.cameras.upload import UploadSource
from appliance.cameras.video import VideoSource
from appliance.cameras.view_door import view_router
from appliance.cameras.watch import Health
from appliance.cartons.presence import PresencePolicy, PresenceWatch
from appliance.cartons.replay import ReplayCartons
from appliance.cartons.tracker import CartonTracker
from appliance.cartons.trigger import TriggerCounts, follow_photo_eye, trigger_router
from appliance.cartons.view import CartonView
from appliance.config import EdgeConfig
from appliance.station_pictures import INSPECT, LABEL
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.ports import MessageBus
from vision.frames import decode_frame

CAMERAS = (LABEL, INSPECT)
UPLOAD = "upload"


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


def open_eyes(
    edge: EdgeConfig,
    *,
    bus: MessageBus | None,
    clock: Clock,
    on_change: Callable[[str, Health], None],
    views: Path | None = None,
) -> Eyes:
    """Nothing is read before the cameras run. `views`: the folder where live cameras keep their
    view in order over restarts; None: each start learns it.

    Raises BadInputError for a configuration that names no cameras or an unknown trigger.
    """
    match edge.trigger:
        case "replay":
            return _replay(edge, clock)
        case "presence" | "photo-eye":
            return _live(edge, bus=bus, clock=clock, on_change=on_change, views=views)
        case other:
            raise BadInputError(
                f"edge.trigger is {other!r}", mend="Use presence, photo-eye or replay"
            )


def _replay(edge: EdgeConfig, clock: Clock) -> Eyes:
    if not edge.replay:
        raise BadInputError(
            "edge.trigger is replay and edge.replay names no folder",
            mend="Set edge.replay to a folder of carton pictures",
        )
    shown: dict[str, bytes] = {}

    def show(frame: Frame) -> None:
        shown[frame.camera] = frame.jpeg

    source = ReplayCartons(
        Path(edge.replay),
        station=edge.station,
        cameras=CAMERAS,
        clock=clock,
        decode=decode_frame,
        on_frame=show,
    )
    return Eyes(cartons=source.cartons, replay=True, last_picture=shown.get)


def _live(
    edge: EdgeConfig,
    *,
    bus: MessageBus | None,
    clock: Clock,
    on_change: Callable[[str, Health], None],
    views: Path | None,
) -> Eyes:
    addresses = {
        name: address
        for name, address in ((LABEL, edge.label_camera), (INSPECT, edge.inspect_camera))
        if address
    }
    if LABEL not in addresses:
        raise BadInputError(
            "edge.label_camera is not set",
            mend="Name a device number, an RTSP URL, or upload; or set edge.trigger to replay",
        )
    presence = PresenceWatch(PresencePolicy()) if edge.trigger == "presence" else None
    tracker = CartonTracker(edge.station, tuple(addresses), clock=clock, presence=presence)
    sources = {name: _source(name, address, clock) for name, address in addresses.items()}
    cameras = {
        name: _camera(name, source, tracker, on_change, _kept_view(views, name, addresses[name]))
        for name, source in sources.items()
    }
    counts = TriggerCounts()
    jobs: list[tuple[str, Callable[[], Awaitable[None]]]] = []
    if bus is not None:
        eye_bus, topic = bus, f"tallyman/{edge.station}/trigger"
        jobs.append(("photo-eye", lambda: follow_photo_eye(eye_bus, topic, tracker, counts=counts)))
    return Eyes(
        cartons=tracker.cartons,
        cameras=tuple(cameras.values()),
        uploads={n: source for n, source in sources.items() if isinstance(source, UploadSource)},
        jobs=tuple(jobs),
        routers=(
            trigger_router(tracker, require_scope("trigger", Role.OPERATOR), counts=counts),
            view_router(
                cameras, require_scope("camera", Role.OPERATOR), learn_belt=tracker.learn_belt
            ),
        ),
    )


def _source(name: str, address: str, clock: Clock) -> CameraSource:
    if address == UPLOAD:
        return UploadSource(camera=name, clock=clock)
    return VideoSource(address, camera=name, clock=clock)


def _camera(
    name: str,
    source: CameraSource,
    tracker: CartonTracker,
    on_change: Callable[[str, Health], None],
    kept_view: KeptView | None,
) -> Camera:
    def offer(frame: Frame) -> None:
        tracker.offer(frame, state=str(camera.state))

    camera = Camera(name, source, kept_view=kept_view, on_frame=offer, on_change=on_change)
    return camera


def _kept_view(views: Path | None, name: str, address: str) -> KeptView | None:
    return None if views is None else KeptView(views, camera=name, address=address)
