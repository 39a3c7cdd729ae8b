"""A template: what one kind of sensor says, in a TOML file and without code.

The classes here are the file's own shape, so the reference of the format is this module. A file is
taken whole or refused with the place and what to mend; nothing of a refused one takes effect.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec

from contracts.errors import BadInputError

MOST_BYTES: Final = 100_000
_TOPIC: Final = re.compile(r"[^\s#]{1,200}")
TOPIC_MEND: Final = "No spaces, no #, + for a whole level only, {device} once, at most 200 signs"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

Format = Literal["json", "csv", "bytes", "tlv", "senml", "sparkplug"]
TimeUnit = Literal["s", "ms", "us", "iso"]
WrongClock = Literal["arrival", "shift", "refuse"]


class BadTemplateError(BadInputError):
    """A template that cannot be used; data has `template` and `where` (a path into the file)."""

    code = "bad_template"


class Kind(StrEnum):
    """What a sensor is bought for: how pages group templates."""

    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    COLD_CHAIN_PROBE = "cold_chain_probe"
    FREEZER = "freezer"
    LIGHT = "light"
    VIBRATION = "vibration"
    TILT = "tilt"
    DOOR = "door"
    LEAK = "leak"
    SMOKE = "smoke"
    GAS = "gas"
    CO2 = "co2"
    PARTICULATE = "particulate"
    PRESSURE = "pressure"
    WEIGHT = "weight"
    LEVEL = "level"
    ENERGY = "energy"
    OCCUPANCY = "occupancy"
    RFID = "rfid"
    POSITION = "position"
    WEATHER = "weather"
    SOIL = "soil"
    WATER = "water"
    PULSES = "pulses"
    SIGNAL = "signal"
    ANY = "any"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Measure(_Part, frozen=True):
    """One value. Where it stands: `path` (JSON), `column` (CSV, from 1), `name` (SenML, Sparkplug), or
    `value`, a formula over the parts of a block and the parameters (see arithmetic).
    """

    quantity: str
    unit: str
    """As the sensor says it; behind the template the quantity has its own unit (units)."""
    path: str = ""
    column: int = 0
    name: str = ""
    alias: int = -1
    """Sparkplug: the number a metric is sent by where its name is left out."""
    value: str = ""
    """With `path` or `column` the formula sees what was read as `x`."""
    channel: str = ""
    field: str = ""
    """The maker's word, for trying out; else the quantity and the channel."""
    range: tuple[float, float] | None = None
    """In `unit`, both ends included; beyond it the message is refused."""
    missing: tuple[float, ...] = ()
    """Values in `unit` that say "no probe here": nothing was measured."""
    precision: float = 0.0
    """Smallest step that means something, in `unit`."""
    states: Mapping[str, float] = {}
    """Words the sensor says for numbers: {closed = 0, open = 1}."""
    optional: bool = False
    """May be absent (JSON, CSV): else its absence refuses the message."""
    unit_path: str = ""
    """Where the message names its unit (JSON); another kind of unit refuses it."""
    each_channel: bool = False
    """TLV: one channel for every number met in the tag's free byte (Cayenne LPP)."""
    when: str = ""
    """Only where this formula is not 0."""

    @property
    def word(self) -> str:
        return self.field or (f"{self.quantity}_{self.channel}" if self.channel else self.quantity)


class Place(_Part, frozen=True):
    """Where a time, a number or a name stands: one of the three, as in Measure."""

    path: str = ""
    column: int = 0
    value: str = ""
    unit: TimeUnit = "s"
    """Of a time; `iso` is ISO 8601 with its zone."""


class Block(_Part, frozen=True):
    """Bytes that stand together. `parts` are read one after another: {t = "s16", _ = "skip 2"};
    a part with "@n" is read at byte n of the block. Types: u8 to u64, s8 to s64 in steps of 8,
    f32, f64, each with "le" or "be" where it differs from the layout's `byte_order`, and skip N.
    """

    parts: Mapping[str, str] = {}
    measure: tuple[Measure, ...] = ()
    when: str = ""
    """Formula over what was read before: the block is there only where it is not 0."""
    info: Mapping[str, str] = {}
    """Shown when a payload is tried out, never kept: {device_id = "id"}."""
    repeat: bool = False
    """Once more as long as bytes are left: each time a reading of its own (needs `time`)."""
    time: Place | None = None


class Entry(Block, frozen=True):
    """One channel of a TLV payload, found by its tag: "03 67", or "?? 67" where the first byte is
    a free channel number, seen by formulas as `channel`.
    """

    tag: str = ""
    own_reading: bool = False
    """A reading of another moment (a logger's memory), told apart from the newest."""


