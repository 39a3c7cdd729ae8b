"""Pictures by the SHA-256 of their bytes: what was judged can be fetched and checked (I4).

A file's name is its hash, so a file is never changed, and storing it twice is storing it once.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from appliance.durable import write_atomic
from contracts.clock import Clock
from contracts.errors import BadInputError, JournalError, JournalFullError

_log = logging.getLogger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOOK_EVERY_S = 600.0
_NAME = re.compile(r"[0-9a-f]{64}")


class EvidenceStore:
    """A folder of pictures. The sender's marks of what the hub has lie beside them.

    All methods block; call them in a thread from asyncio code.
    """

    def __init__(self, folder: Path) -> None:
        self._pictures = folder / "pictures"
        self._uploaded = folder / "uploaded"
        self._pictures.mkdir(parents=True, exist_ok=True)
        self._uploaded.mkdir(parents=True, exist_ok=True)
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback(sha256)` after each new picture, in the thread that stored it; returns
        how to stop.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def put(self, data: bytes) -> str:
        """Store `data` durably and return its SHA-256 in hex.

        Raises JournalFullError when the disk takes no more: a verdict without its picture could
        not be traced, so the station stops as it does for its journal.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if path.exists():
            return sha256
        try:
            write_atomic(path, data)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise JournalFullError(
                f"the disk under {self._pictures} takes no more",
                mend="Free space there; the station accepts nothing until then",
            ) from error
        for callback in list(self._listeners):
            try:
                callback(sha256)
            except Exception:  # noqa: BLE001 -- the picture is stored, whoever waits for it
                _log.warning("picture_listener_failed", exc_info=True)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The bytes, or None where they are not here or no longer match their name."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def path(self, sha256: str) -> Path:
        """Where the picture lies or would lie. Raises BadInputError for what is not a hash."""
        if _NAME.fullmatch(sha256) is None:
            raise BadInputError(
                f"{sha256[:80]!r} is not a SHA-256 in lower-case hex",
                mend="Name a picture by the 64 hex digits of its hash",
            )
        return self._pictures / sha256[:2] / sha256

    def mark_uploaded(self, sha256: str) -> None:
        """The hub has it. Losing a mark costs one more upload, so it is not synced."""
        self.path(sha256)
        (self._uploaded / sha256).touch()

    def forget_uploaded(self, sha256: str) -> None:
        """The hub says it has not got it after all."""
        self.path(sha256)
        (self._uploaded / sha256).unlink(missing_ok=True)

    def is_uploaded(self, sha256: str) -> bool:
        self.path(sha256)
        return (self._uploaded / sha256).exists()

    def free_bytes(self) -> int:
        """Free space for us on the disk of the pictures."""
        return shutil.disk_usage(self._pictures).free

    def thin_out(
        self,
        *,
        older_than_s: float,
        until_free_bytes: int,
        now: float,
        most_bytes: int = 0,
        last: Callable[[], Collection[str]] = tuple,
    ) -> int:
        """Remove pictures that the hub has, oldest first, until the disk has room and they take no
        more than `most_bytes` (0: no matter); how many.

        Never one that is not uploaded; for want of room on the disk, none stored less than
        `older_than_s` before `now` (in seconds since 1970, as the files' times). Those that `last`
        names, asked only where something must go, go after all others.
        """
        stored = self._stored()
        taken = sum(size for _, size, _ in stored)
        if self.free_bytes() >= until_free_bytes and not 0 < most_bytes < taken:
            return 0
        spared = frozenset(last())
        removed = 0
        for at, size, path in sorted(stored, key=lambda each: (each[2].name in spared, each)):
            too_much = 0 < most_bytes < taken
            no_room = now - at >= older_than_s and self.free_bytes() < until_free_bytes
            if (too_much or no_room) and self.is_uploaded(path.name):
                path.unlink(missing_ok=True)
                taken -= size
                removed += 1
        return removed

    def _stored(self) -> list[tuple[float, int, Path]]:
        """When and how large."""
        found: list[tuple[float, int, Path]] = []
        for path in self._pictures.glob("??/*"):
            with suppress(FileNotFoundError):
                if _NAME.fullmatch(path.name):
                    seen = path.stat()
                    found.append((seen.st_mtime, seen.st_size, path))
        return found

    def not_uploaded(self) -> Iterator[str]:
        """Hashes of what the hub has not acknowledged, in no order."""
        for path in self._pictures.glob("??/*"):
            if _NAME.fullmatch(path.name) and not (self._uploaded / path.name).exists():
                yield path.name


async def keep_room(
    store: EvidenceStore,
    *,
    days: int,
    free_mb: int,
    clock: Clock,
    most_mb: int = 0,
    last: Callable[[], Collection[str]] = tuple,
) -> None:
    """A job: every ten minutes, remove pictures that the hub has: those older than `days` while less
    than `free_mb` of space is free (0: never), and whatever is beyond `most_mb` (0: no limit), oldest
    first and those that `last` names after all others. Until cancelled.
    """
    while True:
        try:
            removed = await asyncio.to_thread(
                store.thin_out,
                older_than_s=days * 86_400.0,
                until_free_bytes=free_mb << 20,
                now=clock.now().timestamp(),
                most_bytes=most_mb << 20,
                last=last,
            )
        except (OSError, JournalError) as error:
            _log.warning("pictures_not_removed", extra={"why": str(error)})
        else:
            if removed:
                _log.warning("pictures_removed", extra={"pictures": removed})
        await asyncio.sleep(_LOOK_EVERY_S)
