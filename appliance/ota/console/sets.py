"""Model sets as the console shows and decides them; what may be done is decided in ota.registry."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.ota.console.stories import set_told
from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.opening import warnings
from appliance.web.ota.rows import SetPage
from contracts.clock import Clock
from contracts.errors import BadInputError, TallymanError, UnavailableError
from contracts.reason import Reason
from ota.publishing import LicenceDecision
from ota.registry.records import SetRecord, SetState


class SetConsole:
    """Meets appliance.web.ota.ports.Sets."""

    def __init__(self, desk: RegistryDesk, *, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def listed(self) -> Sequence[SetRecord]:
        return self._desk.registry.sets()

    def one(self, digest: str) -> SetPage:
        registry = self._desk.registry
        record = registry.get(digest)
        base = next((each for each in registry.sets() if each.digest == record.lineage.base), None)
        waits = record.state is SetState.PROPOSED
        return SetPage(
            record,
            base,
            objections=registry.objections(record) if waits else (),
            key=self._key(record.lane),
            story=tuple(set_told(registry.events(digest=digest))),
            second_person=registry.policy.second_person,
        )

    def approve(self, digest: str, *, by: str, why: str) -> None:
        self._desk.registry.approve(digest, by=by, reason=why)

    def publish(self, digest: str, *, by: str, why: str, passphrase: str) -> None:
        self._desk.publish(digest, by=by, why=why, passphrase=passphrase)

    def withdraw(self, digest: str, *, by: str, why: str, passphrase: str) -> None:
        self._desk.withdraw(digest, by=by, reason=why, passphrase=passphrase)

    def decide_licence(self, digest: str, *, by: str, why: str) -> None:
        record = self._desk.registry.get(digest)
        if not why:
            raise BadInputError("No reason was given", mend="Say why this licence is acceptable")
        at = self._clock.now().isoformat(timespec="seconds")
        self._desk.registry.decide_licence(
            digest, LicenceDecision(digest, record.licence, by, why, at)
        )

    def warnings(self) -> Sequence[Reason]:
        if not self._desk.ready():
            return (Reason("ota_no_keys"),)
        return tuple(each.reason for each in warnings(self._desk, self._clock))

    def _key(self, lane: str) -> str:
        """How a set of the lane is signed here: open, locked, or elsewhere; none before keys are."""
        if not self._desk.ready():
            return "none"
        try:
            return "locked" if self._desk.needs_passphrase(lane) else "open"
        except UnavailableError:
            return "elsewhere"
        except TallymanError:
            return "none"
