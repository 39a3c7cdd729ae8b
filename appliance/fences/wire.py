"""Signed fences on their way from the hub to a gateway: part of the gateway's bundle."""

from __future__ import annotations

import msgspec

from appliance.fences.statement import Delegation, SignedFence
from appliance.teaching.signing import QualityKey


class SignedFences(msgspec.Struct, frozen=True):
    """Keys first, then delegations, then fences: each is checked before the next counts.

    `keys` is the chain of the quality lead's keys, oldest first.
    """

    keys: tuple[QualityKey, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    fences: tuple[SignedFence, ...] = ()
