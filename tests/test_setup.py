"""Set-up on machines that lack something: it says what, and how to mend it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's set-up parts, with no .venv."""
    folder = tmp_path / "tallyman"
    folder.mkdir()
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "appliance" / "web").mkdir(parents=True)
    for name in ("pyproject.toml", "package.json", "package-lock.json", "appliance/web/vendor.mjs"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def program(folder: Path, name: str, *lines: str) -> Path:
    file = folder / name
    file.write_text("\n".join(("#!/bin/sh", *lines, "")))
    file.chmod(0o755)
    return file


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/setup.sh"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_python_that_is_too_old_is_named_with_the_mend(checkout: Path):
    old = program(checkout, "python-old", "exit 1")
    done = set_up(checkout, PYTHON=str(old))
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_is_named_with_the_mend(checkout: Path):
    bare = program(checkout, "python-bare", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = set_up(checkout, PYTHON=str(bare))
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr


def test_an_interrupted_set_up_is_not_used_but_done_again(checkout: Path):
    # This Python makes a .venv whose pip fails, as when the network goes in the middle.
    half = program(
        checkout,
        "python-half",
        'case "$*" in',
        "*'-m venv .venv') mkdir -p .venv/bin; echo made >>made.log",
        "  printf '#!/bin/sh\\nexit 1\\n' >.venv/bin/python; chmod +x .venv/bin/python ;;",
        "esac",
    )
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "rubble").touch()
    for _ in range(2):
        assert set_up(checkout, PYTHON=str(half)).returncode != 0
        assert not (checkout / ".venv" / ".tallyman-packages").exists()
        assert not (checkout / ".venv" / "rubble").exists()
    assert (checkout / "made.log").read_text() == "made\nmade\n"


def test_an_unknown_profile_is_refused(checkout: Path):
    done = set_up(checkout, PROFILE="everything")
    assert done.returncode == 2
    assert "no profile 'everything'" in done.stderr


def test_a_lock_entry_is_taken_with_its_hashes_and_nothing_else():
    lock = "a==1 \\\n    --hash=sha256:11\nab==2 \\\n    --hash=sha256:22\n    --hash=sha256:33\n"
    picked = subprocess.run(
        ["sh", str(ROOT / "scripts" / "pick_lock.sh"), "ab", "zz"],
        input=lock,
        capture_output=True,
        text=True,
        check=True,
    )
    assert picked.stdout == "ab==2 \\\n    --hash=sha256:22\n    --hash=sha256:33\n"
