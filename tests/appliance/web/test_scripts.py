"""The pages' scripts, tested in Node where they touch neither page nor camera: tests/scripts/."""

from __future__ import annotations

import subprocess

from tests.conftest import ROOT


def test_what_the_scripts_promise_holds_in_node() -> None:
    """In the Node that scripts/npm.sh finds: the machine's, or the one out of the wheel."""
    stories = sorted((ROOT / "tests" / "scripts").rglob("*.test.js"))
    assert stories, "there are no tests of scripts"
    ran = subprocess.run(
        ["sh", "scripts/npm.sh", "run", "--silent", "test", "--", *map(str, stories)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
