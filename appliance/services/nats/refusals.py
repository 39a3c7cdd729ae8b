"""What the broker refused, as its log tells it: forged topics, foreign topics, wrong passwords.

NATS counts none of this, it writes a line for each. The end of the log is enough for a page, and
its size is bounded by whoever keeps the process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from appliance.services.address import LOOPBACK
from appliance.services.nats.conf import PROBE

_TAIL_BYTES = 512 * 1024
_MOST = 200
_LINE = re.compile(
    r"^\[\d+\] (?P<at>[\d/]{10} [\d:.]{8,15}) \[ERR\] (?P<host>\S+):\d+ - mid:\d+ - "
    r"(?:\"(?P<who>[^\"]*)\" - )?"
    r"(?:(?P<what>Publish|Subscription) Violation - (?:.*?, )?Subject \"(?P<subject>[^\"]*)\""
    r"|authentication error(?: - User \"(?P<user>[^\"]*)\")?)"
)
What = Literal["publish", "subscribe", "sign_in"]


@dataclass(frozen=True, slots=True)
class Refused:
    """Same thing, same sender: counted. `who` is the client's own word unless it signed in wrongly;
    `topic` is empty for a sign-in.
    """

    what: What
    who: str
    host: str
    topic: str
    count: int
    at: datetime
    """The newest time."""


def read_refusals(log: Path) -> Sequence[Refused]:
    """The newest first, at most 200 kinds. No log: nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return parse_refusals(text)


def parse_refusals(text: str) -> Sequence[Refused]:
    found: dict[tuple[What, str, str, str], Refused] = {}
    for line in text.splitlines():
        one = _read(line)
        if one is None:
            continue
        key = (one.what, one.who, one.host, one.topic)
        before = found.pop(key, None)
        found[key] = replace(one, count=before.count + 1) if before is not None else one
    return tuple(reversed(found.values()))[:_MOST]


def _read(line: str) -> Refused | None:
    match = _LINE.match(line)
    if match is None:
        return None
    at = datetime.strptime(match["at"][:19], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
    what: What = "sign_in"
    if match["what"]:
        what = "publish" if match["what"] == "Publish" else "subscribe"
    elif match["user"] is None:
        # The line that follows, of the same refusal.
        return None
    elif match["user"] == PROBE and match["host"] == LOOPBACK:
        # Ours, asking whether new users are in force yet.
        return None
    return Refused(
        what, match["user"] or match["who"] or "", match["host"], topic_of(match["subject"] or ""), 1, at
    )  # fmt: skip


def topic_of(subject: str) -> str:
    """The MQTT filter of a NATS subject; `conf.subject_of` the other way round."""
    known = {"*": "+", ">": "#", "/": ""}
    return "/".join(known.get(one, one.replace("//", ".")) for one in subject.split("."))
