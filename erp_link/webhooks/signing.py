"""Signatures of webhook messages, as Standard Webhooks 1.0.0 has them (standardwebhooks.com).

Signed is `id.timestamp.body` with HMAC-SHA256. The time keeps an old message from being sent again
by somebody else; a receiver knows repetitions by the id. While a secret is being changed a message
carries two signatures, one for each secret that is valid.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from contracts.errors import BadInputError

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
_SECRET_BYTES = 32
_LEAST, _MOST = 24, 64


def new_secret() -> str:
    """A secret to give to the receiver."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(message_id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The headers of a message, signed with every valid secret. Raises BadInputError."""
    stamp = str(int(at.timestamp()))
    signatures = [_signature(message_id, stamp, body, key) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def verify(given: Mapping[str, str], body: bytes, key: str, *, now: datetime) -> None:
    """What a receiver does: raises BadInputError where the message is not signed with `key`, or
    not within five minutes of now.
    """
    message_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message_id or not (stamp.isascii() and stamp.isdigit()):
        raise BadInputError("The webhook headers are missing", mend="Read all three of them")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise BadInputError("The message is too old or too new", mend="Look at both clocks")
    wanted = _signature(message_id, stamp, body, key)
    signatures = given.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(each, f"v1,{wanted}") for each in signatures):
        raise BadInputError("The signature does not fit", mend="Use the secret of this webhook")


def _signature(message_id: str, stamp: str, body: bytes, key: str) -> str:
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(key), signed, hashlib.sha256).digest()).decode()


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise BadInputError("The secret is not base64", mend="Copy it whole") from error
    if not text.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise BadInputError("That is no webhook secret", mend=f"It begins with {PREFIX}")
    return key
