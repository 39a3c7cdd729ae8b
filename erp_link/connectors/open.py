"""Which connector for which ERP, and what each of them needs to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.errors import BadInputError
from erp_link.connectors.erpnext.connector import ErpnextConnector
from erp_link.connectors.http import Wire
from erp_link.connectors.names import Names
from erp_link.connectors.odoo.connector import OdooConnector
from erp_link.connectors.port import ErpPort
from erp_link.connectors.tryton.connector import TrytonConnector

SYSTEMS = {"tryton": "Tryton", "odoo": "Odoo", "erpnext": "ERPNext"}


@dataclass(frozen=True, slots=True)
class ErpSettings:
    """`secret` is the password or key itself: it comes from a file and stands nowhere else."""

    kind: str
    url: str
    database: str = ""
    user: str = ""
    secret: str = ""
    company: str = ""
    warehouse: str = ""
    quarantine: str = ""


def open_connector(settings: ErpSettings, names: Callable[[], Names]) -> ErpPort:
    """The connector; nothing is asked yet. Raises BadInputError naming the setting."""
    _need(settings, "url")
    match settings.kind:
        case "tryton":
            _need(settings, "database", "user", "secret")
            return TrytonConnector(
                Wire(settings.url),
                database=settings.database,
                user=settings.user,
                password=settings.secret,
                names=names,
                warehouse=settings.warehouse or "WH",
                quarantine=settings.quarantine or "QUAR",
            )
        case "odoo":
            _need(settings, "secret", "quarantine")
            return OdooConnector(
                Wire(settings.url),
                database=settings.database,
                key=settings.secret,
                names=names,
                warehouse=settings.warehouse,
                quarantine=settings.quarantine,
            )
        case "erpnext":
            _need(settings, "user", "secret", "company", "warehouse", "quarantine")
            return ErpnextConnector(
                Wire(settings.url),
                key=settings.user,
                secret=settings.secret,
                company=settings.company,
                warehouse=settings.warehouse,
                quarantine=settings.quarantine,
                names=names,
            )
        case other:
            raise BadInputError(
                f"[erp] kind is {other!r}",
                mend=f"Use one of {', '.join(SYSTEMS)}, or leave it empty",
            )


def _need(settings: ErpSettings, *wanted: str) -> None:
    for name in wanted:
        if not getattr(settings, name):
            raise BadInputError(
                f"[erp] {name} is empty, and {SYSTEMS.get(settings.kind, settings.kind)} needs it",
                mend=f"Set [erp] {name}",
            )
