"""Which templates could read what an unknown address said: the answer to "describe it"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from telemetry.describing.binding import Refused
from telemetry.describing.compiled import Column, TriedOut, try_out
from telemetry.describing.envelopes import TOPICS, unwrapper
from telemetry.describing.template import Template

_TEXTS = frozenset({"json", "csv", "senml"})
MOST = 12
_SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A template that read the payload. `device` is the name the address gives its sender."""

    template: Template
    device: str
    named: bool
    """The template's own topic fits the address; else it is one of many that may be meant."""
    out: TriedOut

    @property
    def values(self) -> int:
        """How many values were read."""
        return sum(value is not None for _, _, row in self.out.readings for value in row)

    @property
    def sample(self) -> list[tuple[Column, float]]:
        """The first few values of the first reading: a person sees whether they can be right."""
        row = self.out.readings[0][2] if self.out.readings else ()
        found = [(c, v) for c, v in zip(self.out.columns, row, strict=False) if v is not None]
        return found[:_SAMPLE]


def suggest(templates: Mapping[str, Template], address: str, payload: bytes) -> list[Suggestion]:
    """Templates that take this payload, those whose topic fits first, then by values read.

    Bytes mean something to many templates: they are tried only where the address names a network
    server, and then every value must be inside its range.
    """
    envelope, name = _server(address)
    port = _port(envelope, payload)
    found: list[Suggestion] = []
    for template in templates.values():
        own = _device(template, address)
        texts = any(layout.format in _TEXTS for layout in template.file.layout)
        if not texts and not envelope:
            continue
        out = try_out(template, payload, envelope="none" if texts else envelope, port=port)
        if out.refused is None and any(v is not None for _, _, row in out.readings for v in row):
            found.append(Suggestion(template, own or name, bool(own), out))
    found.sort(key=lambda one: (not one.named, -one.values, one.template.name))
    return found[:MOST]


def device_in(templates: Mapping[str, Template], address: str) -> str:
    """The name that an address gives its sender, by the topics of templates and servers."""
    named = (_device(template, address) for template in templates.values())
    return next(filter(None, named), "") or _server(address)[1] or address.rpartition("/")[2]


def _server(address: str) -> tuple[str, str]:
    for topic, envelope in TOPICS.items():
        if match := _matched(topic, address):
            return envelope, match
    return "", ""


def _port(envelope: str, payload: bytes) -> int | None:
    unwrap = unwrapper(envelope)
    if unwrap is None:
        return None
    try:
        return unwrap(payload)[0]
    except Refused:
        return None


def _device(template: Template, address: str) -> str:
    return next(filter(None, (_matched(topic, address) for topic in template.file.topic)), "")


def _matched(topic: str, address: str) -> str:
    text = re.escape(topic).replace(r"\+", "[^/]+").replace(r"\{device\}", "(?P<device>[^/]+)", 1)
    match = re.fullmatch(text, address)
    return match.groupdict().get("device", "") if match else ""
