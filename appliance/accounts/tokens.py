"""API tokens of programs: a photo-eye, a phone that sends pictures. Only hashes are stored."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from appliance.accounts.session import ApiToken, hash_secret
from appliance.small_db import SmallDb
from contracts.errors import BadInputError, NotFoundError


class ApiTokens:
    def __init__(self, file: SmallDb) -> None:
        self._file = file

    def new(self, name: str, scopes: Iterable[str], *, at: datetime) -> str:
        """A secret, shown once. Raises BadInputError without name or scope."""
        wanted = sorted(set(scopes))
        if not name.strip() or not wanted or any(not scope.isidentifier() for scope in wanted):
            raise BadInputError("an API token needs a name and scopes", mend="Scope: trigger, ...")
        secret = f"tly_{secrets.token_urlsafe(32)}"
        with self._file.change() as db:
            db.execute(
                "INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?)",
                (
                    secrets.token_hex(8),
                    name.strip(),
                    " ".join(wanted),
                    hash_secret(secret),
                    at.isoformat(),
                ),
            )
        return secret

    def find(self, secret: str) -> ApiToken | None:
        digest = hash_secret(secret)
        return next((token for token in self.all() if token.sha256 == digest), None)

    def all(self) -> list[ApiToken]:
        rows = self._file.all(
            "SELECT token_id, name, scopes, sha256 FROM api_tokens ORDER BY name, token_id"
        )
        return [ApiToken(i, name, frozenset(scopes.split()), sha) for i, name, scopes, sha in rows]

    def revoke(self, token_id: str) -> None:
        """Raises NotFoundError."""
        with self._file.change() as db:
            gone = db.execute("DELETE FROM api_tokens WHERE token_id = ?", (token_id,))
            if gone.rowcount != 1:
                raise NotFoundError(f"no API token {token_id[:40]!r}", mend="List the tokens")
