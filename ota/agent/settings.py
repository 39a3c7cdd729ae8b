"""How patient an agent is, and what it trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ota.agent.steps.probation import Probation


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Times in seconds."""

    poll_s: float = 60.0
    """Between two polls, give or take a quarter."""
    longest_wait_s: float = 900.0
    """Between two polls of a hub that does not answer."""
    report_s: float = 300.0
    """Between two reports that say the same."""
    watch_s: float = 5.0
    """Between two looks at the edge while a set is on probation."""
    probation_cartons: int = 50
    probation_s: float = 600.0
    """A new set is on probation until so many cartons passed and so long it ran, but never beyond
    `longest_probation_s`.
    """
    longest_probation_s: float = 86_400.0
    most_errors: int = 1
    """More of them during probation, and the box goes back by itself."""
    most_late_share: float = 0.1
    load_s: float = 180.0
    """Longer loading, or dying while loading, and the box goes back."""
    budget_mb: int = 2048
    """Room for held sets; those that run, ran before or are pinned are kept beyond it."""
    reserve_mb: int = 512
    """Left free on the disk for everybody else."""
    clock_tolerance_s: float = 300.0
    """So far the clock may be below its floor before it is not believed."""

    @property
    def probation(self) -> Probation:
        return Probation(
            cartons=self.probation_cartons,
            least_s=self.probation_s,
            longest_s=self.longest_probation_s,
            most_errors=self.most_errors,
            most_late_share=self.most_late_share,
            load_s=self.load_s,
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """What a box trusts from its enrolment on. `director_keys`: Ed25519 public keys (32 bytes) by
    a name; `root`: the first root metadata of the image plane (TUF).
    """

    root: bytes
    director_keys: Mapping[str, bytes] = field(default_factory=dict)

    def directors(self) -> list[Ed25519PublicKey]:
        return [Ed25519PublicKey.from_public_bytes(each) for each in self.director_keys.values()]
