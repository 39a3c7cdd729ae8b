"""The house rules that no other tool checks."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("contracts", "vision", "telemetry", "agv_bridge", "ota", "erp_link", "appliance")
LONGEST_FILE = 400
LOCKS = (
    "requirements/runtime.lock",
    "requirements/dev.lock",
    "requirements/openvino.lock",
    "requirements/paddle.lock",
    "requirements/yolo.lock",
)

# In parts, so that this file holds to its own rule.
ADDRESSES = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry." + "npmjs.org",
    "deb." + "debian.org",
    "security." + "debian.org",
)
MACHINE_PATHS = re.compile(r"(?<![\w.$~}-])/(?:" + r"work|root|home/\w+|Users/\w+" + r")/[\w.]")


def tracked(*patterns: str) -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files are ours is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts(*patterns: str) -> list[tuple[str, str]]:
    found = []
    for path in tracked(*patterns):
        data = path.read_bytes()
        if b"\0" not in data:
            found.append((str(path.relative_to(ROOT)), data.decode()))
    return found


def entries(lock: str) -> list[str]:
    """The packages of a lock, each with its continuation lines."""
    return re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())


def test_siblings_do_not_import_siblings():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(lint), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_file_grew_too_long_to_read():
    # A migration is a record of one day and is never edited.
    long = {
        name: lines
        for name, text in texts(*(f"{package}/**.py" for package in PACKAGES))
        if "/migrations/versions/" not in name and (lines := text.count("\n")) > LONGEST_FILE
    }
    assert not long, f"split these: {long}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str):
    for entry in entries(lock):
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", ["requirements/dev.lock", "requirements/openvino.lock"])
def test_the_runtime_lock_is_part_of_what_goes_on_top_of_it(lock: str):
    assert set(entries("requirements/runtime.lock")) <= set(entries(lock))


def test_the_front_end_lock_has_hashes_and_names_no_registry():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, name


def test_no_registry_address_and_no_machine_path_is_committed():
    found = []
    for name, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if any(address in line for address in ADDRESSES) or MACHINE_PATHS.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_on_one_page_what_it_is(package: str):
    readme = ROOT / package / "README.md"
    assert readme.is_file(), f"{package} has no README.md"
    assert 5 < readme.read_text().count("\n") < 120


def test_every_exception_from_a_check_says_why():
    bare = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts("*.py")
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"#\s*noqa", line) and not re.search(r"#\s*noqa: [A-Z0-9, ]+ -- \S", line)
    ]
    # This file speaks of the mark without using it.
    assert not [line for line in bare if not line.startswith("tests/test_house.py")]


def test_every_model_set_has_its_manifest_and_card():
    sets = {path.parent for path in tracked("models/*.onnx")}
    for folder in sets:
        assert (folder / "manifest.json").is_file(), f"{folder} has no manifest.json"
        cards = [folder / "MODEL_CARD.md", folder.parent / "MODEL_CARD.md"]
        assert any(card.is_file() for card in cards), f"{folder} has no MODEL_CARD.md"
