"""Templates and the site's sensor book together: which address is which device, decoded how (I5).

A catalogue never changes; another book or another template makes another catalogue, which is
exchanged between two groups and keeps the numbers of the series.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import Final

from contracts.telemetry import Calibration, SeriesKey
from telemetry.describing.binding import DAY_US, Binding, Refused
from telemetry.describing.book import Device, Family, SensorBook, check_book, read_book, topics_of
from telemetry.describing.compiled import Column, Compiled, compile_template, open_column
from telemetry.describing.envelopes import TOPICS
from telemetry.describing.layouts.source import Who
from telemetry.describing.library import with_own
from telemetry.describing.series import SeriesBook
from telemetry.describing.template import Template

_MOST_REFUSED: Final = 10_000
"""Addresses nobody described, remembered so that they cost one look in a table."""
_MOST_BOUND: Final = 200_000
"""Addresses kept: a topic with + in it has as many as a sender likes."""
_MOST_OPEN: Final = 64
"""Channels of one device that its template left open."""


_NOT_TOLD: Final = Calibration()


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A topic with {device} and + in it, and who may be found by it."""

    topic: str
    search: re.Pattern[str]
    device: str = ""
    """Whose it is, where the topic does not say."""
    family: Family | None = None


class Catalogue:
    """What the endpoints, the rules and the tailer ask."""

    def __init__(
        self,
        templates: Mapping[str, Template],
        book: SensorBook,
        *,
        after: Catalogue | None = None,
    ) -> None:
        """`after`: the catalogue this one takes the place of; numbers of series are kept.

        Raises BadBookError and BadTemplateError: what cannot be used takes no effect at all.
        """
        check_book(book, templates)
        self._templates = templates
        self.book = book
        self.version = _hash(templates, book)
        self.wrong_clocks: dict[str, int] = after.wrong_clocks if after is not None else {}
        """Messages of a device whose own time could not be right, since the first catalogue."""
        self.series: SeriesBook = SeriesBook(after.series if after is not None else None)
        self._devices = {one.id.lower(): one for one in book.device if not one.retired}
        self._bound: dict[str, Binding] = {}
        self._refused: dict[str, tuple[str, str]] = {}
        self._met: dict[int, set[str]] = {}
        self._openers: dict[str, Callable[[int, str, str], int]] = {}
        self._opened: dict[tuple[str, int, str, str], None] = {}
        """Address and channel of what templates left open, in the order in which it was met."""
        self._exact, self._patterns = self._addresses()
        self._numbers = {
            name: self._number(device.id, device, self._compiled(device))
            for name, device in self._devices.items()
        }
        self.series.retire_all_but({one for each in self._numbers.values() for one in each})
        self._meet_again(after)

    def bind(self, address: str) -> Binding:
        """The binding of an address, kept for the next message.

        Raises Refused: unknown_address, too_many_devices.
        """
        binding = self._bound.get(address)
        if binding is not None:
            return binding
        refused = self._refused.get(address)
        if refused is not None:
            raise Refused(*refused)
        try:
            binding = self._bind(address)
        except Refused as error:
            if len(self._refused) >= _MOST_REFUSED:
                self._refused.clear()
            self._refused[address] = (error.code, error.detail)
            raise
        if len(self._bound) >= _MOST_BOUND:
            self._bound.clear()
            self._openers.clear()
            self._opened.clear()
        self._bound[address] = binding
        return binding

    def still(self) -> Catalogue:
        """What it is now, for a thread that makes the one after it while this one goes on meeting
        addresses. The next one fits only as long as this one has no more series.
        """
        seen = copy(self)
        seen.series = SeriesBook(self.series)
        seen._bound = dict(self._bound)  # noqa: SLF001 -- of our own class
        seen._opened = dict(self._opened)  # noqa: SLF001 -- as above
        return seen

    def device(self, name: str) -> Device | None:
        """The book's entry of a device; None for one of a family, or unknown."""
        return self._devices.get(name.lower())

    def template_of(self, device: Device) -> Template:
        return self._templates[device.template]

    def _addresses(self) -> tuple[dict[str, Device], list[_Pattern]]:
        exact: dict[str, Device] = {}
        patterns: dict[str, _Pattern] = {topic: _pattern(topic) for topic in TOPICS}
        for device in self._devices.values():
            for topic in self._topics(device):
                if "+" in topic or ("{device}" in topic and not device.topic):
                    key = topic if "{device}" in topic else f"{topic} {device.id}"
                    patterns.setdefault(key, _pattern(topic, device.id))
                else:
                    exact[topic.replace("{device}", device.id)] = device
        families = [_pattern(one.topic, family=one) for one in self.book.family]
        return exact, [*patterns.values(), *families]

    def _topics(self, device: Device) -> tuple[str, ...]:
        return topics_of(device, self._templates[device.template])

    def _bind(self, address: str) -> Binding:
        found = self._exact.get(address)
        if found is not None:
            return self._made(found.id, found, address)
        for pattern in self._patterns:
            match = pattern.search.fullmatch(address)
            if match is None:
                continue
            name = pattern.device or match["device"]
            if pattern.family is not None:
                _check_name(name)
                self._meet(pattern.family, name)
                return self._made(name, pattern.family, address)
            device = self._devices.get(name.lower())
            if device is not None and pattern.topic in self._topics(device):
                return self._made(device.id, device, address)
        raise Refused("unknown_address", f"no sensor of the book publishes to {address!r}")

    def _meet(self, family: Family, name: str) -> None:
        met = self._met.setdefault(id(family), set())
        if name not in met and len(met) >= family.most:
            raise Refused("too_many_devices", f"{family.topic}: more than {family.most} names")
        met.add(name)

    def _compiled(self, entry: Device | Family) -> Compiled:
        parameters = entry.parameters if isinstance(entry, Device) else {}
        return compile_template(self._templates[entry.template], parameters)

    def _made(self, name: str, entry: Device | Family, address: str) -> Binding:
        compiled = self._compiled(entry)
        file = compiled.template.file
        numbers = self._numbers.get(name.lower()) if isinstance(entry, Device) else None
        if numbers is None:
            numbers = self._number(name, entry, compiled)
        who = Who(_names(name, entry, compiled))
        envelope = _envelope(compiled, address) if entry.envelope == "auto" else entry.envelope
        decoding = compiled.decoding(who, envelope)
        binding = Binding(
            name, file.name, numbers, decoding.decode, decoding.several, decoding.together,
            behind_us=int(file.behind_days * DAY_US), ahead_us=int(file.ahead_s * 1_000_000),
            wrong_clock_refused=file.wrong_clock == "refuse",
            wrong_clock_shifted=file.wrong_clock == "shift",
            relative_clock=any(layout.format == "senml" for layout in file.layout),
            clocks=self.wrong_clocks,
        )  # fmt: skip
        who.opened = self._openers[address] = self._opener(address, binding, entry, compiled)
        return binding

    def _opener(
        self, address: str, binding: Binding, entry: Device | Family, compiled: Compiled
    ) -> Callable[[int, str, str], int]:
        places: dict[tuple[int, str, str], int] = {}

        def opened(slot: int, channel: str, quantity: str) -> int:
            key = (slot, channel, quantity)
            if key not in places:
                _check_name(channel)
                if len(places) >= _MOST_OPEN:
                    raise Refused("too_many_channels", f"{binding.device}: more than {_MOST_OPEN}")
                column = open_column(compiled.columns, slot, channel, quantity)
                number = self._put(binding.device, entry, column)
                if number not in binding.series:
                    binding.series = (*binding.series, number)
                places[key] = binding.series.index(number)
                self._opened[address, *key] = None
            return places[key]

        return opened

    def _number(self, name: str, entry: Device | Family, compiled: Compiled) -> tuple[int, ...]:
        return tuple(self._put(name, entry, column) for column in compiled.columns)

    def _put(self, name: str, entry: Device | Family, column: Column) -> int:
        worth = _NOT_TOLD
        if isinstance(entry, Device) and entry.calibration:
            worth = entry.calibration_of(column.quantity, column.channel)
        return self.series.put(
            SeriesKey(name, column.quantity, column.channel), column.unit,
            site=entry.site, place=entry.place, calibration=worth, template=entry.template,
            precision=column.precision,
        )  # fmt: skip

    def _meet_again(self, after: Catalogue | None) -> None:
        """Devices of families that spoke before, and channels that a template leaves open, are known
        from the start: rules watch on without a pause.
        """
        if after is None:
            return
        for address in after._bound:  # noqa: SLF001 -- of our own class
            with suppress(Refused):
                self.bind(address)
        for address, slot, channel, quantity in after._opened:  # noqa: SLF001 -- as above
            binding = self._bound.get(address)
            before = after._bound.get(address)  # noqa: SLF001 -- as above
            if binding and before and binding.template == before.template:
                # Another text of the template may have fewer columns.
                with suppress(Refused, LookupError):
                    self._openers[address](slot, channel, quantity)


