from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telemetry.history.levels import Keeping
from tests.telemetry.history.site import KEPT, Site


@pytest.fixture
def a_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(keeping: Keeping = KEPT) -> Site:
        made.append(Site(tmp_path / f"history-{len(made)}", keeping))
        return made[-1]

    yield make
    for site in made:
        site.end()