class Layout(_Part, frozen=True):
    """How the payload of one LoRaWAN port is laid out; any port where none is given."""

    format: Format
    port: tuple[int, ...] = ()
    byte_order: Literal["big", "little"] = "big"
    start: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    """First byte of the first block or tag, behind the parts of the head."""
    head: Mapping[str, str] = {}
    """Parts that all blocks and tags see."""
    check: str = ""
    """Formula over the head and `length`: where it is 0 this is another sensor's payload."""
    nothing: str = ""
    """Formula over the same: where it is not 0 the payload measures nothing (it tells that a
    command was taken); it is accepted and holds no value.
    """
    block: tuple[Block, ...] = ()
    entry: tuple[Entry, ...] = ()
    unknown: Literal["refuse", "stop"] = "refuse"
    """A tag nobody described: its length is not known. `stop` keeps what was read before it."""
    measure: tuple[Measure, ...] = ()
    info: Mapping[str, str] = {}
    each: str = ""
    """JSON: path of a list whose every element is a reading. CSV: "line"."""
    separator: str = ","
    header: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    """Lines of a CSV payload before the first reading."""
    time: Place | None = None
    sequence: Place | None = None
    """The device's own number of the message: with it nothing counts twice (I2)."""
    device: Place | None = None
    """Where the payload names its sender; another than the address says is refused."""
    open: bool = False
    """SenML: take every record with a known unit, also those not described."""


class Said(_Part, frozen=True):
    en: str = ""
    zh: str = ""


class TemplateFile(_Part, frozen=True):
    """The file. One layout may stand in it directly: `format`, `measure`, ... beside `name`."""

    name: str
    kind: Kind
    layout: tuple[Layout, ...]
    maker: str = ""
    models: tuple[str, ...] = ()
    title: Said = Said()
    topic: tuple[str, ...] = ()
    """Where such sensors publish, {device} for their name, + for any one level."""
    parameters: Mapping[str, float] = {}
    """Constants of one device with their usual values; the sensor book may say others."""
    wrong_clock: WrongClock = "arrival"
    """A clock that cannot be right: the time of arrival counts instead; or the newest reading of the
    message was measured as it came in and the others keep their distance to it; or it is refused.
    """
    behind_days: Annotated[float, msgspec.Meta(ge=0, le=36_525)] = 366.0
    ahead_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 300.0
    quality: Mapping[str, str] = {}
    """What the description rests on: source, vectors, range..., each with "done", "todo" or why not."""


_OUTER: Final = frozenset(TemplateFile.__struct_fields__) - {"layout"}


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A file that was read, with the hash of its text. The same text gives the same object."""

    file: TemplateFile
    sha256: str
    text: str

    @property
    def name(self) -> str:
        return self.file.name


@lru_cache(maxsize=256)
def read_template(text: str, *, where: str = "the template") -> Template:
    """The shape of a template. What its formulas and units mean is checked by `compiled`.

    Raises BadTemplateError: no TOML (with line), an unknown key, a wrong type, a name that is none.
    """
    if len(text) > MOST_BYTES:
        raise _bad(where, f"has {len(text)} characters", f"at most {MOST_BYTES} are taken")
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _bad(
            where, f"is not TOML: {error}", "See docs/guides/describe-a-sensor.md"
        ) from error
    try:
        file = msgspec.convert(_with_layout(said), TemplateFile)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _bad(where, str(error), "See docs/guides/describe-a-sensor.md") from error
    if not _NAME.fullmatch(file.name):
        raise _bad(where, f"name {file.name!r} is none", "Use a-z, 0-9 and -, at most 64")
    for topic in file.topic:
        if not is_topic(topic):
            raise _bad(where, f"topic {topic!r} is none", TOPIC_MEND)
    if not file.layout:
        raise _bad(where, "says no format", 'Add format = "json" or a [[layout]]')
    return Template(file, hashlib.sha256(text.encode()).hexdigest(), text)


def is_topic(text: str) -> bool:
    """Where a sensor publishes: + stands for a whole level, {device} once for its name.

    Two + in one level would mean the same as one, and take for ever to compare with an address.
    """
    return bool(
        _TOPIC.fullmatch(text)
        and text.count("{device}") <= 1
        and all("+" not in level or level == "+" for level in text.split("/"))
    )


def _with_layout(said: dict[str, Any]) -> dict[str, Any]:
    """One layout may stand in the file itself: its keys are put into a layout."""
    inner = {key: said[key] for key in said if key not in _OUTER and key != "layout"}
    outer = {key: said[key] for key in said if key in _OUTER}
    for key in ("topic", "models"):
        outer[key] = _listed(outer.get(key, []))
    layouts = said.get("layout", [])
    if inner and not layouts:
        layouts = [inner]
    elif inner:
        outer.update(inner)  # refused by name: beside [[layout]] these keys have no meaning
    if isinstance(layouts, list):
        layouts = [_port_listed(one) if isinstance(one, dict) else one for one in layouts]
    return {**outer, "layout": layouts}


def _port_listed(layout: dict[str, Any]) -> dict[str, Any]:
    return {**layout, "port": _listed(layout["port"])} if "port" in layout else layout


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _bad(where: str, what: str, mend: str) -> BadTemplateError:
    return BadTemplateError(f"{where} {what}", mend=mend, template=where)
