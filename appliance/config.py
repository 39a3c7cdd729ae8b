"""Configuration: one TOML file, then the environment (`TALLYMAN_SECTION_KEY`), then defaults.

Unknown sections, keys and wrong types are refused with their place. Secrets never stand here.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from appliance.hub_config import HubConfig
from appliance.modules.settings import ModulesConfig
from appliance.ota.settings import OtaConfig
from appliance.sensor_config import GatewayConfig, HistoryConfig
from appliance.shelf.settings import ShelfConfig
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """`time_zone` is an IANA name: a carton expires at midnight here, not at UTC's."""

    name: str = "Dock"
    time_zone: str = "Asia/Shanghai"
    language: str = "en"
    data: str = "var"
    """Folder of everything this machine remembers; one process family at a time."""


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    station: str = "dock-1"
    device: str = "edge-01"
    listen: str = "127.0.0.1:8081"
    hub_url: str = "https://127.0.0.1:8443"
    pages_url: str = "http://127.0.0.1:8080"
    """The hub's pages, for links from the station's own port."""
    enrolment: str = ""
    """File with the hub's fingerprint and this device's single-use claim token."""
    serial: str = ""
    """This machine's serial number; empty: read from the machine."""
    trigger: str = "presence"
    """What opens a carton: `presence`, `photo-eye` or `replay`."""
    lane_deadline_ms: int = 600
    printer: str = ""
    """HOST:PORT of a ZPL label printer."""
    replay: str = ""
    """Folder of carton pictures to judge, for `trigger = "replay"`."""
    profiles: str = ""
    """Folder of product profiles; empty: `profiles` in the data folder."""
    label_camera: str = ""
    """Device number, RTSP or HTTP URL, or `upload`."""
    inspect_camera: str = ""
    inspect_mm_per_px: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0
    """Millimetres on the goods for one pixel of the inspect camera; 0: not measured, so that boxes
    are told in pixels only.
    """
    threads: int = 2
    """Threads of the inference engines."""
    keep_pictures_days: int = 30
    """Uploaded pictures are kept here at least this long."""
    free_space_mb: int = 2048
    """Below this much free space, older uploaded pictures are removed; 0: never."""
    pictures_mb: Annotated[int, msgspec.Meta(ge=0)] = 20480
    """Uploaded pictures beyond this are removed whatever their age, those of open batches last; 0:
    no limit.
    """


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """What reads labels on an edge."""

    engine: str = "onnxruntime-cpu"
    """onnxruntime-cpu, onnxruntime-cuda, onnxruntime-tensorrt, openvino-cpu or paddleocr-cpu."""
    models: str = ""
    """Folder of a label reader's model set; empty: the newest that the appliance carries."""
    paddle_python: str = ""
    """The Python of an environment made from requirements/paddle.lock."""


@dataclass(frozen=True, slots=True)
class InspectorConfig:
    """What looks at the goods on an edge."""

    engine: str = "onnxruntime-cpu"
    """One of those that the backbone's manifest names."""
    detectors: str = ""
    """Folder of detectors (models/recipes/yolo), each set in a folder named by its GTIN."""


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    url: str = ""
    """mqtt://[user:password@]host:port, or mqtts; empty: none."""
    authority: str = ""
    """PEM file of whoever vouches for the certificate behind an mqtts url; empty: this machine's."""
    listen: str = ""
    """HOST:PORT where the broker that `up` starts lets vehicles in, with TLS by the site's CA;
    empty: loopback only, without TLS.
    """


@dataclass(frozen=True, slots=True)
class LiveConfig:
    url: str = ""
    """redis://host:port; empty: the view lives in each process's memory."""


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    inspection_required: bool = True
    clock_synchronised: bool = True
    """Accept nothing on expiry while the kernel says that no time service keeps the clock."""
    warn_days: int = 30
    short_dated_days: int = 15
    audit_one_in: int = 0
    """One in so many accepted cartons, drawn by chance, is confirmed by a person; 0: none."""
    freeze_percent: Annotated[float, msgspec.Meta(ge=0.01, le=20)] = 1.0
    """At most so many of a hundred sound batches are frozen by false alarms."""
    condition: Literal["off", "review", "hold"] = "review"
    """What a damaged carton leads to, where its product's reference sides are enrolled."""


