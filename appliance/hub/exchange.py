"""The hub's exchange with partners, from the settings."""

from __future__ import annotations

from pathlib import Path

from appliance.config import Config
from appliance.layout import Layout
from contracts.errors import BadInputError
from erp_link.epcis.site import Site
from erp_link.service.exchange.desk import Exchange, ExchangeSettings
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
