"""What a set that is taken back stands for in batches' pins (I3).

A pin names a network by its set, but a product's profile by its own digest: a set of profiles is as
many parts of judges as it holds profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contracts.errors import NotFoundError
from ota.registry.records import SetRecord
from ota.registry.registry import Registry
from vision.defects.profile import Profile

_PROFILES = "profiles"

DigestOf = Callable[[bytes, str], str]
"""A profile's digest by its file's bytes and name. Raises BadInputError for what is none."""


def profile_digest(data: bytes, name: str) -> str:
    return Profile.from_bytes(data, name=name).digest


def parts_taken_back(
    registry: Registry, bad: Mapping[str, str], *, digest_of: DigestOf = profile_digest
) -> dict[str, str]:
    """By the digest that pins name, what judges instead; empty: without that part. `bad` says it by
    set. A product whose profile is the same in both sets keeps its judge.

    Raises ArtefactRefusedError, NotFoundError, UnavailableError for a file that cannot be had.
    """
    parts: dict[str, str] = {}
    for gone, instead in bad.items():
        record = _record(registry, gone)
        if record is None or record.lane != _PROFILES:
            parts[gone] = instead
            continue
        better = _record(registry, instead)
        before = _profiles(registry, better, digest_of) if better else {}
        for product, digest in _profiles(registry, record, digest_of).items():
            if before.get(product) != digest:
                parts[digest] = before.get(product, "")
    return parts


def _record(registry: Registry, digest: str) -> SetRecord | None:
    """None for a set that only came with an installation."""
    try:
        return registry.get(digest)
    except NotFoundError:
        return None


def _profiles(registry: Registry, record: SetRecord, digest_of: DigestOf) -> dict[str, str]:
    return {
        file.path: digest_of(registry.artefacts.get(file.sha256), file.path)
        for file in record.files
        if file.path.endswith(".profile")
    }
