"""What the catalogue knows of a model set: what it is, what was shown of it, who did what with it.

Plain values; what may follow from what is decided in `decisions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from contracts.reason import Reason
from ota.publishing import LicenceDecision


class SetState(StrEnum):
    """Where a set stands. `withdrawn` is the end: it is never assigned again."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SetFile:
    """A file of a set: `sha256` is 64 hex digits, under which it is kept as an artefact."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """`alike` of `frames` golden frames were judged on `engine` as they must be; `trouble` says in
    words what was wrong, a crash for one.
    """

    engine: str
    frames: int
    alike: int
    at_us: int = 0
    by: str = ""
    trouble: Reason | None = None

    @property
    def passed(self) -> bool:
        return 0 < self.frames == self.alike and self.trouble is None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a set comes from. `base` is the digest of the set it was made from, or empty."""

    base: str = ""
    recipe: str = ""
    source: str = ""
    data: str = ""
    """What it learned from, in words or as a digest (of the examples held out, for one)."""
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes to publishing."""

    by: str
    at_us: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetRecord:
    """One model set. `digest` is `sha256:` and 64 hex digits of its manifest; times are
    microseconds since 1970, UTC, and 0 where it did not come to that.
    """

    digest: str
    lane: str
    name: str
    version: str
    kind: str
    licence: str
    files: tuple[SetFile, ...]
    manifest_bytes: int
    variants: tuple[str, ...] = ()
    """Engines that it is proven on."""
    unproven: tuple[str, ...] = ()
    parity: dict[str, dict[str, float]] = field(default_factory=dict)
    """By engine: pictures, alike, auroc_cost (ota.proof.Proof)."""
    card: str = ""
    """MODEL_CARD.md."""
    quality: str = ""
    """quality.toml."""
    lineage: Lineage = field(default_factory=Lineage)
    golden: tuple[GoldenResult, ...] = ()
    findings: tuple[Reason, ...] = ()
    """What its files show against it; while there is any, it is not published."""
    licence_decision: LicenceDecision | None = None
    state: SetState = SetState.PROPOSED
    proposed_by: str = ""
    proposed_at_us: int = 0
    approvals: tuple[Approval, ...] = ()
    published_by: str = ""
    published_at_us: int = 0
    withdrawn_by: str = ""
    withdrawn_at_us: int = 0
    withdrawn_why: str = ""
    signed_out: bool = False
    """Withdrawn, and the image plane no longer names it either."""

    @property
    def total_bytes(self) -> int:
        """Of all files and the manifest."""
        return self.manifest_bytes + sum(each.size_bytes for each in self.files)

    @property
    def hex(self) -> str:
        """The digest's 64 digits: the name of the manifest as an artefact."""
        return self.digest.removeprefix("sha256:")

    @property
    def target(self) -> str:
        """Its path in the image plane."""
        return f"{self.lane}/{self.name}/{self.version}/manifest.json"


class Deed(StrEnum):
    """What people and programs do with sets."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    SIGNED_OUT = "signed_out"
    PROVED = "proved"
    LICENCE_DECIDED = "licence_decided"
    KEYS = "keys"
    """Keys were made, replaced or adopted: `digest` is empty, `why` says which."""


@dataclass(frozen=True, slots=True)
class SetEvent:
    """A line of the audit trail; `serial` is given by the catalogue."""

    deed: Deed
    digest: str
    by: str
    at_us: int
    why: str = ""
    serial: int = 0
