"""A box at work, with a set that the site published and one that somebody would like it to run."""

from __future__ import annotations

import pytest

from contracts.ota import BoxStep
from tests.support.box import INSTALLED_DIGESTS, Box
from tests.support.image_plane import set_files


class Site:
    """One box after an honest update, and what an attacker is after: `evil` must never run."""

    def __init__(self) -> None:
        self.box = Box()
        self.repository = self.box.repository
        self.good = self.repository.publish("read", set_files("read", "2.0.0"))
        self.evil_files = set_files("read", "6.6.6", {"model.onnx": b"reads what it likes" * 50})
        self.box.run(10)
        self.update(self.good)

    def update(self, digest: str, **words: object) -> None:
        """Stage, run, settle: as far as the box goes along."""
        self.box.hub.assign(stage={"read": digest}, **words)
        self.box.run(130)
        self.box.hub.assign(run={"read": digest}, **words)
        self.box.run(200)

    def runs_on(self, code: str, about: str = "metadata") -> None:
        """The good set judges, and the box says why it took nothing else."""
        assert self.box.running["read"] == self.good
        assert self.box.said.running["read"] == self.good
        assert self.box.said.trouble[about].code == code

    def later(self, digest: str) -> None:
        """Whatever happened: with honest files the box is as good as before."""
        self.update(digest)
        assert self.box.running["read"] == digest
        assert self.box.said.step is BoxStep.IDLE


@pytest.fixture
def site() -> Site:
    made = Site()
    assert made.box.running == {"read": made.good, "inspect": INSTALLED_DIGESTS["inspect"]}
    return made
