"""The power goes at any call on the disk, or the disk refuses one: a verified set runs afterwards,
and the next start finishes what was begun or takes it back.
"""

from __future__ import annotations

from itertools import cycle
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.ota import BoxStep
from ota.agent.agent import AgentSettings
from ota.agent.handover import INSTALLATION, read_active
from ota.agent.memory_disk import Loss, MemoryDisk, PowerCut
from tests.support.box import INSTALLED_DIGESTS, Box, is_verified
from tests.support.image_plane import set_files

_FILES = {"model.onnx": b"w" * 5000, "parts/words.txt": b"a" * 300}
_SETTINGS = AgentSettings(poll_s=20, probation_cartons=5, probation_s=5, reserve_mb=0, watch_s=5)
_LATE = 40
_ROOM = 25_000
"""Bytes: the last set fits only where the bad one goes."""


class Story:
    """A whole life: an update, a second one that is taken back by the box, a third for which the
    first must go from the disk; with a power cut or a refusing disk somewhere.
    """

    def __init__(self) -> None:
        self.box = Box(settings=_SETTINGS)
        self.box.disk.capacity = _ROOM
        publish = self.box.repository.publish
        self.good = publish("read", set_files("read", "2.0.0", _FILES))
        changed = {**_FILES, "model.onnx": b"v" * 5000}
        self.bad = publish("read", set_files("read", "3.0.0", changed))
        large = {**_FILES, "model.onnx": b"u" * 10_000}
        self.last = publish("read", set_files("read", "4.0.0", large))
        self.box.edge.raises.add(self.bad)

    def tell(self) -> None:
        """The chapters, each until the box is where it should be."""
        self.chapter(self.good, run=False)
        self.chapter(self.good)
        self.chapter(self.bad, ends_with=self.good)
        self.chapter(self.last)

    def chapter(self, digest: str, *, run: bool = True, ends_with: str = "") -> None:
        box = self.box
        box.hub.assign(stage={"read": digest})
        self.until(lambda: digest in box.said.staged or digest in box.said.trouble)
        if not run:
            return
        box.hub.assign(run={"read": digest})
        expected = ends_with or digest
        self.until(
            lambda: (
                box.running.get("read") == expected
                and box.said.sequence == box.hub.number
                and box.said.running.get("read") == expected
                and box.said.step in {BoxStep.IDLE, BoxStep.RETURNED}
            )
        )

    def until(self, there) -> None:
        box = self.box
        for _ in range(_LATE):
            if box.hub.reports and there():
                return
            self.pass_time()
            self.check()
        raise AssertionError(f"never there: {box.said}")

    def pass_time(self) -> None:
        try:
            self.box.run(11)
        except PowerCut:
            self.box.after_power_cut(self.left)
            if self.again:
                self.loss, self.box.disk.cut_at = self.again
                self.again = None
            self.check()

    @property
    def left(self) -> MemoryDisk:
        disk = self.box.disk
        return disk.after_power_cut(self.loss, random=Random(disk.calls))  # noqa: S311 -- a tear, no secret

    loss = Loss.ALL
    again: tuple[Loss, int] | None = None

    def check(self) -> None:
        """What the edge would load now is whole: that of `active.json` and what it would go back to."""
        disk = self.box.disk.shared()
        active = read_active(disk)
        for lane in active.lanes.values():
            for digest in (lane.model_set, lane.previous):
                assert digest == INSTALLATION or is_verified(disk, digest)
        for name in disk.names("held"):
            assert is_verified(disk, f"sha256:{name}")


def whole_story() -> Story:
    story = Story()
    story.tell()
    assert story.box.edge.ran[-3:] == [story.bad, story.good, story.last]
    assert f"sha256:{story.bad[7:]}" not in story.box.said.held
    assert story.box.running["inspect"] == INSTALLED_DIGESTS["inspect"]
    return story


def test_the_whole_story_without_a_cut_changes_the_disk_hundreds_of_times():
    disk = whole_story().box.disk
    assert disk.calls > len(disk.changes) > 200


def test_whatever_call_the_power_goes_at_the_story_ends_well():
    """At every call that changes the disk, with each kind of loss in turn."""
    losses = cycle(Loss)
    for call in whole_story().box.disk.changes:
        story = Story()
        story.loss = next(losses)
        story.box.disk.cut_at = call
        story.tell()
        assert story.box.running["read"] == story.last, (call, story.loss)


@given(
    first=st.integers(1, 600),
    second=st.integers(1, 600),
    losses=st.tuples(st.sampled_from(Loss), st.sampled_from(Loss)),
)
@settings(deadline=None, max_examples=40)
def test_two_power_cuts_in_one_life_are_no_worse_than_one(first, second, losses):
    story = Story()
    story.loss = losses[0]
    story.box.disk.cut_at = first
    story.again = (losses[1], second)
    story.tell()
    assert story.box.running["read"] == story.last


def test_a_disk_that_refuses_one_call_is_told_of_and_the_update_goes_on():
    for call in whole_story().box.disk.changes[::6]:
        story = Story()
        story.box.disk.refuse_at = call
        story.tell()
        assert story.box.running["read"] == story.last, call
        story.box.run(60)
        assert story.box.said.trouble.keys() <= {story.bad}
