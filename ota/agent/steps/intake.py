"""How an assignment becomes the box's own: signature, image plane, floors, and only then (I5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.clock import Clock
from contracts.errors import ArtefactRefusedError, UnavailableError
from contracts.ota import LANES, Assignment
from contracts.reason import Reason
from ota.agent.handover import INSTALLATION, Active
from ota.agent.sets.metadata import ImagePlane, MetadataRefusedError
from ota.agent.settings import Trust
from ota.agent.steps.state import State
from ota.director import accept as director
from ota.director.accept import Accepted
from ota.director.dsse import SignedAssignment, verify

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGAIN_S = 30.0
"""Between two refreshes of signed files that did not help."""


class Intake:
    """`trouble` holds what stands against the newest assignment or the signed files; it empties as
    they are taken.
    """

    def __init__(
        self,
        *,
        device: str,
        plane: ImagePlane,
        trust: Trust,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._device, self._plane, self._clock = device, plane, clock
        self._keys = trust.directors()
        self._monotonic = monotonic
        self._refresh_at = float("-inf")
        self.trouble: dict[str, Reason] = {}

    def now_us(self) -> int:
        """The box's clock, microseconds since 1970, UTC."""
        return (self._clock.now() - _EPOCH) // timedelta(microseconds=1)

    def clock_reason(self, state: State, tolerance_s: float) -> Reason | None:
        """Why the clock is not believed: it stands before a time that this box has seen."""
        behind_us = state.floors.time_us - self.now_us()
        if behind_us <= tolerance_s * 1_000_000:
            return None
        return Reason("ota_clock_behind", {"seconds": behind_us // 1_000_000})

    def remembered(self, state: State) -> Assignment | None:
        """The assignment that was accepted before this start, if its signature still holds."""
        if not state.envelope:
            return None
        try:
            return verify(state.envelope.encode(), self._keys).assignment
        except ArtefactRefusedError:
            return None

    def take(
        self, envelope: bytes, state: State, *, active: Active, installed: Mapping[str, str]
    ) -> tuple[Assignment, State] | None:
        """The assignment and the state to keep on disk before it counts; None where it is refused,
        with why in `trouble`. Raises OSError of the disk.
        """
        try:
            signed = verify(envelope, self._keys)
        except ArtefactRefusedError as error:
            self.trouble["assignment"] = Reason("ota_assignment_unsigned", {"why": error.message})
            return None
        own = _own(active, installed)
        if self._lacks(signed.assignment, own):
            self.refresh(state)
        verdict = self._accept(signed, state, own)
        if not isinstance(verdict, Accepted):
            self.trouble["assignment"] = verdict.reason
            return None
        self.trouble.pop("assignment", None)
        taken = replace(state, floors=verdict.floors, envelope=envelope.decode())
        return verdict.assignment, taken

    def may_refresh(self) -> bool:
        return self._monotonic() >= self._refresh_at

    def refresh(self, state: State) -> bool:
        """Signed files anew, unless that was tried just now. Whether they are verified and count.
        Raises OSError of the disk.
        """
        if not self.may_refresh():
            return False
        self._refresh_at = self._monotonic() + _AGAIN_S
        try:
            self._plane.refresh(self.trusted_time(state))
        except MetadataRefusedError as error:
            self.trouble["metadata"] = error.reason
            return False
        except UnavailableError as error:
            self.trouble["metadata"] = Reason("ota_hub_away", {"why": error.message[:200]})
            return False
        self.trouble.pop("metadata", None)
        return True

    def trusted_time(self, state: State) -> datetime:
        """The later of the clock and the floor: no clock set back makes an expired file good."""
        return _EPOCH + timedelta(microseconds=max(self.now_us(), state.floors.time_us))

    def _accept(
        self, signed: SignedAssignment, state: State, own: Collection[str]
    ) -> Accepted | director.Refused:
        named = {lane: {each.digest for each in self._plane.images(lane)} for lane in LANES}
        return director.accept(
            signed,
            device=self._device,
            floors=state.floors,
            images=director.ImagePlane(self._plane.snapshot, named),
            now_us=self.now_us(),
            own=own,
        )

    def _lacks(self, assignment: Assignment, own: Collection[str]) -> bool:
        if assignment.least_snapshot > self._plane.snapshot:
            return True
        asked = [*assignment.stage.items(), *assignment.run.items()]
        asked += [(each.lane, each.model_set) for each in assignment.shadow]
        return any(
            digest not in own and self._plane.find(lane, digest) is None for lane, digest in asked
        )


def _own(active: Active, installed: Mapping[str, str]) -> set[str]:
    """What brings nothing new to this box: the installation's, what runs, and what ran before."""
    lanes = active.lanes.values()
    mine = {INSTALLATION, *installed.values(), *(each.model_set for each in lanes)}
    return mine | {each.previous for each in lanes}
