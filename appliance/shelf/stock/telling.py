"""A snapshot as JSON, cut into the parts that change by themselves. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from appliance.shelf.stock.changes import Change
from appliance.words import Words
from contracts.shelf import ShelfHold, ShelfProduct, ShelfTicket, Snapshot

_LISTS = {"product": "products", "hold": "holds", "ticket": "tickets"}


def in_words(taken: Snapshot, words: Words) -> Snapshot:
    """With the note of each hold and the title of each ticket in the site's language."""

    def hold(each: ShelfHold) -> ShelfHold:
        if each.note or each.reason is None:
            return each
        return replace(each, note=words.reason(each.reason))

    def ticket(each: ShelfTicket) -> ShelfTicket:
        return each if each.reason is None else replace(each, title=words.reason(each.reason))

    return replace(
        taken,
        holds=tuple(hold(each) for each in taken.holds),
        tickets=tuple(ticket(each) for each in taken.tickets),
    )


class Teller:
    """Snapshots as parts, for those who see prices or for those who do not. What is the same object as
    in the snapshot before is not encoded again.
    """

    def __init__(self, *, prices: bool) -> None:
        self._prices = prices
        self._last: dict[str, tuple[object, bytes]] = {}

    def parts(self, taken: Snapshot) -> dict[str, bytes]:
        """The parts by key, as JSON. Without prices nobody can see that there are any."""
        encode = msgspec.json.Encoder().encode

        def product(each: ShelfProduct) -> bytes:
            return encode(each if self._prices or each.price is None else replace(each, price=None))

        last, told = self._last, {}
        for each in taken.products:
            key = f"product:{each.gtin}"
            known = last.get(key)
            told[key] = known if known and known[0] is each else (each, product(each))
        told |= {f"hold:{each.id}": (each, encode(each)) for each in taken.holds}
        told |= {f"ticket:{each.id}": (each, encode(each)) for each in taken.tickets}
        self._last = told
        return {key: body for key, (_, body) in told.items()}


def frame(taken: Snapshot) -> bytes:
    """All that is told whole each time, as JSON; without the moment, which changes nothing."""
    return msgspec.json.encode(replace(taken, products=(), holds=(), tickets=(), at_us=0))


def body(
    frame: bytes,
    parts: Mapping[str, bytes],
    change: Change,
    *,
    roles: tuple[str, ...],
    base: int,
    at_us: int,
) -> bytes:
    """A snapshot's JSON: the frame with the parts that `change` names."""
    told = msgspec.json.decode(frame)
    lists: dict[str, list[msgspec.Raw]] = {name: [] for name in _LISTS.values()}
    for key in change.parts:
        lists[_LISTS[key.partition(":")[0]]].append(msgspec.Raw(parts[key]))
    told |= lists
    told |= {"base": base, "gone": change.gone, "roles": roles, "at_us": at_us}
    return msgspec.json.encode(told)


def role_tag(roles: tuple[str, ...]) -> str:
    """The end of a tag: what is told to other roles has another one."""
    return "-" + hashlib.blake2b(",".join(roles).encode(), digest_size=4).hexdigest()
