"""Which deltas are worth making when a set is published: from the newest earlier sets of its name."""

from __future__ import annotations

from collections.abc import Sequence

from ota.registry.artefacts import Artefacts, DeltaName
from ota.registry.ports import DeltaMaker
from ota.registry.records import SetRecord

FROM_NEWEST = 3
"""A box that is farther behind fetches files whole."""
LARGEST_BYTES = 64 << 20
"""Larger files are sent whole: a delta is made in memory."""


def wanted(new: SetRecord, published: Sequence[SetRecord]) -> Sequence[tuple[str, str]]:
    """Pairs of SHA-256, old and new, of files with the same path that differ."""
    earlier = [
        each
        for each in published
        if each.lane == new.lane and each.name == new.name and each.digest != new.digest
    ]
    earlier.sort(key=lambda each: each.published_at_us, reverse=True)
    pairs: dict[tuple[str, str], None] = {}
    for old in earlier[:FROM_NEWEST]:
        before = {each.path: each for each in old.files}
        for file in new.files:
            known = before.get(file.path)
            if known is None or known.sha256 == file.sha256:
                continue
            if max(known.size_bytes, file.size_bytes) <= LARGEST_BYTES:
                pairs[known.sha256, file.sha256] = None
        pairs[old.hex, new.hex] = None
    return tuple(pairs)


def make_deltas(
    artefacts: Artefacts, new: SetRecord, published: Sequence[SetRecord], make: DeltaMaker
) -> Sequence[DeltaName]:
    """Those that were made and kept. Raises UnavailableError where the store does not answer."""
    made = []
    for old, wanted_hash in wanted(new, published):
        delta = make(artefacts.get(old), artefacts.get(wanted_hash))
        if delta is not None:
            made.append(artefacts.put_delta(old, wanted_hash, delta))
    return made
