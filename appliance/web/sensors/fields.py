"""One entry of the book as a form, and the form as an entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.datastructures import FormData

from appliance.web.goods.fields import text
from contracts.errors import BadInputError
from contracts.telemetry import Calibration
from telemetry.describing.book import Device
from telemetry.describing.envelopes import ENVELOPES, Envelope


def device_of(name: str, form: FormData, known: Device | None) -> Device:
    """The entry that a filled form describes; calibrations of single probes are kept as `known`.

    Raises BadInputError with the field.
    """
    worth = Calibration(
        certificate=text(form, "certificate"),
        calibrated_on=_day(form, "calibrated_on"),
        due_on=_day(form, "due_on"),
        uncertainty=_uncertainty(form),
    )
    others = {key: each for key, each in (known.calibration if known else {}).items() if key}
    told = {"": worth} if worth != Calibration() else {}
    return Device(
        name,
        text(form, "template"),
        name=text(form, "name"),
        site=text(form, "site"),
        place=text(form, "place"),
        topic=tuple(text(form, "topic").split()),
        serial=text(form, "serial"),
        envelope=_envelope(text(form, "envelope")),
        parameters=_parameters(text(form, "parameters")),
        calibration={**told, **others},
        retired=bool(text(form, "retired")),
        note=text(form, "note"),
    )


def written(device: Device) -> dict[str, str]:
    """An entry as the form's fields."""
    worth = device.calibration.get("", Calibration())
    return {
        "id": device.id,
        "template": device.template,
        "name": device.name,
        "site": device.site,
        "place": device.place,
        "topic": " ".join(device.topic),
        "serial": device.serial,
        "envelope": device.envelope,
        "parameters": ", ".join(f"{key} = {value:g}" for key, value in device.parameters.items()),
        "certificate": worth.certificate,
        "calibrated_on": worth.calibrated_on,
        "due_on": worth.due_on,
        "uncertainty": "" if worth.uncertainty is None else f"{worth.uncertainty:g}",
        "retired": "on" if device.retired else "",
        "note": device.note,
    }


def _day(form: FormData, name: str) -> str:
    said = text(form, name)
    try:
        return date.fromisoformat(said).isoformat() if said else ""
    except ValueError as error:
        raise BadInputError(f"{said!r} is no date", mend="Write it as 2026-11-22") from error


def _uncertainty(form: FormData) -> float | None:
    said = text(form, "uncertainty")
    if not said:
        return None
    value = _number(said, "uncertainty")
    if value < 0:
        raise BadInputError(f"An uncertainty of {said} cannot be", mend="Write a number from 0 on")
    return value


def _envelope(said: str) -> Envelope:
    found: Mapping[str, Envelope] = {one: one for one in ENVELOPES}
    if said and said not in found:
        raise BadInputError(f"{said!r} is none of the choices", mend=f"Choose {', '.join(found)}")
    return found.get(said, "auto")


def _parameters(said: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in said.split(","))):
        name, _, value = part.partition("=")
        if not value:
            raise BadInputError(f"{part!r} is no parameter", mend="Write r = 10, k = 46.5")
        found[name.strip()] = _number(value.strip(), name.strip())
    return found


def _number(said: str, name: str) -> float:
    try:
        value = float(said)
    except ValueError as error:
        raise BadInputError(f"{said!r} for {name} is no number", mend="Write 0.2") from error
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124 -- what NaN is
        raise BadInputError(f"{said!r} for {name} is no number", mend="Write 0.2")
    return value
