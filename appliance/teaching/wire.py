"""What the hub tells a station about signed profiles. JSON by msgspec of these classes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.teaching.signing import ProfileSignature, QualityKey

PROFILES_PATH = "/device/v1/profiles"
PINNED_PATH = PROFILES_PATH + "/of"
"""And the 64 hex digits of a profile's digest: its signature, the newest where it has several."""


@dataclass(frozen=True, slots=True)
class SignedProfiles:
    """The chain of quality keys, oldest first, and what counts now, in the order of serials."""

    keys: tuple[QualityKey, ...] = ()
    profiles: tuple[ProfileSignature, ...] = ()
