"""The snapshot as the hub tells it: read again only when something changed, and of the products only
those that did; cut by role.

One book for all phones. Whoever asks first after a change waits for the reading; the others get
what came out (docs/adr/0044).
"""

from __future__ import annotations

import gzip
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from appliance.shelf.stock import telling
from appliance.shelf.stock.changes import Change, Parts
from appliance.shelf.stock.hints import Hints
from appliance.shelf.stock.telling import Teller
from appliance.words import Words
from contracts.clock import Clock
from contracts.shelf import ReorderHint, ShelfProduct, Snapshot
from erp_link.adapters import database
from erp_link.service.core import Core
from erp_link.service.merge.reading import micros
from erp_link.service.shelf.gathering import House, Reading, gather, gather_again
from erp_link.service.shelf.news import news

_ZIPPED = 8
_ZIPPED_FOR_US = 60_000_000
_GZIP = 5
_LEAST = 1024
"""Below this many bytes compressing gains nothing."""
_SLOW_S = 0.25
"""Of a core, not of the clock: what others do on this machine does not count."""
_WHOLE_EACH = timedelta(minutes=10)
"""Whatever is amiss with what was read in parts does not last longer."""
_REST = 4
"""A reading that cost much is followed by a rest of so many times what it cost: however much
happens, reading takes a fifth of a core at most."""


@dataclass(frozen=True, slots=True)
class Site:
    """`zone_name` is an IANA name; `price_roles` may see what was paid."""

    name: str
    zone: tzinfo
    zone_name: str
    price_roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is None where the asker has this content already. `gzipped`: how it is coded."""

    tag: str
    body: bytes | None = None
    gzipped: bool = False


class StockBook:
    """Asked by many threads."""

    def __init__(
        self, core: Core, site: Site, hints: Callable[[], Hints], *, words: Words, clock: Clock
    ) -> None:
        self._core = core
        self._site = site
        self._hints = hints
        self._words = words
        self._clock = clock
        self._lock = threading.Lock()
        self._house = House(site.name, site.zone, site.zone_name)
        self._reading: Reading | None = None
        self._whole_at = datetime.min.replace(tzinfo=UTC)
        self._told: Snapshot | None = None
        self._hinted: dict[str, tuple[ShelfProduct, ReorderHint, ShelfProduct]] = {}
        self._state = ("", 0)
        self._rests_until = 0.0
        self._cuts = {sees: (Teller(prices=sees), Parts()) for sees in (True, False)}
        self._zipped: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    def sees_prices(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles is told what was paid."""
        return not self._site.price_roles.isdisjoint(map(str, roles))

    def snapshot(self) -> Snapshot:
        """Everything, prices included, as it stands now. Raises UnavailableError."""
        with self._lock:
            return self._finished(self._read(), self._hints())

    def answer(
        self, roles: Collection[str], *, has: str = "", changes: bool = False, zips: bool = False
    ) -> Answer:
        """What somebody with these roles is told, who has the content of the tag `has` already:
        with `changes` only what changed since, as far as that is known; `zips`: they read gzip.

        Raises UnavailableError.
        """
        names = tuple(sorted(map(str, roles)))
        ending = telling.role_tag(names)
        at_us = micros(self._clock.now())
        with self._lock:
            self._look()
            cut = self._cuts[self.sees_prices(names)][1]
            tag = cut.tag + ending
            if has == tag:
                return Answer(tag)
            since = (
                cut.since(has.removesuffix(ending)) if has.endswith(ending) and changes else None
            )
            kept_at, kept = self._zipped.get(tag, (0, b""))
            if since is None and zips and kept and at_us - kept_at <= _ZIPPED_FOR_US:
                return Answer(tag, kept, gzipped=True)
            parts, frame = cut.parts, cut.frame
        base, change = since or (0, Change(tuple(parts), ()))
        body = telling.body(frame, parts, change, roles=names, base=base, at_us=at_us)
        if not zips or len(body) < _LEAST:
            return Answer(tag, body)
        zipped = gzip.compress(body, _GZIP, mtime=0)
        if since is None:
            self._keep(tag, at_us, zipped)
        return Answer(tag, zipped, gzipped=True)

    def _keep(self, tag: str, at_us: int, zipped: bytes) -> None:
        with self._lock:
            self._zipped[tag] = (at_us, zipped)
            self._zipped.move_to_end(tag)
            while len(self._zipped) > _ZIPPED:
                self._zipped.popitem(last=False)

    def _look(self) -> None:
        """Read again where something changed: what the books carry, the day, the hints."""
        if time.monotonic() < self._rests_until:
            return
        began = time.thread_time()
        hints = self._hints()
        today = self._clock.now().astimezone(self._site.zone).date().isoformat()
        read = self._read()
        if read is not self._told or self._state != (today, hints.stamp):
            taken = self._finished(read, hints)
            frame = telling.frame(taken)
            for teller, cut in self._cuts.values():
                cut.replace(teller.parts(taken), frame, taken.version)
            self._told, self._state = read, (today, hints.stamp)
        took = time.thread_time() - began
        self._rests_until = time.monotonic() + _REST * took if took > _SLOW_S else 0.0

    def _read(self) -> Snapshot:
        """What the books say: the same object as the last time where nothing was written that a phone
        carries. Only the products that were written to since are read again.
        """
        with database.snapshot(self._core.engine) as connection:
            now, before = self._clock.now(), self._reading
            new = None if before is None else news(connection, before.mark)
            is_due = abs(now - self._whole_at) > _WHOLE_EACH
            if before is None or new is None or (new.anything and is_due):
                self._reading, self._whole_at = gather(connection, self._house, at=now), now
            elif new.anything:
                self._reading = gather_again(connection, self._house, before, new, at=now)
            else:
                # So that what a phone does not carry is looked through once, not at each question.
                self._reading = replace(before, mark=new.mark)
        return self._reading.snapshot

    def _finished(self, read: Snapshot, hints: Hints) -> Snapshot:
        """As of now, with hints, and in the site's language. A product that is the same stays the same
        object.
        """
        now = self._clock.now()
        hinted = {
            each.gtin: self._with_hint(each, hint)
            for each in read.products
            if (hint := hints.by_gtin.get(each.gtin)) is not None
        }
        self._hinted = hinted
        products = tuple(
            hinted[each.gtin][2] if each.gtin in hinted else each for each in read.products
        )
        day = now.astimezone(self._site.zone).date().isoformat()
        taken = replace(read, products=products, today=day, at_us=micros(now))
        return telling.in_words(taken, self._words)

    def _with_hint(
        self, product: ShelfProduct, hint: ReorderHint
    ) -> tuple[ShelfProduct, ReorderHint, ShelfProduct]:
        known = self._hinted.get(product.gtin)
        if known is not None and known[0] is product and known[1] == hint:
            return known
        return product, hint, replace(product, reorder=hint)
