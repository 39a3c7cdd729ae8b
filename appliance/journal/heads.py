"""Heads that the hub countersigned: with one, a log cut at its end is found too (I4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.keys import HEAD, canonical, verifies_hex


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain. `seq` 0 with GENESIS is the empty chain."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Countersigned:
    """The hub's word that it had applied `device` up to `seq` with `hash` at `at_us`."""

    device: str
    seq: int
    hash: str
    at_us: int
    signature: str


def _message(device: str, seq: int, hash_: str, at_us: int) -> bytes:
    return canonical({"v": 1, "device": device, "seq": seq, "hash": hash_, "at_us": at_us})


def countersign(
    sign: Callable[[bytes], bytes], *, device: str, head: Head, at_us: int
) -> Countersigned:
    """`sign` is the hub's head key."""
    signature = sign(HEAD + _message(device, head.seq, head.hash, at_us)).hex()
    return Countersigned(device, head.seq, head.hash, at_us, signature)


def is_genuine(head: Countersigned, key: Ed25519PublicKey) -> bool:
    message = _message(head.device, head.seq, head.hash, head.at_us)
    return verifies_hex(key, HEAD, message, head.signature)
