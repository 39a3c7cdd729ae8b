"""The templates that come with the house: telemetry/templates/<maker>/*.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from telemetry.describing.compiled import compile_template
from telemetry.describing.template import BadTemplateError, Template, read_template
from telemetry.units import QUANTITIES

FOLDER = Path(__file__).parent.parent / "templates"


@cache
def shipped() -> Mapping[str, Template]:
    """All templates of the house by name. Raises BadTemplateError; a test says that none does."""
    found: dict[str, Template] = {}
    for file in sorted(FOLDER.rglob("*.toml")):
        template = read_template(file.read_text("utf-8"), where=file.name)
        if template.name in found or template.name != file.stem:
            raise BadTemplateError(
                f"{file.name}: is named {template.name!r}", mend="Name it as its file"
            )
        found[template.name] = template
    return MappingProxyType(found)


def with_own(own: Iterable[str]) -> Mapping[str, Template]:
    """The house's templates and a site's, given as texts.

    Raises BadTemplateError: one that cannot be used, a name that is taken, another unit for a
    quantity than elsewhere.
    """
    found = dict(shipped())
    units = unit_by_quantity(found.values()) if own else {}
    for text in own:
        template = read_template(text)
        if template.name in found:
            raise BadTemplateError(
                f"template {template.name}: this name is taken", mend="Give yours another name"
            )
        for quantity, unit in unit_by_quantity([template]).items():
            if units.setdefault(quantity, unit) != unit:
                raise BadTemplateError(
                    f"template {template.name}: {quantity} is in {unit}, elsewhere in {units[quantity]}",
                    mend="One quantity has one unit everywhere; choose another word for it",
                )
        found[template.name] = template
    return MappingProxyType(found)


def unit_by_quantity(templates: Iterable[Template]) -> dict[str, str]:
    """The unit of every quantity that these templates measure. Raises BadTemplateError."""
    units: dict[str, str] = dict(QUANTITIES)
    for template in templates:
        for column in compile_template(template).columns:
            if units.setdefault(column.quantity, column.unit) != column.unit:
                raise BadTemplateError(
                    f"template {template.name}: {column.quantity} is in {column.unit}, "
                    f"elsewhere in {units[column.quantity]}",
                    mend="One quantity has one unit everywhere; choose another word for it",
                )
    return units
