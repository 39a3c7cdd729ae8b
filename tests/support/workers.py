"""How the tests are shared out to two workers, and what a worker keeps to itself.

A file is run whole by one worker, since its module's fixtures are made there. What starts the whole
dock goes first and one after the other on one worker: two docks at once on two cores would only
wait for each other. Files that share what takes long to make go together as well.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from xdist.scheduler import LoadScopeScheduling

# Longest first: what is begun late is waited for by nobody but itself.
TOGETHER = (
    ("tests/integration/", "tests/browser/test_dock.py"),
    ("tests/erp_link/connectors/",),
    ("tests/vision/condition/",),
)
EARLY = (
    "tests/browser/",
    "tests/erp_link/",
    "tests/appliance/bench/",
    "tests/appliance/",
    "tests/vision/",
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_OWN_VARIABLE = "PYTEST_XDIST_WORKER"
T = TypeVar("T")


def keep_to_one_core() -> None:
    """Workers started from now on let no library take every core: the other worker needs one."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")


def number() -> int:
    """Which worker this is, from 0; also 0 where nobody shares."""
    return int(os.environ.get(_OWN_VARIABLE, "gw0").removeprefix("gw"))


def unit(nodeid: str) -> str:
    """What is run by one worker, of which this test is a part."""
    file = nodeid.partition("::")[0]
    return next((names[0] for names in TOGETHER if file.startswith(names)), file)


def ordered(nodeids: Iterable[tuple[str, T]]) -> list[T]:
    """The tests in the order in which units are handed out; within one unit as collected."""
    tests = list(nodeids)
    sizes = Counter(unit(nodeid) for nodeid, _ in tests)

    def rank(test: tuple[str, T]) -> tuple[int, int, int, str]:
        of = unit(test[0])
        together = next((i for i, names in enumerate(TOGETHER) if of == names[0]), len(TOGETHER))
        early = next((i for i, name in enumerate(EARLY) if of.startswith(name)), len(EARLY))
        return together, early, -sizes[of], of

    return [test for _, test in sorted(tests, key=rank)]


class ByUnit(LoadScopeScheduling):
    """Hands units out in the order of the collection."""

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
