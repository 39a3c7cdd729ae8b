"""One data folder, one Tallyman."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.services.datalock import hold
from contracts.errors import AlreadyRunningError, BadInputError

HOLDER = """
import sys, pathlib
from appliance.services.datalock import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder: subprocess.Popen[str]) -> None:
    holder.communicate()


def test_a_second_start_on_the_same_folder_refuses_and_names_the_first(tmp_path: Path):
    holder = start_holder(tmp_path)
    try:
        with pytest.raises(AlreadyRunningError, match=rf"process {holder.pid}\b"), hold(tmp_path):
            pass
    finally:
        end(holder)
    with hold(tmp_path):
        pass


def test_a_lock_goes_with_its_process_even_on_kill_9(tmp_path: Path):
    holder = start_holder(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    end(holder)
    with hold(tmp_path):
        pass


def test_the_same_process_cannot_hold_a_folder_twice(tmp_path: Path):
    with hold(tmp_path), pytest.raises(AlreadyRunningError), hold(tmp_path):
        pass


def test_two_folders_are_two_appliances(tmp_path: Path):
    with hold(tmp_path / "a"), hold(tmp_path / "b"):
        assert (tmp_path / "a").is_dir()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="cannot be used"), hold(tmp_path / "file" / "var"):
        pass


def test_on_a_full_disk_a_folder_is_held_though_nobody_can_read_by_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with hold(tmp_path), pytest.raises(AlreadyRunningError, match="another process"):
        hold(tmp_path).__enter__()
