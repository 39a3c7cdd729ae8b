"""A core on PostgreSQL alone, and a repository of EPCIS events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.clock import FixedClock
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.epcis import Repository
from tests.erp_link.conftest import postgres_copy


@pytest.fixture
def on_postgres(postgres: str, postgres_template: str, clock: FixedClock) -> Iterator[Core]:
    """For what only PostgreSQL does: writers at the same time, transaction numbers."""
    with postgres_copy(postgres, postgres_template) as url:
        made = Core(url, clock=clock)
        yield made
        made.close()


@pytest.fixture
def site() -> Site:
    return Site(gln="4012345000009")


@pytest.fixture
def repository(core: Core, site: Site) -> Repository:
    return Repository(core, site)
