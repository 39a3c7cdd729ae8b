"""Sections of the configuration about the building's sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]


@dataclass(frozen=True, slots=True)
class HistoryConfig:
    """How finely and how long a gateway keeps what sensors said; days by the time of measuring,
    0: for ever.
    """

    raw_days: Days = 30
    """Every reading."""
    second_days: Days = 90
    """Least, most and mean of each second, made where single readings are no longer kept."""
    minute_days: Days = 730
    hour_days: Days = 0
    segment_days: Days = 7
    """Segments that stand in the history already, as they were acknowledged."""
    free_space_mb: Annotated[int, msgspec.Meta(ge=0)] = 2048
    """Below this much free space segments that stand in the history go earlier; 0: never."""
    flush_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """Readings reach the history's files at least this often; charts show them before."""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Sensors of the building (guides/gateway.md). An empty address opens no such door."""

    device: str = "gateway-01"
    hub_url: str = "https://127.0.0.1:8443"
    enrolment: str = ""
    """File with the hub's fingerprint and a single-use claim, for the first start."""
    serial: str = ""
    """This machine's serial number; empty: read from the machine."""
    listen: str = "127.0.0.1:8082"
    """What the hub's pages ask: history, counts, quarantine. Loopback; empty: `tallyman up` starts
    no gateway.
    """
    mqtt_listen: str = "127.0.0.1:1884"
    """Sensors publish here."""
    mqtt_processes: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Processes that speak MQTT and TLS with sensors; 0: the gateway's own does it, which is enough
    for some 100,000 readings a second.
    """
    mqtt_certificate: str = ""
    mqtt_key: str = ""
    """PEM files; with them sensors come by TLS."""
    mqtt_authority: str = ""
    """PEM file of whoever certifies sensors; empty: the site's own device authority."""
    credentials: str = ""
    """Which sensors may publish; empty: a file in the data folder."""
    broker_topics: tuple[str, ...] = ("sensors/#",)
    """What is subscribed to at broker.url; empty: nothing."""
    broker_group: str = "tallyman"
    """Gateways of one group divide the readings, where the broker speaks MQTT 5."""
    coap_listen: str = "127.0.0.1:5683"
    coap_networks: tuple[str, ...] = ()
    """Networks that sensors may send from. CoAP has no sign-in here, so beyond loopback one must be
    named.
    """
    coap_observe: tuple[str, ...] = ()
    """Sensors that are servers: coap://HOST[:PORT]/PATH."""
    spare_mb: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)] = 256
    """Of the disk, left to the history, the journal and a restart: readings wait while less is free."""
    in_flight_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 32
    """Readings taken and not yet on disk; beyond it senders wait."""
