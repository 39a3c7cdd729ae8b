"""The drift watches of a station, one a camera and profile, and their memory over restarts (I7).

A restart must not end a suspension: what a watch knows is written when a suspension begins or ends,
and when the station stops. A file that cannot be read begins the watches anew.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from appliance.durable import write_atomic
from contracts.reason import Reason
from vision.defects.drift import DriftWatch, WatchState
from vision.defects.profile import Profile

_MOST = 200
log = structlog.get_logger()


class _Kept(msgspec.Struct):
    camera: str
    profile: str
    state: WatchState


class Watches:
    """`of` and `save` are called from one thread at a time: a station judges one carton after the
    other. `reasons` from any.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[tuple[str, str], DriftWatch] = {}
        self._kept = {(each.camera, each.profile): each.state for each in _read(path)}
        self._saved = self._suspensions()

    def of(self, camera: str, profile: Profile) -> DriftWatch | None:
        """None where the profile does not say how its good pictures differ."""
        facts = profile.facts.drift
        if facts is None:
            return None
        key = (camera, profile.digest)
        watch = self._open.pop(key, None) or DriftWatch(facts, self._kept.pop(key, None))
        self._open[key] = watch
        return watch

    def reasons(self, digest: str) -> tuple[Reason, ...]:
        """What has changed, while a profile's verdicts are suspended; empty otherwise."""
        return next((said for key, said in self._suspensions().items() if key[1] == digest), ())

    def note(self) -> None:
        """Write the file where a suspension has begun or ended since. Blocks."""
        if self._suspensions() != self._saved:
            self.save()

    def save(self) -> None:
        """Blocks; what cannot be written is told in the log."""
        states = {**self._kept, **{key: watch.state for key, watch in self._open.items()}}
        newest = list(states.items())[-_MOST:]
        self._saved = self._suspensions()
        try:
            write_atomic(
                self._path,
                msgspec.json.encode([_Kept(*key, state) for key, state in newest]),
            )
        except OSError as error:
            log.warning("drift watches not saved", why=str(error))

    def _suspensions(self) -> dict[tuple[str, str], tuple[Reason, ...]]:
        # A page asks from another thread while a carton is judged: first copies, then a look.
        told = {key: state.reasons for key, state in tuple(self._kept.items())}
        told |= {key: watch.reasons for key, watch in tuple(self._open.items())}
        return {key: reasons for key, reasons in told.items() if reasons}


def _read(path: Path) -> list[_Kept]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Kept])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("drift watches begin anew", why=str(error))
        return []
