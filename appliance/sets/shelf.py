"""Every model set of this box, found by its digest: those the agent fetched, and the installation's.

A set is opened whole, every file checked, each time it is asked for: what is on the disk may have
changed since (I5).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import structlog

from appliance.model_sets import versions
from appliance.paths import SETS, models_root
from contracts.errors import ArtefactRefusedError, BadInputError, TallymanError
from ota.agent.handover import held_folder
from ota.model_set import MANIFEST, ModelSet, open_model_set
from ota.proof import Proof
from ota.registry.lanes import LANE_OF_KIND

_SHOWN = 19
_FOLDERS = {folder: lane for lane, folder in SETS.items()}
T = TypeVar("T")
log = structlog.get_logger()


class SetShelf:
    """`installed` holds a folder a kind (ours where none is named), `agent` is the agent's folder
    with what it holds; None: this box has no agent. Methods block.
    """

    def __init__(self, *, installed: Path | None = None, agent: Path | None = None) -> None:
        self._installed = installed
        self._agent = agent

    @property
    def agent(self) -> Path | None:
        return self._agent

    def find(self, kind: str, digest: str) -> ModelSet:
        """A set of a kind (a folder below models/). Raises ArtefactRefusedError where it is not
        here, does not hold, or is for another use.
        """
        held = self.held(digest)
        if held is not None:
            if LANE_OF_KIND.get(held.kind) not in {None, _FOLDERS.get(kind)}:
                raise ArtefactRefusedError(
                    f"{digest[:_SHOWN]} is a {held.kind}, not a {kind}",
                    mend="Assign a set to the lane that its kind is for",
                )
            return held
        for model_set in _whole(versions((self._installed or models_root()) / kind)):
            if model_set.digest == digest:
                return model_set
        raise ArtefactRefusedError(
            f"The model set {digest} of {kind} is not here any more",
            mend="Enrol the product anew, or bring the set back",
        )

    def has(self, digest: str) -> bool:
        """Whether a set of this digest stands here, as far as its manifest goes."""
        if self._agent is not None:
            with contextlib.suppress(BadInputError):
                if (self._agent / held_folder(digest) / MANIFEST).is_file():
                    return True
        root = self._installed or models_root()
        return any(digest_in(folder) == digest for folder in root.glob("*/*"))

    def of_lane(self, lane: str, digest: str) -> ModelSet:
        """A set that only the agent brings. Raises ArtefactRefusedError where it is not here, does
        not hold, or is for another lane.
        """
        found = self.held(digest)
        if found is None or LANE_OF_KIND.get(found.kind) != lane:
            what = f"a {found.kind}" if found else "not here"
            raise ArtefactRefusedError(
                f"{digest[:_SHOWN]} for the lane {lane} is {what}",
                mend="Assign a set of that lane; the agent fetches it",
            )
        return found

    def held(self, digest: str) -> ModelSet | None:
        """A set that the agent fetched; None where it has none of this digest.

        Raises ArtefactRefusedError where its files do not hold.
        """
        if self._agent is None:
            return None
        with contextlib.suppress(BadInputError):
            folder = self._agent / held_folder(digest)
            if folder.is_dir():
                found = open_model_set(folder)
                if found.digest != digest:
                    raise ArtefactRefusedError(
                        f"{folder} holds {found.digest}", mend="The agent fetches it again"
                    )
                return found
        return None


def digest_in(folder: Path) -> str:
    """The digest that a set's manifest has; empty where there is none."""
    try:
        return "sha256:" + hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""


def loaded_whole(model_set: ModelSet, load: Callable[[ModelSet], T]) -> T:
    """What `load` makes of a set whose files were the manifest's before and after it read them, so
    that the digest told is that of what was loaded. Raises ArtefactRefusedError.
    """
    made = load(model_set)
    if open_model_set(model_set.folder).digest != model_set.digest:
        raise ArtefactRefusedError(
            f"{model_set.folder} changed while it was loaded",
            mend="Fetch the model set again; the previous one goes on running",
        )
    return made


def stands_for(model_set: ModelSet) -> frozenset[str]:
    """Digests of the sets whose profiles this one may judge: its manifest names them under
    `succeeds`, each with the same proof on golden pictures that an engine needs (ota.proof), so
    that bounds measured under the one hold under the other (I7).
    """
    try:
        manifest = json.loads((model_set.folder / MANIFEST).read_bytes())
        named = dict(manifest.get("succeeds", {}))
    except (OSError, ValueError, TypeError) as error:
        raise ArtefactRefusedError(
            f"{model_set.folder} says nothing about what it succeeds: {error}",
            mend="Fetch the model set again",
        ) from error
    proofs = {digest: Proof.of(facts) for digest, facts in named.items()}
    return frozenset(digest for digest, proof in proofs.items() if proof and proof.holds)


def _whole(folders: Iterable[Path]) -> Iterable[ModelSet]:
    for folder in folders:
        try:
            yield open_model_set(folder)
        except (TallymanError, OSError) as error:
            log.warning("model set refused", set=folder.name, error=str(error))
