"""The [ota] section: who approves, how boxes are reckoned, where artefacts lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec


@dataclass(frozen=True, slots=True)
class OtaConfig:
    second_person: bool = True
    """A set is published, and a rollout approved, by somebody else than whoever proposed it."""
    golden: bool = True
    """A set is held to golden frames at the hub before it may be published."""
    artefacts: str = ""
    """URL of an S3-compatible bucket (s3://bucket/prefix); empty: in the data folder."""
    poll_s: Annotated[int, msgspec.Meta(ge=1, le=86400)] = 60
    """How often a box asks for its assignment; a wake-up by the broker is sooner."""
    live_s: Annotated[int, msgspec.Meta(ge=15)] = 300
    """A box that was not heard for so long is away: no wave waits for it."""
    assignment_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 14
    """So long an assignment lets a box begin something new; it is made out again at half of it."""
    keep_mb: Annotated[int, msgspec.Meta(ge=64)] = 2048
    """Of a box's disk for model sets; what runs, ran before or judges an open batch always stays."""
    probation_cartons: Annotated[int, msgspec.Meta(ge=1)] = 50
    probation_s: Annotated[int, msgspec.Meta(ge=1)] = 600
    """A set that a box switched to stays when so many cartons passed and so long it ran without more
    than one error; else the box goes back by itself."""
    agent: bool = True
    """Whether `tallyman up` runs the updater beside the edge."""
