"""A supplier's made cartons, seen by a small camera: printed ones and plain ones."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.bench.inspecting.cartons import Print, frame_of
from vision.condition.enrolment import Shown
from vision.condition.inspector import ConditionInspector
from vision.condition.profile import ConditionProfile

SIZE = (640, 480)
PRINTED, PLAIN = Print(1), Print(2, plain=True)
GOOD_CARTONS = 21


def seen(supplier: Print, seed: int, damage: str = "") -> np.ndarray:
    """A carton of the supplier that was not enrolled, for seeds from 100 on."""
    return frame_of(supplier, seed, damage=damage, size=SIZE)


def good(supplier: Print, count: int) -> list[Shown]:
    return [Shown(seen(supplier, number), f"carton {number}") for number in range(count)]


@pytest.fixture(scope="session")
def inspector() -> ConditionInspector:
    return ConditionInspector()


@pytest.fixture(scope="session")
def printed(inspector: ConditionInspector) -> ConditionProfile:
    return inspector.enrol(good(PRINTED, GOOD_CARTONS), product="ACME")


@pytest.fixture(scope="session")
def plain(inspector: ConditionInspector) -> ConditionProfile:
    return inspector.enrol(good(PLAIN, GOOD_CARTONS), product="ACME plain")
