"""Secrets that a database holds are sealed with a key that it does not hold.

The key is a file that only the hub's user reads. Whoever has a copy of the database (a backup, the
record of changes) has no secret; without the file every secret must be made anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from contracts.errors import BadInputError, NotFoundError


class Seal:
    """Seals and opens short texts (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._box = Fernet(key)

    @classmethod
    def open_or_create(cls, path: Path) -> Seal:
        """With the key in `path`, made where there is none. Raises BadInputError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{os.getpid()}")
        if not path.exists():
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                # Of two that start at once, the first one's key stands.
                os.link(made, path)
            except FileExistsError:
                pass
            finally:
                made.unlink()
        try:
            return cls(path.read_bytes().strip())
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"{path} holds no key: {error}", mend="Restore it, or remove it to begin anew"
            ) from error

    def close_up(self, text: str) -> str:
        return self._box.encrypt(text.encode()).decode()

    def open_up(self, sealed: str) -> str:
        """Raises NotFoundError where the key is another one."""
        try:
            return self._box.decrypt(sealed).decode()
        except InvalidToken as error:
            raise NotFoundError(
                "A secret was sealed with another key",
                mend="Restore the key file, or change the secret",
            ) from error
