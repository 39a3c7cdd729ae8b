"""What a model set must show before it may be published.

Every engine that its manifest names must be proven (I3). A licence that obliges those who pass a
set on, as AGPL-3.0 does, needs a person who decided so for this very set, on record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ArtefactRefusedError, BadInputError
from ota.model_set import ModelSet

FREE = frozenset({"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0"})
"""Licences under which a set may be passed on without anybody's decision."""


@dataclass(frozen=True, slots=True)
class LicenceDecision:
    """A person's recorded yes to publishing one set under its licence."""

    model_set: str
    licence: str
    decided_by: str
    reason: str
    decided_at: str
    """UTC, ISO 8601."""


def read_decision(path: Path) -> LicenceDecision:
    """A decision from its JSON file. Raises BadInputError naming what is missing."""
    names = LicenceDecision.__slots__
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        facts = {name: str(said[name]).strip() for name in names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{path} is not a licence decision: {error!r}", mend=f"It needs {', '.join(names)}"
        ) from error
    if empty := [name for name, value in facts.items() if not value]:
        raise BadInputError(f"{path} leaves {', '.join(empty)} empty", mend="Fill it in")
    return LicenceDecision(**facts)


def check_publishable(model_set: ModelSet, decision: LicenceDecision | None = None) -> None:
    """Raises ArtefactRefusedError for a set that may not be published, with what it lacks."""
    if model_set.unproven:
        raise ArtefactRefusedError(
            f"{model_set.name} {model_set.version} is not proven on "
            f"{', '.join(model_set.unproven)}, which its manifest names",
            mend="Run models/recipes/defect/conform.py for them, or take them out of the manifest",
        )
    if model_set.licence in FREE:
        return
    mend = "The quality lead records a decision: the set's digest, its licence, who, why and when"
    if decision is None:
        raise ArtefactRefusedError(
            f"{model_set.name} {model_set.version} is under {model_set.licence or 'no licence'}, "
            "and nobody decided to publish it",
            mend=mend,
        )
    if (decision.model_set, decision.licence) != (model_set.digest, model_set.licence):
        raise ArtefactRefusedError(
            f"The decision is about {decision.model_set} under {decision.licence}, this is "
            f"{model_set.digest} under {model_set.licence}",
            mend=mend,
        )
