"""Names of vehicles and stations, and the topics that follow from them. Pure.

Rules:
1. A vehicle is `manufacturer/serial`; it says and hears below `interface/vN/manufacturer/serial`
   and nowhere else (VDA 5050, 6.5: the five levels of a topic).
2. A station has a topic prefix of its own, at least two levels, under which it says and hears. No
   level of it is `v2` or `v3`: what lies there would be taken for a vehicle.
3. No prefix lies in another's, and none in topics of ours.

Errors carry `word` and `named`: the sentence for a page in both languages, and its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agv_bridge.vda5050.delivery import Speaker, said_by
from agv_bridge.vda5050.topics import DEFAULT_INTERFACE
from appliance.services.nats import TopicRule
from contracts.errors import BadInputError, ConflictError

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,47}")
_MAJORS = tuple(sorted({dialect.value for dialect in DEFAULT_INTERFACE}))
_OURS = frozenset({"tallyman", "sensors"})
_LEAST_LEVELS, _MOST_LEVELS = 2, 8

STANDARD_BASES = tuple(f"{interface}/{one.value}" for one, interface in DEFAULT_INTERFACE.items())
"""`uagv/v2` and `vda5050/v3`, as the standard proposes."""


def vehicle_name(text: str) -> str:
    """`manufacturer/serial`, checked. Raises BadInputError."""
    parts = text.split("/")
    if len(parts) != 2 or not all(map(_PART.fullmatch, parts)):  # noqa: PLR2004 -- two parts
        raise BadInputError(
            f"{text[:120]!r} is no vehicle's name",
            mend="Write MANUFACTURER/SERIAL as in its topics, each of 1 to 48 letters, digits and "
            "_ . : - with a letter or digit first; a broker refuses spaces in topics",
            word="vehicles.error.name",
            named={"name": text[:120]},
        )
    return text


def bases(interfaces: Iterable[str]) -> tuple[str, ...]:
    """The first two levels of a vehicle's topics. No interface: the standard's own.

    Raises BadInputError.
    """
    named = tuple(dict.fromkeys(interfaces))
    for interface in named:
        if not _PART.fullmatch(interface) or interface in _OURS:
            raise BadInputError(
                f"{interface[:80]!r} cannot be the first level of a vehicle's topics",
                mend="Write one level as in its topics, such as uagv or vda5050",
                word="vehicles.error.interface",
                named={"name": interface[:80]},
            )
    return tuple(f"{one}/{major}" for one in named for major in _MAJORS) or STANDARD_BASES


def station_prefix(text: str) -> str:
    """Where a station's topics lie, checked (rule 2). Raises BadInputError."""
    levels = text.split("/")
    fits = _LEAST_LEVELS <= len(levels) <= _MOST_LEVELS and all(map(_PART.fullmatch, levels))
    if not fits:
        raise BadInputError(
            f"{text[:120]!r} is no prefix of topics",
            mend=f"Write {_LEAST_LEVELS} to {_MOST_LEVELS} levels that are this station's alone, "
            "such as module/v1/maker/QC-1, without wildcards and spaces",
            word="vehicles.error.prefix",
            named={"name": text[:120], "least": _LEAST_LEVELS, "most": _MOST_LEVELS},
        )
    if levels[0] in _OURS:
        raise BadInputError(
            f"Topics below {levels[0]} belong to this site's own parts",
            mend="Choose another first level on the station",
            word="vehicles.error.ours",
            named={"name": levels[0]},
        )
    if set(levels) & set(_MAJORS):
        raise BadInputError(
            f"{text} lies where vehicles speak",
            mend="Enrol a machine that speaks VDA 5050 as a vehicle: MANUFACTURER/SERIAL",
            word="vehicles.error.as_vehicle",
            named={"name": text},
        )
    return text


def vehicle_roots(name: str, interfaces: Iterable[str]) -> tuple[str, ...]:
    """The first four levels of everything that a vehicle says and hears."""
    return tuple(f"{base}/{name}" for base in bases(interfaces))


def vehicle_rule(name: str, interfaces: Iterable[str]) -> TopicRule:
    """Rule 1 as filters: no wildcard, each topic by its name."""
    roots = vehicle_roots(name, interfaces)
    return TopicRule(
        _topics(roots, Speaker.VEHICLE),
        _topics(roots, Speaker.MASTER_CONTROL),
    )


def _topics(roots: Iterable[str], speaker: Speaker) -> tuple[str, ...]:
    """What `speaker` says below each root, as its major version has it."""
    return tuple(
        f"{root}/{topic}" for root in roots for topic in said_by(speaker, root.split("/")[1])
    )


def station_rule(prefix: str) -> TopicRule:
    """All below the prefix, and the level itself, which `#` covers too."""
    both = (prefix, f"{prefix}/#")
    return TopicRule(both, both)


def check_apart(name: str, roots: Iterable[str], others: Iterable[tuple[str, str]]) -> None:
    """Rule 3. `others`: (name, root) of everybody else. Raises ConflictError."""
    for root in roots:
        for other, taken in others:
            if _within(root, taken) or _within(taken, root):
                raise ConflictError(
                    f"The topics of {name} ({root}) and of {other} ({taken}) are not apart",
                    mend="Give each a prefix of its own",
                    word="vehicles.error.not_apart",
                    named={"name": name, "other": other},
                )


def _within(topic: str, root: str) -> bool:
    return topic == root or topic.startswith(f"{root}/")
