"""The crack network that the repository ships."""

from __future__ import annotations

import pytest

from appliance.model_sets import carried
from vision.defects.cracks.network import CrackNetwork


@pytest.fixture(scope="session")
def crack_network() -> CrackNetwork:
    found = carried("crack_network")
    return CrackNetwork.load(found.folder, model_set=found.digest)