def catalogue_of(
    book: bytes, own: Iterable[str] = (), *, after: Catalogue | None = None
) -> Catalogue:
    """A catalogue from the documents as the hub keeps them: the book's JSON, the site's templates.

    Raises BadBookError and BadTemplateError.
    """
    return Catalogue(with_own(tuple(own)), read_book(book), after=after)


def _envelope(compiled: Compiled, address: str) -> str:
    """What a network server wraps around bytes that come by one of its topics."""
    if not any(layout.format in {"bytes", "tlv"} for layout, _ in compiled.layouts):
        return "none"
    found = (kind for topic, kind in TOPICS.items() if _pattern(topic).search.fullmatch(address))
    return next(found, "none")


def _names(name: str, entry: Device | Family, compiled: Compiled) -> frozenset[str]:
    """What a payload may call its sender: the serial number where the book has one, else the name
    where the payload says names at all.
    """
    if isinstance(entry, Device) and entry.serial:
        return frozenset({entry.serial.lower()})
    named = any(
        la.device is not None and la.format in {"json", "csv"} for la, _ in compiled.layouts
    )
    return frozenset({name.lower()}) if named else frozenset()


def _check_name(name: str) -> None:
    """A sender's own word becomes part of a series' name: pages show it, databases keep it."""
    if not name.isprintable():
        raise Refused("bad_name", repr(name[:80]))


def _pattern(topic: str, device: str = "", family: Family | None = None) -> _Pattern:
    text = re.escape(topic).replace(r"\+", "[^/]+").replace(r"\{device\}", "(?P<device>[^/]+)", 1)
    return _Pattern(topic, re.compile(text), "" if "{device}" in topic else device, family)


def _hash(templates: Mapping[str, Template], book: SensorBook) -> str:
    digest = hashlib.sha256(book.encode())
    for name in sorted(templates):
        digest.update(f"{name} {templates[name].sha256}\n".encode())
    return digest.hexdigest()
