"""The broker's configuration as text: its doors, and who may say and hear what. Pure.

Two files, since one of them changes while the broker runs: `nats.conf` holds what a start decides,
`users.conf` the users. The roles are processes of ours with passwords of their own; members are
vehicles and stations of the site, of whose passwords only the bcrypt hash is known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.services.address import LOOPBACK

USERS_FILE = "users.conf"
PROBE = "tallyman-probe"
"""A user without any right. Its password is new in every `users.conf`: whoever is let in with it
knows that this very text is in force.
"""
_NOTHING = '{ deny: ">" }'
"""An empty list would allow everything."""


@dataclass(frozen=True, slots=True)
class TopicRule:
    """MQTT topic filters that a user may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A vehicle or station: its user name, the bcrypt hash of its password, its topics."""

    user: str
    bcrypt: str
    rule: TopicRule


ROLES: Mapping[str, TopicRule] = {
    "hub": TopicRule(("#",), ("#",)),
    "edge": TopicRule(("tallyman/#",), ("tallyman/#",)),
    # MQTT's `#` matches the level above too, and NATS asks for the right to both.
    "gateway": TopicRule((), ("sensors", "sensors/#")),
    "sensors": TopicRule(("sensors/#",), ()),
    "lane": TopicRule(("tallyman/+/trigger",), ("tallyman/+/lane",)),
}


def configure(
    *,
    port: int,
    store: Path,
    store_mb: int,
    host: str = LOOPBACK,
    certificate: Path | None = None,
    key: Path | None = None,
) -> str:
    """`nats.conf`: one setting a line, as its parser wants it. Users stand in `users.conf` beside.

    `certificate` and `key` (PEM): the MQTT door speaks TLS only.
    """
    tls = []
    if certificate is not None and key is not None:
        tls = [
            "  tls {",
            f'    cert_file: "{_quoted(str(certificate))}"',
            f'    key_file: "{_quoted(str(key))}"',
            # A vehicle's small processor may take its time; a stranger may not hold on for ever.
            "    timeout: 10",
            "  }",
        ]
    lines = [
        'server_name: "tallyman"',
        # Its log is read again, for what it refused.
        "logtime_utc: true",
        f'host: "{LOOPBACK}"',
        # Its own protocol must listen somewhere: any port, and the same passwords guard it.
        "port: -1",
        f'pid_file: "{_quoted(str(store.with_name("nats.pid")))}"',
        "jetstream {",
        f'  store_dir: "{_quoted(str(store))}"',
        "  sync_interval: always",
        "  max_memory_store: 64MB",
        f"  max_file_store: {store_mb}MB",
        "}",
        "mqtt {",
        f'  host: "{host}"',
        f"  port: {port}",
        *tls,
        "}",
        "authorization {",
        f'  include "{USERS_FILE}"',
        "}",
    ]
    return "\n".join([*lines, ""])


def users(
    roles: Mapping[str, TopicRule],
    passwords: Mapping[str, str],
    members: Iterable[Member] = (),
    *,
    probe: str = "",
) -> str:
    """`users.conf`. `probe` is the password of PROBE; empty: no such user."""
    lines = ["users: ["]
    for role, rule in roles.items():
        lines += _user(role, passwords[role], rule)
    for member in members:
        lines += _user(member.user, member.bcrypt, member.rule)
    if probe:
        lines += _user(PROBE, probe, TopicRule((), ()))
    return "\n".join([*lines, "]", ""])


def digest_of(members: Iterable[Member]) -> str:
    """What stands for these members, in whatever order: 64 hex digits."""
    return hashlib.sha256("\n".join(sorted(map(repr, members))).encode()).hexdigest()


def subject_of(topic_filter: str) -> str:
    """The NATS subject of an MQTT topic filter: levels by dot, `+` is `*`, `#` is `>`."""
    levels = (level.replace(".", "//") for level in topic_filter.split("/"))
    return ".".join({"+": "*", "#": ">"}.get(level, level) for level in levels)


def _user(name: str, password: str, rule: TopicRule) -> list[str]:
    return [
        "  {",
        f'    user: "{_quoted(name)}"',
        f'    password: "{_quoted(password)}"',
        '    allowed_connection_types: ["MQTT"]',
        "    permissions {",
        f"      publish: {_subjects(rule.publish) if rule.publish else _NOTHING}",
        # QoS 1 deliveries come over a subject of the broker's own, which no filter may name.
        f"      subscribe: {_subjects((*rule.subscribe, '$MQTT/sub/#'))}",
        "    }",
        "  }",
    ]


def _subjects(filters: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{_quoted(subject_of(topic))}"' for topic in filters) + "]"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
