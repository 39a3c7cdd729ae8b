"""What a station needs from a camera."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from appliance.cameras.frame import Frame


class CameraSource(Protocol):
    """Where pictures come from: a device, a stream, uploads."""

    @property
    def live(self) -> bool:
        """True where pictures come by themselves, so that silence is a fault (`stalled`);
        False where each picture is an event (upload).
        """
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come, each newer than the one before; none that waited in a buffer.

        Never ends by itself. Raises UnavailableError when the camera cannot be opened or stops
        answering; calling again tries again.
        """
        ...
