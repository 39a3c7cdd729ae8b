"""A catalogue record from an opened model set: what its files say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.errors import ArtefactRefusedError
from ota.model_set import MANIFEST, ModelSet
from ota.registry.lanes import check_part, lane_of
from ota.registry.records import Lineage, SetFile, SetRecord

_MOST_WORDS = 256 << 10
"""A card or quality record longer than this is cut off in the catalogue: nobody reads it there."""


def describe(model_set: ModelSet, *, base: str, data: str, made_by: str) -> SetRecord:
    """Raises BadInputError for a kind, name or version that cannot be, ArtefactRefusedError."""
    raw = (model_set.folder / MANIFEST).read_bytes()
    manifest = json.loads(raw)
    return SetRecord(
        digest=model_set.digest,
        lane=lane_of(model_set.kind),
        name=check_part(model_set.name, "name"),
        version=check_part(model_set.version, "version"),
        kind=model_set.kind,
        licence=model_set.licence,
        files=tuple(
            _file(path, facts, model_set) for path, facts in sorted(manifest["files"].items())
        ),
        manifest_bytes=len(raw),
        variants=model_set.variants,
        unproven=model_set.unproven,
        parity=_parity(manifest.get("parity", {})),
        card=_words(model_set, "MODEL_CARD.md"),
        quality=_words(model_set, "quality.toml"),
        lineage=Lineage(
            base=base,
            recipe=str(manifest.get("recipe", "")),
            source=str(manifest.get("source", "")),
            data=data,
            made_by=made_by,
        ),
    )


def _file(path: str, facts: Mapping[str, Any], model_set: ModelSet) -> SetFile:
    size = (model_set.folder / path).stat().st_size
    if facts.get("bytes") != size:
        raise ArtefactRefusedError(
            f"{path} has {size} bytes, its manifest says {facts.get('bytes')}",
            mend="Write the manifest anew",
        )
    return SetFile(path, str(facts["sha256"]), size)


def _parity(stated: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        str(engine): {
            name: float(value)
            for name, value in proof.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        for engine, proof in stated.items()
        if isinstance(proof, Mapping)
    }


def _words(model_set: ModelSet, name: str) -> str:
    try:
        raw = (model_set.folder / name).read_bytes()
    except FileNotFoundError:
        return ""
    return raw.decode("utf-8", "replace")[:_MOST_WORDS]
