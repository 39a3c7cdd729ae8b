"""Where a person publishes and withdraws: the passphrase opens the lane's key for that moment (I5).

One desk for pages and commands. Whoever types wrong passphrases waits.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import structlog
from securesystemslib.signer import Signer

from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.store import TooManyTriesError
from appliance.ota.keys import HubKeys, KeyFile, open_key
from appliance.teaching.locking import WrongPassphraseError
from contracts.clock import Clock
from contracts.errors import BadInputError, TallymanError, UnavailableError
from ota.registry.records import SetRecord, SetState
from ota.registry.registry import Registry, Told

log = structlog.get_logger()


class RegistryDesk:
    """Methods block; those that open a key take about a tenth of a second by design."""

    def __init__(self, registry: Registry, keys: HubKeys, *, clock: Clock) -> None:
        self.registry = registry
        self.keys = keys
        self._clock = clock
        self._tries = FailureLimiter(Limit(5, timedelta(minutes=5)))
        # Argon2 takes 64 MiB a passphrase.
        self._stretching = threading.BoundedSemaphore(2)

    def ready(self) -> bool:
        """Whether keys were made, so that anything can be published at all."""
        return self.registry.plane.founded

    def needs_passphrase(self, lane: str) -> bool:
        """False where the hub publishes by itself (`tallyman ota init --here`).

        Raises UnavailableError where the lane's key is not at this hub.
        """
        return self._lane_key(lane).locked

    def publish(
        self,
        digest: str,
        *,
        by: str,
        passphrase: str = "",
        why: str = "",
        signer: Signer | None = None,
    ) -> SetRecord:
        """As Registry.publish, with the hub's key of the set's lane or the one given. Raises
        WrongPassphraseError and TooManyTriesError too.
        """
        record = self.registry.get(digest)
        if signer is None:
            signer = self.lane_signer(record.lane, by=by, passphrase=passphrase)
        done = self.registry.publish(digest, by=by, signer=signer, why=why)
        try:
            self.registry.make_deltas(digest)
        except TallymanError as error:
            # It is published; boxes fetch it whole.
            log.warning("no deltas for a model set", model_set=digest, error=str(error))
        return done

    def withdraw(
        self,
        digest: str,
        *,
        by: str,
        reason: str,
        passphrase: str = "",
        signer: Signer | None = None,
    ) -> SetRecord:
        """It is never assigned again from now on, whether a key is at hand or not; with one it
        leaves the image plane as well. Raises as Registry.withdraw.
        """
        record = self.registry.get(digest)
        openable = signer is not None or bool(passphrase) or not self._is_locked(record.lane)
        if record.state is not SetState.WITHDRAWN or record.signed_out or not openable:
            # Before any key: a wrong passphrase must not keep a bad set assignable.
            record = self.registry.withdraw(digest, by=by, reason=reason)
        if record.signed_out or not openable:
            return record
        signer = signer or self.lane_signer(record.lane, by=by, passphrase=passphrase)
        return self.registry.withdraw(digest, by=by, reason=reason, signer=signer)

    def propose(self, folder: Path, *, by: str, told: Told | None = None) -> SetRecord:
        """As Registry.propose."""
        return self.registry.propose(folder, by=by, told=told)

    def renew(self, lane: str, *, by: str, passphrase: str = "", above: int = 0) -> int:
        """Sign a lane anew before it expires; the snapshot's version from then on. `above` as in
        ImagePlane.renew.
        """
        signer = self.lane_signer(lane, by=by, passphrase=passphrase)
        return self.registry.plane.renew(lane, signer, above=above)

    def lane_signer(self, lane: str, *, by: str, passphrase: str = "") -> Signer:
        """Raises UnavailableError (the key is elsewhere), ForbiddenError, WrongPassphraseError,
        TooManyTriesError.
        """
        file = self._lane_key(lane)
        now = self._clock.now()
        if not self._tries.may_try(by, now):
            raise TooManyTriesError(
                "Too many wrong passphrases", mend="Wait five minutes and try again"
            )
        try:
            with self._stretching:
                signer = open_key(file, passphrase).signer
        except WrongPassphraseError:
            self._tries.failed(by, now)
            raise
        self._tries.succeeded(by)
        return signer

    def _is_locked(self, lane: str) -> bool:
        try:
            return not self.ready() or self._lane_key(lane).locked
        except UnavailableError:
            return True

    def _lane_key(self, lane: str) -> KeyFile:
        if lane not in self.registry.plane.lanes():
            raise BadInputError(
                f"Nobody may sign for the lane {lane[:80]!r}", mend="tallyman ota keys lane"
            )
        found = map(self.keys.find, self.registry.plane.lane_key_ids(lane))
        file = next((each for each in found if each is not None), None)
        if file is None:
            raise UnavailableError(
                f"The key for the lane {lane} is not at this hub",
                mend="Publish from a shell with --key FILE",
            )
        return file
