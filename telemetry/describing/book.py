"""The sensor book: which devices a site has, where they stand, and what their values are worth.

It is a document of the site, kept by the hub and given to the gateway whole. It is taken whole or
refused with the device and what to mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from contracts.errors import BadInputError
from contracts.telemetry import Calibration
from telemetry.describing.compiled import Compiled, compile_template
from telemetry.describing.envelopes import TOPICS, Envelope
from telemetry.describing.template import TOPIC_MEND, Template, is_topic

MOST_DEVICES: Final = 20_000
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class BadBookError(BadInputError):
    """A sensor book that cannot be used; data has `device` where one is the cause."""

    code = "bad_sensor_book"


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One sensor."""

    id: str
    """The name it has in its topic, its certificate or at its network server (DevEUI)."""
    template: str
    name: str = ""
    """What people call it."""
    site: str = ""
    place: str = ""
    """Location or zone of the core."""
    topic: tuple[str, ...] = ()
    """Where it publishes, where that is not what its template says; {device} and + as there."""
    serial: str = ""
    """The number the payload itself names; with it a sensor swapped is found out."""
    envelope: Envelope = "auto"
    parameters: Mapping[str, float] = {}
    calibration: Mapping[str, Calibration] = {}
    """By quantity, or quantity/channel; "" is for all of its values."""
    retired: bool = False
    note: str = ""

    def calibration_of(self, quantity: str, channel: str) -> Calibration:
        """The nearest one: of this probe, of the quantity, of the device."""
        for key in (f"{quantity}/{channel}", quantity, ""):
            if key in self.calibration:
                return self.calibration[key]
        return Calibration()


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Sensors that are not written down one by one: whoever publishes below this topic."""

    topic: str
    """With {device}."""
    template: str
    site: str = ""
    place: str = ""
    envelope: Envelope = "auto"
    most: int = 1000
    """So many different names are taken, then others are refused."""


class SensorBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All sensors of a site."""

    device: tuple[Device, ...] = ()
    family: tuple[Family, ...] = ()

    def encode(self) -> bytes:
        """JSON, the same bytes for the same book."""
        ordered = SensorBook(tuple(sorted(self.device, key=lambda one: one.id)), self.family)
        return msgspec.json.format(msgspec.json.encode(ordered, order="sorted"), indent=1)

    def find(self, device: str) -> Device | None:
        return next((one for one in self.device if one.id.lower() == device.lower()), None)

    def with_device(self, device: Device) -> SensorBook:
        """The book with this device added, or in the place of the one of its name."""
        others = tuple(one for one in self.device if one.id.lower() != device.id.lower())
        return SensorBook((*others, device), self.family)

    def without(self, device: str) -> SensorBook:
        return SensorBook(tuple(one for one in self.device if one.id != device), self.family)


def read_book(data: bytes) -> SensorBook:
    """A book from its JSON. Raises BadBookError."""
    try:
        return msgspec.json.decode(data or b"{}", type=SensorBook)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadBookError(
            f"the sensor book cannot be read: {error}",
            mend="Import it anew from the page of sensors",
        ) from error


def check_book(book: SensorBook, templates: Mapping[str, Template]) -> None:
    """That a book can take effect with these templates.

    Raises BadBookError: a name twice, no such template or parameter, a topic that is none, a
    calibration of a quantity the sensor does not measure. Raises BadTemplateError.
    """
    if len(book.device) > MOST_DEVICES:
        raise BadBookError(
            f"{len(book.device)} devices",
            mend=f"A book takes {MOST_DEVICES}; write a family for the rest",
        )
    seen: set[str] = set()
    taken: dict[str, str] = {}
    for device in book.device:
        if not _ID.fullmatch(device.id):
            raise _bad(device.id, "this is no name of a device", "Use letters, digits and . _ : -")
        if device.id.lower() in seen:
            raise _bad(device.id, "is in the book twice", "Keep one of the two")
        seen.add(device.id.lower())
        compiled = _compiled(device.id, device.template, templates, device.parameters)
        _check_topics(device, taken)
        _check_calibration(device, compiled)
        _check_words(device.id, device)
    for family in book.family:
        _check_words(family.topic, family)
        _compiled(family.topic, family.template, templates, {})
        if "{device}" not in family.topic or not is_topic(family.topic):
            raise _bad(
                family.topic, "this topic says no {device}", "Write it where the name stands"
            )


def topics_of(device: Device | Family, template: Template) -> tuple[str, ...]:
    """The topics as they are written, {device} and all."""
    if isinstance(device, Family):
        return (device.topic,)
    if device.topic:
        return device.topic
    binary = any(layout.format in {"bytes", "tlv"} for layout in template.file.layout)
    return (*template.file.topic, *(TOPICS if binary else ()))


def _compiled(
    who: str, name: str, templates: Mapping[str, Template], parameters: Mapping[str, float]
) -> Compiled:
    if name not in templates:
        raise _bad(who, f"no template {name!r}", "Choose one of `tallyman telemetry templates`")
    return compile_template(templates[name], parameters)


def _check_topics(device: Device, taken: dict[str, str]) -> None:
    for topic in device.topic:
        if not is_topic(topic):
            raise _bad(device.id, f"topic {topic!r} is none", TOPIC_MEND)
        plain = topic.replace("{device}", device.id)
        if taken.setdefault(plain, device.id) != device.id:
            raise _bad(
                device.id, f"topic {plain!r} is also that of {taken[plain]}", "Give each its own"
            )


def _check_calibration(device: Device, compiled: Compiled) -> None:
    known = {key for c in compiled.columns for key in (c.quantity, f"{c.quantity}/{c.channel}")}
    open_ended = any(_is_open(layout) for layout, _ in compiled.layouts)
    for key in device.calibration:
        if key and key not in known and not open_ended:
            raise _bad(
                device.id,
                f"calibration of {key!r}, which it does not measure",
                f"It measures: {', '.join(sorted(known))}",
            )


def _check_words(who: str, entry: Device | Family) -> None:
    """They go with every alarm into databases that keep no control characters."""
    said = [entry.site, entry.place]
    if isinstance(entry, Device):
        said += [entry.name, entry.serial]
        for each in entry.calibration.values():
            said += [each.certificate, each.calibrated_on, each.due_on]
    for text in said:
        if not text.isprintable():
            raise _bad(who, f"{text[:60]!r} has signs that cannot be shown", "Write it on one line")


def _is_open(layout: object) -> bool:
    entries: Iterable[object] = getattr(layout, "entry", ())
    measures = [m for entry in entries for m in getattr(entry, "measure", ())]
    return bool(getattr(layout, "open", False)) or any(m.each_channel for m in measures)


def _bad(device: str, what: str, mend: str) -> BadBookError:
    return BadBookError(f"{device}: {what}", mend=mend, device=device)
