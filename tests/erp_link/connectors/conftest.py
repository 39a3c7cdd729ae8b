"""A real Tryton: provisioned once and kept in build/, loaded once, copied for each test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bench.core import tryton_peer
from appliance.bench.core.tryton_peer import Tryton
from tests.support.tryton import Books
from tests.support.tryton_copies import TrytonCopies

ROOT = Path(__file__).resolve().parents[3]
_FIRST_TIME_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a fresh machine the first test installs Tryton and sets it up before it begins."""
    for item in items:
        if isinstance(item, pytest.Function) and "tryton_python" in item.fixturenames:
            item.add_marker(pytest.mark.timeout(_FIRST_TIME_S))


@pytest.fixture(scope="session")
def tryton_python() -> Path:
    """The interpreter of the environment that `scripts/extra.sh tryton` makes."""
    done = subprocess.run(
        ["sh", "scripts/extra.sh", "tryton"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stderr)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def provisioned(tryton_python: Path) -> Path:
    return tryton_peer.provision(tryton_python, ROOT / "build" / "tryton")


@pytest.fixture(scope="session")
def tryton_copies(
    tryton_python: Path, provisioned: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrytonCopies]:
    folder = tmp_path_factory.mktemp("tryton") / "model"
    made = TrytonCopies(tryton_python, provisioned, folder)
    yield made
    made.close()


@pytest.fixture
def tryton(tryton_copies: TrytonCopies, tmp_path: Path) -> Iterator[Tryton]:
    with tryton_copies.one(tmp_path / "tryton") as running:
        yield running


@pytest.fixture
def books(tryton: Tryton) -> Books:
    """What a person would see in Tryton, and the goods and partners of the story."""
    return Books(tryton)
