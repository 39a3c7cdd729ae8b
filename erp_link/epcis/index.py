"""What an event can be found by: its words, places and every key that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from erp_link.epcis import cbv, keys, query

_KEYS = {
    "epcList": query.EPC,
    "childEPCs": query.CHILD,
    "inputEPCList": query.IN,
    "outputEPCList": query.OUT,
}
_CLASSES = {
    "quantityList": query.CLASS,
    "childQuantityList": query.CHILD_CLASS,
    "inputQuantityList": query.IN_CLASS,
    "outputQuantityList": query.OUT_CLASS,
}
_LISTS = {
    "bizTransactionList": ("transaction", "bizTransaction", cbv.BTT),
    "sourceList": ("source", "source", cbv.SDT),
    "destinationList": ("destination", "destination", cbv.SDT),
}


def words_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The columns of an event; empty where it has none."""
    return {
        "kind": str(event["type"]),
        "action": str(event.get("action", "")),
        "biz_step": cbv.bare(str(event.get("bizStep", "")), cbv.STEP),
        "disposition": cbv.bare(str(event.get("disposition", "")), cbv.DISP),
        "read_point": _place(event, "readPoint"),
        "biz_location": _place(event, "bizLocation"),
    }


def keys_of(event: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(kind of key, canonical value) of everything that an event names."""
    return set(_keys(event))


def _keys(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "parentID" in event:
        yield query.PARENT, keys.canonical(event["parentID"])
    for field, kind in _KEYS.items():
        for value in event.get(field, ()):
            yield kind, keys.canonical(value)
    for field, kind in _CLASSES.items():
        for value in event.get(field, ()):
            yield kind, keys.canonical(value["epcClass"])
    for field, (kind, member, words) in _LISTS.items():
        for value in event.get(field, ()):
            of_type = cbv.bare(str(value.get("type", "")), words)
            yield f"{kind}:{of_type}", keys.canonical(value[member])
    lasting = event.get("persistentDisposition", {})
    for field in ("set", "unset"):
        for value in lasting.get(field, ()):
            yield field, cbv.bare(value, cbv.DISP)


def _place(event: Mapping[str, Any], field: str) -> str:
    place = event.get(field)
    return keys.canonical(str(place["id"])) if place else ""
