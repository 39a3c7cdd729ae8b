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
    """The house's templates and a site's, given as texts. A name that an update of the house takes
    later stays the site's.

    Raises BadTemplateError: one that cannot be used.
    """
    found = dict(shipped())
    for text in own:
        template = read_template(text)
        compile_template(template)
        found[template.name] = template
    return MappingProxyType(found)


def check_own(text: str, others: Iterable[str]) -> Template:
    """A site's template beside those that are there; `others` are its own texts.

    Raises BadTemplateError: one that cannot be used, a name of the house's, another unit for a
    quantity than elsewhere.
    """
    template = read_template(text)
    if template.name in shipped() and not any(
        read_template(o).name == template.name for o in others
    ):
        raise BadTemplateError(
            f"template {template.name}: this name is taken", mend="Give yours another name"
        )
    beside = [one for name, one in with_own(others).items() if name != template.name]
    unit_by_quantity([*beside, template])
    return template


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
