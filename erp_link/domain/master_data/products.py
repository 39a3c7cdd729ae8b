"""One row of a product list against the product's record: what it says, and what is unclean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from contracts.errors import BadInputError
from erp_link.domain.allocation import Rotation
from erp_link.domain.master_data import values as v
from erp_link.domain.master_data.codes import check_gtin
from erp_link.domain.master_data.findings import Checked, Finding, Kind, ask, note
from erp_link.domain.products import Product, Temperature, checked
from erp_link.domain.shelf_life import LifeRule

TEMPERATURES = {
    **{each.value: each.value for each in Temperature},
    "dry": "ambient", "常温": "ambient", "room": "ambient", "cool": "chilled", "cold": "chilled",
    "fridge": "chilled", "冷藏": "chilled", "freezer": "frozen", "冷冻": "frozen",
}  # fmt: skip
ROTATIONS = {each.value: each.value for each in Rotation}
_CHECKS: Mapping[str, Callable[[str, str], Checked]] = {
    "name": v.check_text,
    "base_unit": v.check_unit,
    "units": v.check_units,
    "carton_unit": v.check_unit,
    "temperature": lambda name, text: v.check_choice(name, text, TEMPERATURES),
    "rotation": lambda name, text: v.check_choice(name, text, ROTATIONS),
    "dated": lambda name, text: v.check_choice(name, text, v.YES | v.NO),
    "total_life_days": lambda name, text: v.check_number(name, text, days=True),
    "least_days": lambda name, text: v.check_number(name, text, days=True),
    "min_stock": v.check_number,
    "max_stock": v.check_number,
}
COLUMNS = ("gtin", *_CHECKS)
"""The columns that are read; only `gtin` must be there. An empty cell leaves the record as it is."""


@dataclass(frozen=True, slots=True)
class Examined:
    """`product` is what would be kept: None while something must be mended or asked first."""

    gtin: str | None
    product: Product | None
    findings: tuple[Finding, ...]

    @property
    def is_ready(self) -> bool:
        return self.product is not None


def examine(
    written: Mapping[str, str],
    answers: Mapping[str, str],
    *,
    record_of: Callable[[str], Product],
    known: Collection[str] = (),
    before: Mapping[str, int] | None = None,
) -> Examined:
    """What a row says. `answers` stand where people have accepted or given a value; `record_of` is
    the product as it is kept; `known` are the house's GTINs, `before` those of earlier rows.
    """
    said = {name: answers.get(name, written.get(name, "")) for name in COLUMNS}
    key = check_gtin("gtin", said["gtin"], known)
    findings = list(key.findings)
    values: dict[str, str] = {}
    for name, check in _CHECKS.items():
        if said[name].strip():
            found = check(name, said[name])
            findings += found.findings
            if found.value is not None:
                values[name] = found.value
    if key.value is None:
        return Examined(None, None, tuple(findings))
    if before and key.value in before:
        findings += ask("gtin", "twice", said["gtin"], row=before[key.value]).findings
    record = record_of(key.value)
    findings += _differences(record, values, answers)
    if any(each.kind is not Kind.NOTE for each in findings):
        return Examined(key.value, None, tuple(findings))
    try:
        product = checked(_described(record, values))
    except BadInputError as error:
        refused = Finding(
            "", Kind.ASK, "refused", "", params={"what": error.message, "mend": error.mend}
        )
        return Examined(key.value, None, (*findings, refused))
    return Examined(key.value, product, (*findings, *_missing(product)))


def _described(record: Product, values: Mapping[str, str]) -> Product:
    def number(name: str, old: int | None) -> int | None:
        return int(values[name]) if name in values else old

    fresh = not record.described
    units = dict(v.read_units(values["units"])) if "units" in values else dict(record.units)
    base = values.get("base_unit", record.base_unit)
    if fresh and "units" not in values:
        units = {}
    units.pop(base, None)
    carton = values.get("carton_unit", "" if fresh or "units" in values else record.carton_unit)
    return replace(
        record,
        name=values.get("name", record.name),
        base_unit=base,
        units=units,
        carton_unit=carton,
        temperature=Temperature(values.get("temperature", record.temperature)),
        rotation=Rotation(values.get("rotation", record.rotation)),
        dated={"yes": True, "no": False}.get(values.get("dated", ""), record.dated),
        total_life_days=number("total_life_days", record.total_life_days) or 0,
        life=LifeRule(number("least_days", record.life.least_days) or 0, record.life.least_percent),
        min_stock=number("min_stock", record.min_stock),
        max_stock=number("max_stock", record.max_stock),
        described=True,
    )


def _differences(
    record: Product, values: Mapping[str, str], answers: Mapping[str, str]
) -> list[Finding]:
    """Where the list contradicts the record in what goods are counted by, a person chooses."""
    if not record.described:
        return []
    found: list[Finding] = []
    base = values.get("base_unit")
    if base and base != record.base_unit and "base_unit" not in answers:
        found += ask(
            "base_unit", "differs", base, (record.base_unit, base), record=record.base_unit
        ).findings
    if "units" in values and "units" not in answers:
        units, kept = v.read_units(values["units"]), dict(record.units)
        other = sorted(unit for unit in units if kept.get(unit, units[unit]) != units[unit])
        if other:
            choices = (v.write_units(kept), values["units"])
            was = v.write_units({unit: kept[unit] for unit in other})
            found += ask("units", "differs", values["units"], choices, record=was).findings
    name = values.get("name")
    if name and record.name and name != record.name:
        found.append(note("name", "renamed", name, record=record.name))
    return found


def _missing(product: Product) -> list[Finding]:
    found: list[Finding] = []
    if not product.name:
        found.append(note("name", "name_missing", ""))
    if product.dated and not product.total_life_days:
        found.append(note("total_life_days", "life_missing", ""))
    return found
