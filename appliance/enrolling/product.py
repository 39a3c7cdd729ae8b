"""Everything that a page says about one product at a station, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.enrolling.draft import Draft
from contracts.reason import Reason
from vision.defects.profile import Profile


@dataclass(frozen=True, slots=True)
class Learning:
    """Learning cracks: `share` 0..1, None while another product is first; `left_s` when known."""

    share: float | None
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Product:
    """`draft` is None for a profile whose pictures are not kept here."""

    gtin: str
    name: str
    draft: Draft | None
    candidate: Profile | None
    signed: Profile | None
    refused: str
    """Why the newest file of the product may not judge; empty where nothing is wrong."""
    learning: Learning | None
    drift: tuple[Reason, ...]
    """Why freezing is suspended; empty while it is not."""

    @property
    def state(self) -> str:
        """`collecting`, `candidate`, `signed`, `resigned` (signed, and a newer candidate waits)
        or `refused`.
        """
        if self.signed is not None:
            newer = self.candidate is not None and self.candidate.digest != self.signed.digest
            return "resigned" if newer else "signed"
        if self.candidate is not None:
            return "candidate"
        return "refused" if self.refused else "collecting"

    @property
    def newest(self) -> Profile | None:
        return self.candidate or self.signed

    @property
    def bound_percent(self) -> int | None:
        """What the newest profile promises; None while it may only ask for a review."""
        return self.newest.facts.bound_percent if self.newest else None

    @property
    def odd_items(self) -> frozenset[int]:
        """Items of the draft that enrolment found unlike the rest."""
        if self.newest is None or self.draft is None or self.draft.changed:
            return frozenset()
        return frozenset(int(item) for item in self.newest.facts.odd if item.isdecimal())
