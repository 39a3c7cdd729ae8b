"""Which model sets run here: the newest one that holds; a refused one leaves the previous one
running, and the station says so (I3, I5).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from appliance.paths import SETS, models_root
from appliance.words import DEFAULT, words
from contracts.errors import ArtefactRefusedError
from contracts.reason import Reason
from ota.model_set import ModelSet, open_model_set
from vision.engine import CPU

READER, BACKBONE, CRACKS = SETS["read"], SETS["inspect"], SETS["cracks"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running(Generic[T]):
    """What was made of a set, the engine it runs on, and what a person should know about it."""

    made: T
    model_set: ModelSet
    variant: str
    notes: tuple[Reason, ...]


def carried(kind: str) -> ModelSet:
    """The newest set of a kind below models/ that holds, every file checked. For commands: what
    was refused is told on standard error.

    Raises ArtefactRefusedError when there is none or none holds.
    """
    running = newest_that_runs(kind, lambda model_set, _: model_set)
    for note in running.notes:
        sys.stderr.write(f"tallyman: {words(DEFAULT).reason(note)}\n")
    return running.made


def newest_that_runs(
    kind: str,
    make: Callable[[ModelSet, str], T],
    *,
    variant: str = CPU,
    before: Path | None = None,
    root: Path | None = None,
) -> Running[T]:
    """Make something of the newest set of a kind that holds; `make` takes the set and the engine.

    `before` is a folder that is wanted before those below `root`, our models/ where none is named.
    A set whose files do not hold,
    or of which nothing can be made, is passed over and named in the notes. One that is not proven
    on `variant` runs on the engine that every set is made on. Raises ArtefactRefusedError when
    there is no set or none runs.
    """
    below = (root or models_root()) / kind
    folders = [*([before] if before else []), *versions(below)]
    refused: list[tuple[Path, str]] = []
    for folder in folders:
        try:
            model_set = open_model_set(folder)
            running_on = engine_for(model_set, variant)
            made = make(model_set, running_on)
        except (ArtefactRefusedError, OSError) as error:
            why = error.message if isinstance(error, ArtefactRefusedError) else str(error)
            refused.append((folder, why))
            continue
        notes = [
            Reason(
                "model_set_refused",
                {"set": kind, "refused": bad.name, "why": why, "running": folder.name},
            )
            for bad, why in refused
        ]
        if running_on != variant:
            notes.append(
                Reason("variant_unproven", {"set": kind, "wanted": variant, "running": running_on})
            )
        return Running(made, model_set, running_on, tuple(notes))
    raise ArtefactRefusedError(
        f"No model set of {kind} can run: {refused[0][1]}"
        if refused
        else f"There is no model set below {below}",
        mend="Install the appliance again",
    )


def engine_for(model_set: ModelSet, wanted: str) -> str:
    """The wanted engine where the set is proven on it, else the one that every set is made on.

    Raises ArtefactRefusedError for a set that is proven on neither.
    """
    for variant in (wanted, CPU):
        if variant in model_set.variants:
            return variant
    raise ArtefactRefusedError(
        f"{model_set.folder.name} is proven on {', '.join(model_set.variants) or 'nothing'} only",
        mend="Choose that engine in reader.engine",
    )


def versions(root: Path) -> Iterable[Path]:
    """The folders of a kind's sets, newest first; 1.10.0 comes after 1.9.0. A folder that is no version is no set."""
    if not root.is_dir():
        return []
    named = [path for path in root.iterdir() if path.is_dir() and _release(path)]
    return sorted(named, key=_release, reverse=True)


def _release(folder: Path) -> tuple[int, ...]:
    parts = folder.name.split(".")
    return tuple(int(part) for part in parts) if all(map(str.isdecimal, parts)) else ()
