"""New users for a broker that runs: written, read again by the broker, and seen to be in force.

Any process of this data folder may do so (the hub for a page, a command at a shell), one at a time.
A reload keeps every connection whose user stands unchanged, and ends those of users who are gone or
have another password, in the same moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.services.address import keep_secret, write_private
from appliance.services.nats.conf import (
    PROBE,
    ROLES,
    USERS_FILE,
    Member,
    TopicRule,
    digest_of,
    users,
)
from appliance.services.nats.hello import Address, accepts
from contracts.errors import UnavailableError

_IN_FORCE_FILE, _PID_FILE, _LOCK_FILE = "in-force", "nats.pid", "users.lock"
_LOOK_S = 0.05
_TAIL_BYTES = 4000


def write_users(
    folder: Path, roles: Mapping[str, TopicRule], members: Iterable[Member]
) -> tuple[str, str]:
    """Write `users.conf`. Answers the probe's password, and the digest of these members."""
    members, probe = tuple(members), secrets.token_hex(16)
    passwords = {role: keep_secret(folder / f"password.{role}") for role in roles}
    write_private(folder / USERS_FILE, users(roles, passwords, members, probe=probe))
    return probe, digest_of(members)


def note_in_force(folder: Path, digest: str) -> None:
    write_private(folder / _IN_FORCE_FILE, digest + "\n")


def is_in_force(folder: Path, members: Iterable[Member]) -> bool:
    """Whether the broker was last seen to run with exactly these members."""
    try:
        known = (folder / _IN_FORCE_FILE).read_text(encoding="ascii").strip()
    except OSError:
        return False
    return known == digest_of(members)


def running(folder: Path) -> int | None:
    """The process id of the broker that runs on `folder`; None where none does."""
    try:
        pid = int((folder / _PID_FILE).read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # A killed broker leaves its file, and its number may be another program's by now.
    return pid if os.fsencode(folder / "nats.conf") in command else None


async def put_in_force(
    folder: Path,
    members: Callable[[], Iterable[Member]],
    *,
    roles: Mapping[str, TopicRule] = ROLES,
    within_s: float = 15.0,
) -> bool:
    """Let the broker of `folder` run with these members, and return when it does.

    `members` is asked once nobody else changes the users.
    False where no broker runs here: a start takes them. Raises UnavailableError when the broker
    goes on with its old users.
    """
    async with alone(folder):
        if running(folder) is None:
            return False
        probe, digest = await asyncio.to_thread(lambda: write_users(folder, roles, members()))
        pid = running(folder)
        if pid is None:
            return False
        os.kill(pid, signal.SIGHUP)
        try:
            async with asyncio.timeout(within_s):
                await _until_let_in(Address.read(folder), probe)
        except TimeoutError as error:
            raise UnavailableError(
                "The broker did not take up the new users and goes on with the old ones",
                mend=f"Look at the end of {folder / 'nats.log'}, mend it and start the broker again",
                tail=_tail(folder / "nats.log"),
            ) from error
        note_in_force(folder, digest)
    return True


async def _until_let_in(address: Address, probe: str) -> None:
    while True:
        with contextlib.suppress(OSError):
            if await accepts(address, PROBE, probe):
                return
        await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """Hold the users of `folder`: the lock goes with its process, however that ends."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""
