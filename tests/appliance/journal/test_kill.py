"""kill -9 and a full disk, with a real process: what was acknowledged is there (I2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.journal.verify import verify_journal
from contracts.clock import SystemClock
from tests.appliance.journal.bodies import started

WRITER = Path(__file__).with_name("writer_process.py")
ROOT = Path(__file__).resolve().parents[3]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("after_lines", [1, 37, 160])
async def test_every_acknowledged_entry_survives_kill_9(tmp_path: Path, after_lines: int):
    acknowledged = []
    with start(tmp_path) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged.append(line)
            if len(acknowledged) == after_lines:
                break
        writer.kill()
        acknowledged += [line for line in writer.stdout if line.endswith("\n")]
    path = tmp_path / "journal.db"
    report = verify_journal(path)
    assert report.holds, report.findings
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "dock-1")
    with Journal.open(path, identity=identity, clock=SystemClock()) as journal:
        stored = {(entry.seq, entry.hash) for entry in journal.entries(limit=100_000)}
        told = {(int(seq), digest) for seq, digest in map(str.split, acknowledged)}
        assert len(told) >= after_lines
        assert told <= stored
        assert (await journal.append(started())).seq == len(stored) + 1
    assert verify_journal(path).holds


def test_a_disk_that_takes_no_more_stops_the_station_and_loses_nothing(tmp_path: Path):
    """A file size limit makes the system call itself fail, as a full disk does."""
    with start(tmp_path, str(120_000)) as writer:
        assert writer.stdout is not None
        lines = writer.stdout.readlines()
        assert writer.wait(60) == 0
    assert lines[-1].startswith("full ")
    assert "takes no more" in lines[-1]
    report = verify_journal(tmp_path / "journal.db")
    assert report.holds
    assert report.entries >= len(lines) - 1 > 10
