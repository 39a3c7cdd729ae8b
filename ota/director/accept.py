"""May this box take this assignment? A pure decision with every refusal named (I5).

The rules, in their order:
1. it is made out to this device;
2. its epoch and sequence are not below the floor; at the floor it must be the very same text;
3. it has not expired, by the later of the box's clock and its floor of time;
4. the image plane trusted here is not older than the snapshot that it asks for;
5. each set that it names is named by the image plane for that lane, or came with the installation,
   or ran here before the one that runs now (so that the way back is never shut).
A refusal leaves everything as it is: what runs goes on, and no floor moves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from contracts.ota import LANES, Assignment
from contracts.reason import Reason
from ota.director.dsse import SignedAssignment


@dataclass(frozen=True, slots=True)
class Floors:
    """What a box never goes back behind; it keeps them on disk before it acts on what raised them.

    `payload`: SHA-256 of the assignment accepted last. `time_us`: microseconds since 1970, the
    latest moment that signed metadata or the box's clock ever vouched for.
    """

    epoch: int = 0
    sequence: int = 0
    payload: str = ""
    snapshot: int = 0
    time_us: int = 0


@dataclass(frozen=True, slots=True)
class ImagePlane:
    """What the verified TUF metadata on this box names: its snapshot's version, and the digests of
    sets by lane.
    """

    snapshot: int = 0
    named: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """`floors` to keep on disk first. `again`: it is the assignment that was accepted before."""

    assignment: Assignment
    floors: Floors
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason


def accept(
    signed: SignedAssignment,
    *,
    device: str,
    floors: Floors,
    images: ImagePlane,
    now_us: int,
    own: Collection[str] = (),
) -> Accepted | Refused:
    """Whether to act on a verified assignment. `own`: digests of the sets that came with the
    installation and of those that this box goes back to (`previous` of its lanes).
    """
    wanted = signed.assignment
    reason = (
        _other_device(wanted, device)
        or _gone_back(signed, floors)
        or _expired(wanted, max(now_us, floors.time_us))
        or _snapshot_below(wanted, images, floors)
        or next(_not_named(wanted, images, own), None)
    )
    if reason is not None:
        return Refused(reason)
    raised = replace(
        floors,
        epoch=wanted.epoch,
        sequence=wanted.sequence,
        payload=signed.payload,
        snapshot=max(floors.snapshot, wanted.least_snapshot),
        time_us=max(floors.time_us, now_us),
    )
    return Accepted(wanted, raised, again=signed.payload == floors.payload)


def _other_device(wanted: Assignment, device: str) -> Reason | None:
    if wanted.device == device:
        return None
    return Reason("ota_other_device", {"named": wanted.device, "device": device})


def _gone_back(signed: SignedAssignment, floors: Floors) -> Reason | None:
    wanted = signed.assignment
    if wanted.epoch < floors.epoch:
        return Reason("ota_old_epoch", {"epoch": wanted.epoch, "floor": floors.epoch})
    if wanted.epoch > floors.epoch:
        return None
    if wanted.sequence < floors.sequence:
        return Reason("ota_old_sequence", {"sequence": wanted.sequence, "floor": floors.sequence})
    if wanted.sequence == floors.sequence and floors.payload not in ("", signed.payload):
        return Reason("ota_other_content", {"sequence": wanted.sequence})
    return None


def _expired(wanted: Assignment, now_us: int) -> Reason | None:
    if now_us <= wanted.not_after_us:
        return None
    return Reason("ota_assignment_expired", {"not_after_us": wanted.not_after_us, "at_us": now_us})


def _snapshot_below(wanted: Assignment, images: ImagePlane, floors: Floors) -> Reason | None:
    least = max(wanted.least_snapshot, floors.snapshot)
    if images.snapshot >= least:
        return None
    return Reason("ota_snapshot_below", {"snapshot": images.snapshot, "least": least})


def _not_named(wanted: Assignment, images: ImagePlane, own: Collection[str]) -> Iterator[Reason]:
    asked = [*wanted.stage.items(), *wanted.run.items()]
    asked += [(each.lane, each.model_set) for each in wanted.shadow]
    for lane, digest in asked:
        if lane not in LANES:
            yield Reason("ota_unknown_lane", {"lane": lane})
        elif digest not in own and digest not in images.named.get(lane, ()):
            yield Reason("ota_not_in_image_plane", {"lane": lane, "set": digest})
