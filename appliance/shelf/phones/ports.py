"""What the phones need of the rest of the house: the core's offline logs, and the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from appliance.accounts.user import Role
from contracts.device_log import LogEntry


class LogRoster(Protocol):
    """What phones need of the core's offline logs (erp_link's OfflineLogs)."""

    def enrol(self, device: str, public_key: str, *, roles: Sequence[str], by: str) -> object:
        """Let it keep a log. Raises ConflictError for a device that was revoked."""
        ...

    def revoke(self, device: str, *, reason: str, by: str) -> object:
        """What it sends from now on is kept, and books nothing."""
        ...

    def check(self, entries: Sequence[LogEntry]) -> None:
        """Raises BadInputError or NotFoundError for an entry that is not its device's own."""
        ...

    def keep(self, device: str, entries: Sequence[LogEntry], *, by: str) -> int:
        """Entries of a revoked device, kept for quality to look at; how many. Raises BadInputError."""
        ...


class People(Protocol):
    """What phones need of the accounts."""

    def roles_of(self, name: str) -> frozenset[Role]:
        """What a person may do; nothing where they are disabled or unknown."""
        ...

    def sign_in_phone(self, name: str, role: Role, *, phone: str) -> str:
        """A session's token. Raises PersonGoneError, ForbiddenError."""
        ...

    def shut_out_phone(self, phone: str) -> None:
        """End its sessions, for ever."""
        ...
