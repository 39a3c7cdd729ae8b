"""A stranger's first minutes: one command, a table of verdicts, a journal that can be trusted."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest


def tallyman(*arguments: str, env=None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )


@pytest.mark.timeout(400)
def test_one_command_takes_the_sample_cartons_to_verdicts_slots_and_a_frozen_batch(up) -> None:
    process = up.start("--once")
    process.wait(timeout=300)
    said = up.output()
    assert process.returncode == 0, said

    assert re.search(r"first-sign-in/\S{20,}", said), "the first start prints a one-time link"
    rows = {m[1]: m[0] for m in re.finditer(r"│ (carton-\d\d) .*", said)}
    assert len(rows) == 12
    assert "ACCEPT" in rows["carton-01"]
    assert "A-01-1" in rows["carton-01"], "an accepted carton is brought to a slot"
    assert "OFF LIST" in rows["carton-05"]
    for frozen in ("carton-08", "carton-09", "carton-10"):
        assert "HOLD" in rows[frozen]
        assert "QUARANTINE" in rows[frozen]

    _journal_is_trusted(up)
    _core_counts_each_carton_once(up)

    second = up.start("--once")
    second.wait(timeout=300)
    assert second.returncode == 0, up.output()
    assert count_of(up, "SELECT count(*) FROM carton") == 24, "another delivery of the same batches"
    assert count_of(up, "SELECT count(*) FROM hold") == 1, "the frozen batch stays frozen"


def _journal_is_trusted(up) -> None:
    journal = up.layout.journal
    holds = tallyman("journal", "verify", str(journal))
    assert holds.returncode == 0, holds.stderr
    assert "countersigned" in holds.stdout

    copy = up.folder / "copy.db"
    shutil.copy(journal, copy)
    db = sqlite3.connect(copy)
    (body,) = db.execute("SELECT body FROM entries WHERE kind = 'carton_judged'").fetchone()
    flipped = body.replace("accept", "bccept", 1)
    assert flipped != body
    db.execute("UPDATE entries SET body = ? WHERE body = ?", (flipped, body))
    db.commit()
    db.close()
    broken = tallyman("journal", "verify", str(copy))
    assert broken.returncode == 1
    assert broken.stderr or broken.stdout


def count_of(up, query: str) -> int:
    db = sqlite3.connect(f"file:{up.layout.hub / 'core.db'}?mode=ro", uri=True)
    try:
        return int(db.execute(query).fetchone()[0])
    finally:
        db.close()


def _core_counts_each_carton_once(up) -> None:
    assert count_of(up, "SELECT count(*) FROM carton") == 12
    assert count_of(up, "SELECT count(DISTINCT carton_id) FROM carton") == 12
    assert count_of(up, "SELECT count(*) FROM hold") == 1


@pytest.mark.timeout(300)
def test_a_second_start_on_the_same_folder_refuses_and_names_the_first(up) -> None:
    first = up.start("--no-demo")
    up.until(lambda: "Pages:" in up.output(), "the first start")
    second = tallyman("up", "--no-demo", env=up.environ | {"PATH": "/usr/bin:/bin"})
    assert second.returncode == 2
    assert "in use" in second.stderr
    assert str(first.pid) in second.stderr
    assert first.poll() is None, "the first one goes on"


@pytest.mark.timeout(300)
def test_ctrl_c_in_the_middle_ends_everything(up) -> None:
    process = up.start()
    up.until(lambda: "Pages:" in up.output(), "the start")
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.returncode in {0, 130}
    left = subprocess.run(
        ["pgrep", "-f", str(up.folder)], capture_output=True, text=True, check=False
    )
    assert left.stdout.strip() == "", f"children left over: {left.stdout}"
