"""What the agent asks of a disk: the real one and the one in memory answer alike, and the latter
forgets at a power cut what nobody synced.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from ota.agent.files import Files, RealFiles, write_whole
from ota.agent.memory_disk import Loss, MemoryDisk, PowerCut


@pytest.fixture(params=["real", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return RealFiles(tmp_path / "sets") if request.param == "real" else MemoryDisk()


def test_what_was_appended_is_read_whole_or_in_parts(files: Files):
    files.append("a", b"hello ")
    files.append("a", b"dock")
    assert files.read("a") == b"hello dock"
    assert files.read("a", offset=6, size=2) == b"do"
    assert files.read("a", offset=99, size=2) == b""
    assert files.size("a") == 10
    files.truncate("a")
    assert files.size("a") == 0


def test_names_and_folders(files: Files):
    files.make_folder("held/a")
    files.make_folder("held/a")
    files.append("held/a/one", b"1")
    files.append("held/two", b"2")
    assert files.names("held") == ["a", "two"]
    assert files.names("held/a") == ["one"]
    assert files.names("nowhere") == files.names("held/two") == []
    assert files.is_folder("held")
    assert not files.is_folder("held/two")
    assert files.size("held") is None
    files.remove("held/two")
    files.remove("held/a/one")
    files.remove_folder("held/a")
    assert files.names("held") == []


def test_a_file_takes_the_place_of_another_and_a_folder_a_free_one(files: Files):
    files.append("new", b"new")
    files.append("old", b"old")
    files.rename("new", "old")
    assert files.read("old") == b"new"
    assert files.size("new") is None
    files.make_folder("staging/x")
    files.append("staging/x/file", b"1")
    files.make_folder("held")
    files.rename("staging/x", "held/x")
    assert files.read("held/x/file") == b"1"
    assert files.names("staging") == []


@pytest.mark.parametrize(
    "call",
    [
        lambda files: files.read("none"),
        lambda files: files.rename("none", "other"),
        lambda files: files.remove("none"),
        lambda files: files.sync("none"),
        lambda files: files.append("no/folder", b""),
    ],
)
def test_what_is_not_there_is_said_so(files: Files, call: Callable[[Files], object]):
    with pytest.raises(FileNotFoundError):
        call(files)


def test_a_folder_with_something_in_it_stays(files: Files):
    files.make_folder("held")
    files.append("held/file", b"1")
    with pytest.raises(OSError, match="not empty"):
        files.remove_folder("held")


@pytest.mark.parametrize("name", ["../out", "a/../../b", "/etc/passwd", "a//b", ".", "a\\b", "a\0"])
def test_no_name_leads_out_of_the_folder(files: Files, name: str):
    for call in (files.read, files.truncate, files.make_folder, files.names):
        with pytest.raises(BadInputError):
            call(name)


def test_a_whole_write_replaces_and_leaves_nothing_beside(files: Files):
    for content in (b"one", b"two"):
        write_whole(files, "deep/down/state.json", content)
        assert files.read("deep/down/state.json") == content
        assert files.names("deep/down") == ["state.json"]


def test_everything_is_synced_without_a_complaint(files: Files):
    files.make_folder("held")
    files.append("held/file", b"1")
    files.sync("held/file")
    files.sync_folder("held")
    files.sync_folder("")
    assert files.free_bytes() > 1 << 20
    assert "held" in files.where("held")


def test_what_was_not_synced_is_gone_after_a_power_cut():
    disk = MemoryDisk()
    disk.append("safe", b"synced")
    disk.sync("safe")
    disk.sync_folder("")
    disk.append("safe", b" and more")
    disk.append("lost", b"never named")
    disk.rename("lost", "found")
    left = disk.after_power_cut(Loss.ALL)
    assert left.names("") == ["safe"]
    assert left.read("safe") == b"synced"
    assert disk.after_power_cut(Loss.NONE).read("safe") == b"synced and more"


@given(seed=st.integers(0, 10_000), cut=st.integers(1, 12))
def test_a_whole_write_is_old_or_new_whatever_is_torn(seed: int, cut: int):
    disk = MemoryDisk()
    write_whole(disk, "state.json", b"old" * 100)
    disk.cut_at = disk.calls + cut
    with contextlib.suppress(PowerCut):
        write_whole(disk, "state.json", b"new" * 100)
    for loss in Loss:
        left = disk.after_power_cut(loss, random=Random(seed))  # noqa: S311 -- a tear, no secret
        assert left.read("state.json") in {b"old" * 100, b"new" * 100}


def test_a_disk_that_refuses_keeps_what_it_had():
    disk = MemoryDisk(capacity=10)
    disk.append("a", b"12345")
    with pytest.raises(OSError, match="No space"):
        disk.append("a", b"1234567")
    assert disk.read("a") == b"12345"
    assert disk.free_bytes() == 5
