"""The virtual fleet's credentials: enrolled like real vehicles, each with a password of its own.

A person may revoke one on the page; it is not let in again behind their back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.services.address import write_private
from appliance.services.mqtt import signed_in
from appliance.vehicles.registry import VehicleRegistry
from contracts.errors import BadInputError

VIRTUAL = ("tallyman/agv-1", "tallyman/agv-2")
_BY = "demo"


@dataclass(frozen=True, slots=True)
class Seat:
    """One virtual vehicle and the broker's URL that it signs in with."""

    manufacturer: str
    serial: str
    url: str


def introduce_fleet(
    registry: VehicleRegistry, file: Path, names: Sequence[str] = VIRTUAL
) -> Path | None:
    """Enrol these vehicles where they are not yet, keep their passwords in `file`, readable by us
    alone. None where all of them were revoked.
    """
    before = _read(file) if file.exists() else {}
    passwords: dict[str, str] = {}
    for name in names:
        known = registry.find(name)
        if known is not None and known.is_revoked:
            continue
        kept = before.get(name, "")
        good = kept and registry.knows(name, kept)
        passwords[name] = kept if good else registry.enrol_vehicle(name, by=_BY, note="virtual")
    if passwords != before:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(passwords, indent=1) + "\n")
    return file if passwords else None


def seats_in(file: Path, url: str) -> list[Seat]:
    """The vehicles of a file of passwords by MANUFACTURER/SERIAL; longer names are stations' prefixes.

    Raises BadInputError.
    """
    seats = []
    for name, password in _read(file).items():
        match name.split("/"):
            case [manufacturer, serial] if manufacturer and serial:
                seats.append(Seat(manufacturer, serial, signed_in(url, name, password)))
            case [_, _, *_]:
                continue
            case _:
                raise BadInputError(
                    f"{file}: {name[:80]!r} is no vehicle's name", mend="Write MANUFACTURER/SERIAL"
                )
    return seats


def station_url(file: Path | None, url: str, prefix: str) -> str:
    """The broker's URL for a station: with its own password where there is a file of them.

    Raises BadInputError where the file does not know it.
    """
    if file is None:
        return url
    password = _read(file).get(prefix)
    if password is None:
        raise BadInputError(
            f"{file} has no password for the station {prefix}",
            mend=f"Enrol it (tallyman agv enrol {prefix} --station) and add its line",
        )
    return signed_in(url, prefix, password)


def _read(file: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInputError(
            f"{file} holds no passwords of vehicles: {error}",
            mend='Write {"MANUFACTURER/SERIAL": "PASSWORD"}',
        ) from error