@dataclass(frozen=True, slots=True)
class QualityConfig:
    """How usage decisions are made (docs/reference/configuration.md)."""

    signed: bool = True
    """Every usage decision carries the signature of a key registered to its person or program."""
    two_people: tuple[Literal["release", "return", "scrap", "sort", "rework"], ...] = ()
    """Decisions that a second person must sign too."""
    two_people_from: Annotated[int, msgspec.Meta(ge=0)] = 0
    """From so many units on; 0: always."""


@dataclass(frozen=True, slots=True)
class LearningConfig:
    """Examples from cartons that operators settled, and what is made of them."""

    keep: Literal["off", "crops", "label", "frame"] = "crops"
    """What a station keeps of a settled review, and whether the hub takes it: nothing, the lines
    that hold one of the three fields, the label with all other lines painted over, whole frames.
    """
    edge_mb: Annotated[int, msgspec.Meta(ge=1)] = 512
    edge_days: Annotated[int, msgspec.Meta(ge=1)] = 90
    """No example older than this on a station that cannot send it."""
    hub_mb: Annotated[int, msgspec.Meta(ge=1)] = 8192
    hub_days: Annotated[int, msgspec.Meta(ge=1)] = 730
    ship_kb_s: Annotated[int, msgspec.Meta(ge=0)] = 64
    """Kilobytes a second that examples may take of the way to the hub; 0: none is sent."""
    schedule: Literal["off", "daily", "weekly"] = "weekly"
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 2
    """In the site's time zone; a weekly run is on Sundays."""
    then: Literal["nothing", "propose", "shadow"] = "propose"
    """With a candidate that may be published: nothing, propose it to the registry, or draft a
    rollout in shadow as well once a person published it. A person approves each.
    """
    least_new: Annotated[int, msgspec.Meta(ge=1)] = 50
    """New examples that make a run worth its time."""
    minutes: Annotated[int, msgspec.Meta(ge=1)] = 60
    """Of training."""
    python: str = ""
    """Interpreter of the training environment; empty: none here, examples are kept only."""
    recipe: str = ""
    """Folder of the label reader's recipe; empty: the checkout's."""
    kit: str = ""
    """Folder of what training starts from and candidates are judged on (guides/learning.md)."""


@dataclass(frozen=True, slots=True)
class ErpConfig:
    """The site's ERP, which is told what happened here (guides/connect-an-erp.md)."""

    kind: Literal["", "tryton", "odoo", "erpnext"] = ""
    url: str = ""
    database: str = ""
    user: str = ""
    """Tryton's login name; ERPNext's API key."""
    secret: str = ""
    """File that holds the password or key alone, readable by this user only."""
    company: str = ""
    warehouse: str = ""
    """Code of the ERP's warehouse."""
    quarantine: str = ""
    """Code of its place for goods that must not leave, outside the storage zone."""
    prefix: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9]{1,8}$")] = "TM"
    """Begins our reference in every document there; one for each site."""
    every_s: Annotated[float, msgspec.Meta(ge=0.2, le=600)] = 5.0
    announced: bool = True
    """Import the deliveries that the ERP expects."""
    orders: bool = True
    """Take in the customers' orders that wait there to be shipped."""
    history: bool = False
    """Tell also what happened before the ERP was connected for the first time."""


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """How this site speaks to partners and other systems (guides/exchange.md)."""

    gln: str = ""
    """The site's Global Location Number, 13 digits."""
    identifiers: str = "https://tallyman.invalid"
    """URL of your own domain: what has no GS1 key is named below it."""
    webhook_networks: tuple[str, ...] = ()
    """Private addresses and networks that webhooks may reach."""
    webhook_certificates: str = ""
    """PEM file of authorities that webhooks trust besides the machine's."""
    file_drop: str = ""
    """Folder for CSV files of what moved; empty: none are written."""


