"""The hub's exchange with partners, from the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.layout import Layout
from contracts.clock import SystemClock
from contracts.errors import BadInputError
from erp_link.epcis.document import document
from erp_link.epcis.query import MOST, read_query
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.desk import Exchange, ExchangeSettings
from erp_link.service.exchange.epcis import Repository
from erp_link.service.store import Store
from erp_link.webhooks.addresses import Addresses


def open_exchange(config: Config, store: Store) -> Exchange:
    """Raises BadInputError naming the setting that cannot be used."""
    wanted = config.exchange
    drop = Path(wanted.file_drop).absolute() if wanted.file_drop else None
    if drop is not None and not drop.is_dir():
        raise BadInputError(
            f"exchange.file_drop: {drop} is no folder", mend="Make it, or mount it first"
        )
    return Exchange(
        store,
        ExchangeSettings(
            site=site_of(config),
            key=Layout(config.data).exchange_key,
            addresses=Addresses.of(wanted.webhook_networks),
            drop=drop,
            certificates=wanted.webhook_certificates,
        ),
    )


def site_of(config: Config) -> Site:
    """How this site names itself. Raises BadInputError."""
    return Site(gln=config.exchange.gln, address=config.exchange.identifiers.rstrip("/"))


def exported(config: Config, where: Sequence[str], *, lines: bool) -> Iterator[str]:
    """The parts of an EPCIS document of the site's events that `where` selects, oldest first, or
    one event a line. Raises BadInputError, UnavailableError.
    """
    pairs = [(name, value) for name, _, value in (each.partition("=") for each in where)]
    asked = read_query([*pairs, ("orderDirection", "ASC"), ("perPage", str(MOST))])
    clock = SystemClock()
    core = Core(config.database_url, clock=clock, zone=ZoneInfo(config.site.time_zone))
    try:
        repository = Repository(core, site_of(config))
        while repository.project():
            pass
        whole = document([], at=clock.now())
        head, tail = json.dumps(whole, ensure_ascii=False).split("[]", 1)
        between = "\n"
        yield "" if lines else head + "["
        while True:
            page = repository.query(asked)
            for event in page.events:
                text = json.dumps(event, ensure_ascii=False)
                yield f"{text}\n" if lines else between + text
                between = ",\n"
            if not page.next_page:
                break
            further = read_query([("nextPageToken", page.next_page)])
            asked = replace(asked, after=further.after, taken=further.taken)
        yield "" if lines else "]" + tail + "\n"
    finally:
        core.close()
