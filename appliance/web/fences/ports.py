"""What the pages of fences ask of the office and of the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from appliance.fences.statement import Delegation, State
from appliance.fences.store import Story, Version
from appliance.teaching.signing import QualityKey
from erp_link.service.quality.keys import SigningKey
from telemetry.watching.fences import Fence
from telemetry.watching.trials.trying import Tried


class FenceDesk(Protocol):
    """appliance.fences.office.FenceOffice. Calls block; errors are TallymanErrors."""

    purpose: bytes

    @property
    def lead_key(self) -> QualityKey | None: ...

    def stories(self) -> Sequence[Story]: ...

    def story(self, fence: str) -> Story:
        """Raises NotFoundError."""
        ...

    def save(self, fence: Fence, *, by: str) -> Fence: ...

    def drop_draft(self, fence: str) -> None: ...

    def keys(self, person: str | None = None) -> Sequence[SigningKey]:
        """Good keys of a person, or of everybody."""
        ...

    def may_sign(self, person: str) -> frozenset[str]: ...

    def delegations(self) -> Sequence[Delegation]: ...

    def delegate(self, person: str, key_id: str, *, by: str, passphrase: str) -> Delegation: ...

    def withdraw(self, key_id: str) -> None: ...

    def statement(self, fence: str, state: State, *, signer: str, key: str, reason: str) -> str: ...

    def activate(self, statement: str, signature: str, *, by: str) -> Version: ...


class Names(Protocol):
    """What a site calls its places and sensors, to choose from."""

    def names(self) -> Mapping[str, Sequence[str]]:
        """By kind of scope: zone, place, device. Blocks."""
        ...


class Trials(Protocol):
    """Trials over what the gateway has recorded."""

    async def try_out(self, fence: Fence, *, from_us: int, to_us: int) -> Tried:
        """Raises UnavailableError, NotFoundError, BadInputError."""
        ...