@dataclass(frozen=True, slots=True)
class Config:
    site: SiteConfig = field(default_factory=SiteConfig)
    hub: HubConfig = field(default_factory=HubConfig)
    edge: EdgeConfig = field(default_factory=EdgeConfig)
    reader: ReaderConfig = field(default_factory=ReaderConfig)
    inspector: InspectorConfig = field(default_factory=InspectorConfig)
    broker: BrokerConfig = field(default_factory=BrokerConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    learning: LearningConfig = field(default_factory=LearningConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    erp: ErpConfig = field(default_factory=ErpConfig)
    exchange: ExchangeConfig = field(default_factory=ExchangeConfig)
    history: HistoryConfig = field(default_factory=HistoryConfig)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    modules: ModulesConfig = field(default_factory=ModulesConfig)
    ota: OtaConfig = field(default_factory=OtaConfig)
    shelf: ShelfConfig = field(default_factory=ShelfConfig)

    @property
    def data(self) -> Path:
        """Absolute: children of `up` have working folders of their own."""
        return Path(self.site.data).absolute()

    @property
    def database_url(self) -> str:
        return self.hub.database_url or f"sqlite:///{self.data / 'hub' / 'core.db'}"


_SECTIONS = {f.name: f for f in dataclasses.fields(Config)}
PREFIX = "TALLYMAN_"
# Read by the test suite and the launcher, not settings of a section.
_OTHER_VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in ("CONFIG", "DATA", "NO_SKIPS", "RACES", "READERS", "STORIES", "STORY_STEPS")
)


def load_config(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the file (if any) and the environment.

    Raises BadInputError naming file, section and key for whatever is unknown or of another type.
    """
    environ = os.environ if environ is None else environ
    path = path or (Path(environ["TALLYMAN_CONFIG"]) if environ.get("TALLYMAN_CONFIG") else None)
    values: dict[str, dict[str, object]] = {}
    if path is not None:
        values = _read_toml(path)
    for name, raw in environ.items():
        if not name.startswith(PREFIX) or name in _OTHER_VARIABLES:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("_")
        if section in _SECTIONS and key:
            values.setdefault(section, {})[key] = raw
        else:
            raise BadInputError(
                f"Environment variable {name} names no setting",
                mend=f"Use {PREFIX}<SECTION>_<KEY> with a section of {', '.join(_SECTIONS)}",
            )
    where = str(path) if path else "the environment"
    sections = {name: _section(name, values.get(name, {}), where) for name in _SECTIONS}
    config = Config(**typing.cast("dict[str, typing.Any]", sections))
    try:
        ZoneInfo(config.site.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInputError(
            f"{where}: site.time_zone {config.site.time_zone!r} is not a time zone",
            mend="Use an IANA name such as Asia/Shanghai or Europe/Berlin",
        ) from error
    return config


def _read_toml(path: Path) -> dict[str, dict[str, object]]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(
            f"Cannot read configuration {path}: {error.strerror}", mend="Check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"{path} is not TOML: {error}", mend="Mend the line it names"
        ) from error
    for name, section in read.items():
        if name not in _SECTIONS or not isinstance(section, dict):
            raise BadInputError(
                f"{path}: [{name}] is not a section", mend=f"Sections are {', '.join(_SECTIONS)}"
            )
    return read


def _section(name: str, values: Mapping[str, object], where: str) -> object:
    kind = _SECTIONS[name].default_factory
    assert isinstance(kind, type)  # noqa: S101 -- every section is a dataclass with defaults
    known = {f.name: f for f in dataclasses.fields(kind)}
    types = typing.get_type_hints(kind, include_extras=True)
    settings: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise BadInputError(
                f"{where}: {name}.{key} is not a setting",
                mend=f"[{name}] knows {', '.join(known)}",
            )
        settings[key] = _typed(types[key], value, f"{where}: {name}.{key}")
    return kind(**settings)


def _typed(kind: object, value: object, where: str) -> object:
    """Environment values arrive as text; TOML values in their own type."""
    if typing.get_origin(kind) is tuple and isinstance(value, str):
        value = tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadInputError(f"{where} is {value!r}", mend=str(error)) from error


# A URL may carry a password (the embedded servers' do): it is never shown.
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


def show_config(config: Config) -> str:
    """The whole configuration as TOML, as it is in force, passwords masked."""
    lines: list[str] = []
    for section in _SECTIONS:
        lines.append(f"[{section}]")
        values = dataclasses.asdict(getattr(config, section))
        lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case tuple() | list():
            return "[" + ", ".join(_toml(part) for part in value) + "]"
        case _:
            masked = _PASSWORD.sub(r"\1***@", str(value))
            text = masked.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'


def host_port(listen: str, where: str) -> tuple[str, int]:
    """Split HOST:PORT. Raises BadInputError naming the setting."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:  # noqa: PLR2004 -- ports
        raise BadInputError(
            f"{where} is {listen!r}", mend="Write HOST:PORT, such as 127.0.0.1:8080"
        )
    return host.strip("[]"), int(port)
