"""The limits of goods as they stand in the books: a product's own, its class's, or the house's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from erp_link.adapters import tables as t
from erp_link.adapters.alarm_tables import excursion_limits
from erp_link.adapters.guards import inserted
from erp_link.domain.excursions.limits import OF_CLASS, Limits
from erp_link.domain.products import Product, Temperature
from erp_link.service.excursions.whereabouts import read_zones, zone_of
from erp_link.service.work import Work

_CLASS = "class:"
_COLDEST_FIRST = (Temperature.FROZEN, Temperature.CHILLED)


def of_products(
    connection: Connection, products: Mapping[str, Product], place: str
) -> dict[str, Limits]:
    """Limits by GTIN. A product that nobody described is of the class that its place keeps."""
    rows = connection.execute(select(excursion_limits)).all()
    own = {row.subject: _of_row(row) for row in rows}
    unknown = not all(each.described for each in products.values())
    kept = _class_of(connection, place) if unknown else Temperature.AMBIENT
    found: dict[str, Limits] = {}
    for gtin, product in products.items():
        of_class = product.temperature if product.described else kept
        found[gtin] = (
            own.get(gtin) or own.get(f"{_CLASS}{of_class.value}") or OF_CLASS[of_class]
        )  # fmt: skip
    return found


def read_limits(connection: Connection) -> dict[str, Limits]:
    """Every subject's: the classes as `class:<temperature>`, and the products with their own."""
    found = {f"{_CLASS}{kind.value}": limits for kind, limits in OF_CLASS.items()}
    rows = connection.execute(select(excursion_limits).order_by(excursion_limits.c.subject))
    return found | {row.subject: _of_row(row) for row in rows}


def keep_limits(work: Work, subject: str, limits: Limits | None) -> None:
    """`limits` were checked; None takes a product's or a class's own away. Raises BadInputError."""
    name = subject_of(subject)
    if limits is None:
        gone = delete(excursion_limits).where(excursion_limits.c.subject == name)
        work.connection.execute(gone)
    else:
        values: dict[str, Any] = {**asdict(limits), "set_at": work.now, "set_by": work.by}
        if not inserted(work.connection, excursion_limits, subject=name, **values):
            work.connection.execute(
                update(excursion_limits).where(excursion_limits.c.subject == name).values(values)
            )
    work.event("product", Reason("story_limits_set", {"subject": name}), reference=name)


def subject_of(text: str) -> str:
    """A GTIN in its one spelling, or a class. Raises BadInputError."""
    if not text.startswith(_CLASS):
        return normalise_gtin(text)
    if text.removeprefix(_CLASS) not in set(Temperature):
        raise BadInputError(
            f"{text[:40]!r} is no class of goods",
            mend=f"Name one of {', '.join(_CLASS + kind.value for kind in Temperature)}",
        )
    return text


def as_limits(values: Mapping[str, Any]) -> Limits:
    """Limits as they were kept beside what they were measured against."""
    return Limits(**values)


def _of_row(row: Row[Any]) -> Limits:
    return Limits(
        low=row.low,
        high=row.high,
        floor=row.floor,
        ceiling=row.ceiling,
        allowed_minutes=row.allowed_minutes,
        kinetic=row.kinetic,
        kinetic_hours=row.kinetic_hours,
        usual=row.usual,
        activation_kj_mol=row.activation_kj_mol,
    )


def _class_of(connection: Connection, place: str) -> Temperature:
    """What a slot keeps; of a zone the coldest of its slots, for goods that nobody described may be
    what that one is for.
    """
    named = read_zones(connection)
    rows = connection.execute(select(t.location.c.code, t.location.c.temperature))
    kept = [
        Temperature(row.temperature)
        for row in rows
        if row.code == place or zone_of(row.code, named) == place
    ]
    return next((each for each in _COLDEST_FIRST if each in kept), Temperature.AMBIENT)
