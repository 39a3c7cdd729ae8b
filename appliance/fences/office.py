"""The hub's desk for fences: store, the lead's key and people's keys brought together (I5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.fences.statement import (
    DELEGATION,
    PURPOSE,
    Delegation,
    SignedFence,
    State,
    check_reason,
    read_statement,
)
from appliance.fences.store import FenceStore, Story, Version
from appliance.fences.wire import SignedFences
from appliance.journal.stamp import to_us
from appliance.teaching.office import QualityOffice
from appliance.teaching.signing import QualityKey
from contracts.clock import Clock
from contracts.errors import ConflictError, NotFoundError
from erp_link.service.quality.desk import Quality, SigningKey
from telemetry.watching.fences import Fence

_GOOD_FOR_US = 900_000_000
"""Between a statement being made and being handed in, as for usage decisions."""


class FenceOffice:
    """What the pages and the device port ask. Calls block; errors are TallymanErrors."""

    purpose = PURPOSE

    def __init__(
        self, store: FenceStore, lead: QualityOffice, people: Quality, clock: Clock
    ) -> None:
        self._store, self._lead, self._people, self._clock = store, lead, people, clock

    def told(self) -> SignedFences:
        """For a gateway's bundle: everything that is signed, and the keys to check it with."""
        return SignedFences(
            self._lead.keys(), tuple(self._good_delegations()), self._store.signed()
        )

    def stories(self) -> list[Story]:
        return self._store.stories()

    def story(self, fence: str) -> Story:
        return self._store.story(fence)

    def save(self, fence: Fence, *, by: str) -> Fence:
        return self._store.save(fence, by=by, now_us=self._now_us())

    def drop_draft(self, fence: str) -> None:
        self._store.drop_draft(fence)

    @property
    def lead_key(self) -> QualityKey | None:
        return self._lead.key()

    def keys(self, person: str | None = None) -> Sequence[SigningKey]:
        """Good keys of a person, or of everybody."""
        return [each for each in self._people.keys(person) if each.is_good]

    def may_sign(self, person: str) -> frozenset[str]:
        """The person's keys that the lead's present key lets sign fences."""
        return frozenset(each.key_id for each in self._good_delegations() if each.person == person)

    def delegations(self) -> Sequence[Delegation]:
        return self._store.delegations()

    def delegate(self, person: str, key_id: str, *, by: str, passphrase: str) -> Delegation:
        """Let a person's registered key sign fences. Raises NotFoundError, WrongPassphraseError,
        TooManyTriesError.
        """
        known = next((each for each in self.keys(person) if each.key_id == key_id), None)
        if known is None:
            raise NotFoundError(
                f"{person[:60]} has no such key", mend="Let them register this browser's key first"
            )
        lead = self._lead.key()
        if lead is None:
            raise NotFoundError(
                "This site has no quality key yet", mend="Make one on the page Lessons"
            )
        said = Delegation(person, key_id, known.public_pem, self._now_us(), by_key=lead.name)
        signature = self._lead.vouch(DELEGATION, said.message(), by=by, passphrase=passphrase)
        said = replace(said, signature=signature)
        self._store.delegate(said, by=by)
        return said

    def withdraw(self, key_id: str) -> None:
        self._store.withdraw(key_id, now_us=self._now_us())

    def statement(self, fence: str, state: State, *, signer: str, key: str, reason: str) -> str:
        """The canonical text to sign. Raises NotFoundError, ConflictError, BadInputError."""
        return self._store.statement(
            fence,
            state,
            signer=signer,
            key=key,
            reason=check_reason(reason),
            now_us=self._now_us(),
        ).text()

    def activate(self, statement: str, signature: str, *, by: str) -> Version:
        """Put in force, or end, what was signed. Raises ArtefactRefusedError, ConflictError."""
        said = read_statement(statement)
        if abs(self._now_us() - said.at_us) > _GOOD_FOR_US:
            raise ConflictError("This was signed too long ago", mend="Look again and sign anew")
        if said.key not in self.may_sign(by):
            raise ConflictError(
                "The quality lead has not let this key sign fences", mend="Ask for a delegation"
            )
        signed = SignedFence(self._store.text_to_sign(said), statement, signature)
        return self._store.activate(signed, by=by, now_us=self._now_us())

    def _good_delegations(self) -> list[Delegation]:
        """Made with the lead's present key, for keys that nobody has revoked."""
        lead = self._lead.key()
        if lead is None:
            return []
        by_lead = [each for each in self._store.delegations() if each.by_key == lead.name]
        return [
            each for each in by_lead if each.key_id in {k.key_id for k in self.keys(each.person)}
        ]

    def _now_us(self) -> int:
        return to_us(self._clock.now())
