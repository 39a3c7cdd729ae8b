"""The model sets that this appliance carries: which folder, opened and verified (I3, I5)."""

from __future__ import annotations

from pathlib import Path

from appliance.paths import models_root
from contracts.errors import ArtefactRefusedError
from ota.model_set import MANIFEST, ModelSet, open_model_set

READER, BACKBONE = "label_reader", "defect_backbone"


def carried(kind: str) -> ModelSet:
    """The newest set of a kind below models/, every file checked.

    Raises ArtefactRefusedError when there is none or a file does not hold.
    """
    root = models_root() / kind
    versions = sorted((path.parent for path in root.glob(f"*/{MANIFEST}")), key=_release)
    if not versions:
        raise ArtefactRefusedError(
            f"There is no model set below {root}", mend="Install the appliance again"
        )
    return open_model_set(versions[-1])


def _release(folder: Path) -> tuple[int, ...]:
    """1.10.0 comes after 1.9.0."""
    return tuple(int(part) if part.isdecimal() else -1 for part in folder.name.split("."))
