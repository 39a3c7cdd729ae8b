"""The official schemas: what they accept, and messages drawn from them.

The drawing knows only as much of JSON Schema as VDA 5050 uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import strategies as st

from agv_bridge.vda5050.naming import Edition

Schema = Mapping[str, Any]

_FILES = {
    Edition.V2_0: "v2_0/schemas/{}.schema.json",
    Edition.V2_1: "v2_1_schemas/{}.schema",
    Edition.V3_0: "v3_0_schemas/{}.schema",
}
BOTH = ("order", "instantActions", "state", "visualization", "connection", "factsheet")
NAMES = {
    Edition.V2_0: BOTH,
    Edition.V2_1: BOTH,
    Edition.V3_0: (*BOTH, "responses", "zoneSet"),
}
EVERY = [(edition, name) for edition, names in NAMES.items() for name in names]

SLIPS = {
    "blockingTypes": "2.1 wants a list that is one of three words, which none is",
    "batteryCharging ": "3.0 has a space in the name",
    "priorityFactor ": "3.0 has a space in the name",
    "penaltyFactor ": "3.0 has a space in the name",
}
"""Slips of the official files, by field: what they say there, no message can follow."""
_UNDESCRIBED = {
    "priorityFactor": st.floats(0, 1),
    "penaltyFactor": st.floats(0, 1),
    "mobileRobotKinematic": st.text(max_size=4),
    "referenceStateHeaderId": st.integers(0, 2**32 - 1),
}
"""What 3.0 demands without describing it, or under a name that differs by a letter or a space."""

_TIMES = ("2026-11-22T14:08:03.120Z", "1999-12-31T23:59:59.000Z", "2100-02-28T00:00:00.999Z")
_BY_NAME = {"timestamp": st.sampled_from(_TIMES), "degree": st.integers(1, 5)}
"""What some editions describe too widely: 2.0 lets a time be any text, a degree any number."""
_TEXTS = st.text(max_size=6)
_NUMBERS = st.floats(-1e6, 1e6) | st.integers(-(2**31), 2**31)
_ANYTHING = st.recursive(
    st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=3,
)


@cache
def schema_of(folder: Path, edition: Edition, name: str) -> Schema:
    text = (folder / "agv" / "vda5050" / _FILES[edition].format(name)).read_text("utf-8")
    # Some official files have commas before a closing bracket.
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


@cache
def validator(folder: Path, edition: Edition, name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(folder, edition, name))


def samples(folder: Path) -> list[Path]:
    """Golden messages of 1.1 and 2.0, each in a folder named for its topic, in lower case."""
    golden = folder / "agv" / "vda5050" / "samples"
    return sorted(golden.glob("v*/message/*/*.txt"))


@cache
def messages(folder: Path, edition: Edition, name: str, *, vendor: bool) -> st.SearchStrategy[Any]:
    """Messages that the schema accepts; `vendor`: with fields of a vendor's own anywhere."""
    root = schema_of(folder, edition, name)
    return _drawn(root, root, vendor=vendor)


def _drawn(schema: Schema, root: Schema, *, vendor: bool) -> st.SearchStrategy[Any]:
    schema = _resolved(schema, root)
    kinds = schema.get("type", "object")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if isinstance(kinds, list):
        return st.one_of(*(_drawn({**schema, "type": kind}, root, vendor=vendor) for kind in kinds))
    if kinds == "object":
        return _objects(schema, root, vendor=vendor)
    if kinds == "array":
        drawn = _drawn(schema.get("items", {"type": "string"}), root, vendor=vendor)
        least = schema.get("minItems", 0)
        return st.lists(drawn, min_size=least, max_size=max(2, least))
    return _SCALARS[kinds](schema)


def _resolved(schema: Schema, root: Schema) -> Schema:
    target: Any = root if "$ref" in schema else schema
    for step in filter(None, schema.get("$ref", "").removeprefix("#/").split("/")):
        target = target[step]
    return target


def _numbers(schema: Schema) -> st.SearchStrategy[float]:
    low, high = schema.get("minimum", -1e6), schema.get("maximum", 1e6)
    above = schema.get("exclusiveMinimum")
    return st.floats(low if above is None else above, high, exclude_min=above is not None)


_SCALARS: dict[str, Callable[[Schema], st.SearchStrategy[Any]]] = {
    "string": lambda schema: st.sampled_from(_TIMES) if "format" in schema else _TEXTS,
    "boolean": lambda _schema: st.booleans(),
    "integer": lambda schema: st.integers(int(schema.get("minimum", 0)), 2**32 - 1),
    "number": _numbers,
    "null": lambda _schema: st.none(),
}


def _objects(schema: Schema, root: Schema, *, vendor: bool) -> st.SearchStrategy[Any]:
    properties = {
        name: _BY_NAME[name] if name in _BY_NAME else _drawn(each, root, vendor=vendor)
        for name, each in schema.get("properties", {}).items()
        if name not in SLIPS
    }
    required = {
        name: properties.get(name, _UNDESCRIBED.get(name)) for name in schema.get("required", ())
    }
    optional = {name: each for name, each in properties.items() if name not in required}
    drawn = st.fixed_dictionaries(required, optional=optional)
    for rule in schema.get("allOf", ()):
        drawn = _under_rule(drawn, rule, root, vendor=vendor)
    return _with_own_fields(drawn) if vendor else drawn


def _under_rule(
    drawn: st.SearchStrategy[Any], rule: Schema, root: Schema, *, vendor: bool
) -> st.SearchStrategy[Any]:
    """`if` one field has one value, `then` others come in too."""
    ((name, wanted),) = rule["if"]["properties"].items()
    then = _objects(rule["then"], root, vendor=vendor)
    return drawn.flatmap(
        lambda value: (
            then.map(lambda more: {**value, **more})
            if value.get(name) == wanted["const"]
            else st.just(value)
        )
    )


def _with_own_fields(drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["x-vendor", "extra", "node_id", "position", "Ärger", ""])
    own = st.dictionaries(names, _ANYTHING, max_size=2)
    return st.tuples(drawn, own).map(lambda pair: {**pair[1], **pair[0]})
