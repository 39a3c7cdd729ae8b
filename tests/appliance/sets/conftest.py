"""A box with an agent's folder that holds sets which came after the installation's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.model_sets import carried
from ota.agent.handover import held_folder
from ota.model_set import MANIFEST, ModelSet, open_model_set

PROOF = {"pictures": 600, "alike": 599}


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    folder = tmp_path / "sets"
    folder.mkdir()
    return folder


@pytest.fixture
def hold(agent: Path) -> Callable[..., ModelSet]:
    """`hold(kind, version)`: a set as good as the one we ship and another one by its digest."""

    def make(kind: str, version: str, *, succeeds: object = None) -> ModelSet:
        staged = agent / "staging" / kind
        shutil.copytree(carried(kind).folder, staged)
        manifest = json.loads((staged / MANIFEST).read_text(encoding="utf-8"))
        manifest["version"] = version
        if succeeds:
            manifest["succeeds"] = succeeds
        (staged / MANIFEST).write_text(json.dumps(manifest, sort_keys=True), encoding="utf-8")
        digest = open_model_set(staged).digest
        held = agent / held_folder(digest)
        held.parent.mkdir(exist_ok=True)
        staged.rename(held)
        return open_model_set(held)

    return make
