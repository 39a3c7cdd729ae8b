"""Which fences are in force on this gateway: what was signed, checked, and kept on its own disk.

Rules (I5, I6): a fence takes effect when its signature holds under a key that the site's quality lead
let sign fences, and only in a later version than the one in force; what does not hold is refused, told
and counted, and what was in force stays. A fence ends by a signed word alone, never because a hub does
not mention it. What was in force is there again after a start without the hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from appliance.durable import write_atomic
from appliance.fences.statement import Delegation, SignedFence, check_delegation, check_signed
from appliance.fences.wire import SignedFences
from appliance.teaching.trust import TrustedKeys
from contracts.errors import ArtefactRefusedError, BadInputError, TallymanError
from contracts.reason import Reason
from telemetry.watching.conditions.making import prepare
from telemetry.watching.fences import Fence

log = structlog.get_logger()


class _Kept(msgspec.Struct, frozen=True):
    signed: SignedFence
    delegation: Delegation


@dataclass(frozen=True, slots=True)
class InForce:
    """A fence and who put it in force; `retired` ones watch nothing."""

    fence: Fence
    signer: str
    at_us: int
    retired: bool


class FenceGuard:
    """One for a gateway. `folder` is its own; calls block and are made by one thread."""

    def __init__(self, folder: Path, trust: TrustedKeys) -> None:
        self._path = folder / "fences.json"
        self._trust = trust
        self.troubles: list[Reason] = []
        """What was refused of the newest bundle, and why."""
        self.refused = 0
        """Since this process began."""
        self._kept: dict[str, _Kept] = {}
        self._in_force: dict[str, InForce] = {}
        for kept in self._load():
            try:
                self._keep(kept)
            except (ArtefactRefusedError, BadInputError) as error:
                self._refuse(kept.signed.text[:80], error)

    def fences(self) -> tuple[Fence, ...]:
        """What watches now, by id."""
        named = sorted(self._in_force.items())
        return tuple(each.fence for _, each in named if not each.retired)

    def in_force(self) -> tuple[InForce, ...]:
        return tuple(each for _, each in sorted(self._in_force.items()))

    def take(self, told: SignedFences) -> bool:
        """Put in force what holds; True where anything changed. Raises OSError from the disk."""
        self.troubles = []
        try:
            self._trust.learn(told.keys)
        except TallymanError as error:
            self._refuse("", error)
        delegations = self._delegations(told)
        before, in_force = dict(self._kept), dict(self._in_force)
        for signed in told.fences:
            self._take_one(signed, delegations)
        if self._kept == before:
            return False
        try:
            write_atomic(self._path, msgspec.json.encode(list(self._kept.values())))
        except OSError:
            # What is not on disk is not in force, and is taken when it is told again.
            self._kept, self._in_force = before, in_force
            raise
        return True

    def _delegations(self, told: SignedFences) -> dict[str, Delegation]:
        keys, good = self._trust.keys(), {}
        for each in told.delegations:
            try:
                check_delegation(each, keys)
            except ArtefactRefusedError as error:
                self._refuse(each.person, error)
            else:
                good[each.key_id] = each
        return good

    def _take_one(self, signed: SignedFence, delegations: dict[str, Delegation]) -> None:
        if any(kept.signed == signed for kept in self._kept.values()):
            return
        try:
            fence, said = check_signed(signed, delegations)
            self._check_newer(fence)
            self._keep(_Kept(signed, delegations[said.key]))
        except (ArtefactRefusedError, BadInputError) as error:
            self._refuse(signed.text[:80], error)

    def _check_newer(self, fence: Fence) -> None:
        known = self._in_force.get(fence.fence)
        if known is not None and fence.version <= known.fence.version:
            raise ArtefactRefusedError(
                f"{fence.fence}: version {fence.version} is no later than what is in force",
                mend="Save it as a new version and sign that",
            )

    def _keep(self, kept: _Kept) -> None:
        fence, said = check_signed(kept.signed, {kept.delegation.key_id: kept.delegation})
        # An expression that this machine cannot run must not stop the other fences.
        prepare(fence)
        self._kept[fence.fence] = kept
        self._in_force[fence.fence] = InForce(
            fence, said.signer, said.at_us, said.state == "retired"
        )

    def _load(self) -> list[_Kept]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[_Kept])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            raise BadInputError(
                f"{self._path} cannot be read: {error}",
                mend="Remove it; the hub tells the fences again",
            ) from error

    def _refuse(self, what: str, error: TallymanError) -> None:
        self.refused += 1
        reason = Reason("fence_refused", {"what": what, "why": error.message})
        self.troubles.append(reason)
        log.warning("fence refused", what=what, why=error.message)
