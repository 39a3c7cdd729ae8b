"""What a photo-eye says: covered or not. Pure; bad payloads are refused, never guessed (I7).

Eyes and small controllers disagree on how to say one bit: `{"state": 1, "at": "..."}` with state
as 0/1 or true/false, or the bare word. Nothing else is taken: a payload that is almost right may
come from another device on the same topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from contracts.errors import BadInputError

MOST_BYTES: Final = 256
_WORDS: Final = {b"1": True, b"0": False, b"true": True, b"false": False}
_MEND: Final = 'Send {"state": 1} or {"state": 0}, or a bare 0, 1, true or false'


@dataclass(frozen=True, slots=True)
class PhotoEye:
    """`covered` while something is before the eye. `at` is the eye's own clock, aware, or None:
    for the record only, which frame belongs to which carton is decided by our clock.
    """

    covered: bool
    at: datetime | None = None


class _Said(msgspec.Struct, forbid_unknown_fields=False):
    state: bool | int
    at: datetime | None = None


def parse_photo_eye(payload: bytes) -> PhotoEye:
    """Raises BadInputError with the payload's start and how to mend it."""
    word = payload.strip().lower()
    if word in _WORDS:
        return PhotoEye(_WORDS[word])
    if len(payload) > MOST_BYTES:
        raise _refused(payload, f"it has {len(payload)} bytes, at most {MOST_BYTES} are taken")
    try:
        said = msgspec.json.decode(payload, type=_Said)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused(payload, str(error)) from error
    if said.state not in (0, 1):
        raise _refused(payload, f"state is {said.state}, not 0 or 1")
    if said.at is not None and said.at.tzinfo is None:
        raise _refused(payload, "at has no time zone")
    return PhotoEye(bool(said.state), said.at)


def _refused(payload: bytes, why: str) -> BadInputError:
    start = payload[:40].decode("utf-8", "backslashreplace")
    return BadInputError(f"photo-eye payload {start!r} refused: {why}", mend=_MEND)
