"""Units as SenML writes them (RFC 8428, 12.1; RFC 8798 for the secondary ones), UCUM for the rest.

One quantity has one unit everywhere behind the template that read it: what a sensor says in another
unit of the same kind is converted, what cannot be converted is refused, never relabelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.errors import BadInputError


class UnitError(BadInputError):
    """No such unit, or two units of different kinds."""

    code = "unit"


@dataclass(frozen=True, slots=True)
class Unit:
    """`value in base = (value + before) * times / over + after`: whole factors keep 3168 mV exactly
    3.168 V.
    """

    code: str
    kind: str
    times: float = 1.0
    over: float = 1.0
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another of the same kind."""

    source: Unit
    target: Unit

    @property
    def same(self) -> bool:
        return self.source == self.target

    def python(self, value: str) -> str:
        """The same as a Python expression over `value`, without the steps that change nothing."""
        steps = (
            ("+", self.source.before, 0), ("*", self.source.times, 1), ("/", self.source.over, 1),
            ("+", self.source.after, 0), ("-", self.target.after, 0),
            ("*", self.target.over, 1), ("/", self.target.times, 1), ("-", self.target.before, 0),
        )  # fmt: skip
        for sign, factor, nothing in steps if not self.same else ():
            value = value if factor == nothing else f"({value} {sign} {factor!r})"
        return value

    def __call__(self, value: float) -> float:
        base = (value + self.source.before) * self.source.times / self.source.over
        base += self.source.after
        return (
            base - self.target.after
        ) * self.target.over / self.target.times - self.target.before


def _kind(kind: str, *units: Unit | tuple[str, float, float]) -> dict[str, Unit]:
    made = [u if isinstance(u, Unit) else Unit(u[0], kind, u[1], u[2]) for u in units]
    return {unit.code: unit for unit in made}


UNITS: Final[Mapping[str, Unit]] = {
    **_kind(
        "temperature",
        Unit("Cel", "temperature"),
        Unit("K", "temperature", after=-273.15),
        Unit("[degF]", "temperature", 5.0, 9.0, before=-32.0),
    ),
    **_kind("humidity", ("%RH", 1, 1)),
    **_kind("pressure", ("Pa", 1, 1), ("hPa", 100, 1), ("kPa", 1e3, 1), ("bar", 1e5, 1), ("mbar", 100, 1), ("[psi]", 6894.757293168, 1)),
    **_kind("concentration", ("ppm", 1, 1), ("ppb", 1, 1000), ("%vol", 1e4, 1)),
    **_kind("mass concentration", ("ug/m3", 1, 1), ("mg/m3", 1000, 1)),
    **_kind("dissolved", ("g/L", 1, 1), ("mg/L", 1, 1000)),
    **_kind("charge level", ("%EL", 1, 1)),
    **_kind("potential", ("V", 1, 1), ("mV", 1, 1000), ("uV", 1, 1e6)),
    **_kind("current", ("A", 1, 1), ("mA", 1, 1000)),
    **_kind("power", ("W", 1, 1), ("kW", 1000, 1)),
    **_kind("apparent power", ("VA", 1, 1), ("kVA", 1000, 1)),
    **_kind("reactive power", ("var", 1, 1), ("kvar", 1000, 1)),
    **_kind("energy", ("Wh", 1, 1), ("kWh", 1000, 1), ("J", 1, 3600)),
    **_kind("reactive energy", ("varh", 1, 1), ("kvarh", 1000, 1)),
    **_kind("charge", ("Ah", 1, 1), ("mAh", 1, 1000)),
    **_kind("resistance", ("Ohm", 1, 1), ("kOhm", 1000, 1)),
    **_kind("frequency", ("Hz", 1, 1), ("kHz", 1000, 1)),
    **_kind("length", ("m", 1, 1), ("mm", 1, 1000), ("cm", 1, 100), ("km", 1000, 1), ("um", 1, 1e6), ("nm", 1, 1e9)),
    **_kind("precipitation", ("l/m2", 1, 1)),
    **_kind("strain", ("um/m", 1, 1)),
    **_kind("mass", ("kg", 1, 1), ("g", 1, 1000), ("t", 1000, 1)),
    **_kind("volume", ("m3", 1, 1), ("l", 1, 1000)),
    **_kind("flow", ("m3/h", 1, 1), ("l/h", 1, 1000), ("l/min", 60, 1000)),
    **_kind("velocity", ("m/s", 1, 1), ("km/h", 10, 36), ("mm/s", 1, 1000), ("cm/h", 1, 360000)),
    **_kind("acceleration", ("m/s2", 1, 1), ("g0", 9.80665, 1), ("mg0", 9.80665, 1000)),
    **_kind("angle", ("deg", 1, 1), ("rad", 180, 3.141592653589793)),
    **_kind("latitude", ("lat", 1, 1)),
    **_kind("longitude", ("lon", 1, 1)),
    **_kind("illuminance", ("lx", 1, 1)),
    **_kind("irradiance", ("W/m2", 1, 1)),
    **_kind("photon flux", ("umol/m2/s", 1, 1)),
    **_kind("sound", ("dB", 1, 1)),
    **_kind("signal", ("dBm", 1, 1)),
    **_kind("time", ("s", 1, 1), ("ms", 1, 1000), ("min", 60, 1), ("h", 3600, 1), ("d", 86400, 1), ("wk", 604800, 1)),
    **_kind("conductivity", ("S/m", 1, 1), ("uS/cm", 1, 1e4), ("mS/cm", 1, 10)),
    **_kind("acidity", ("pH", 1, 1)),
    **_kind("turbidity", ("NTU", 1, 1)),
    **_kind("turbidity, formazin", ("FNU", 1, 1)),
    **_kind("turbidity, attenuation", ("FAU", 1, 1)),
    **_kind("number concentration", ("1/cm3", 1, 1)),
    **_kind("ratio", ("/", 1, 1), ("%", 1, 100), ("m3/m3", 1, 1)),
    **_kind("count", ("count", 1, 1)),
    **_kind("state", ("state", 1, 1)),
}  # fmt: skip
"""By UCUM or SenML code. The first of a kind has factor 1."""

ALIASES: Final[Mapping[str, str]] = {
    "°C": "Cel", "C": "Cel", "degC": "Cel", "celsius": "Cel", "℃": "Cel",
    "°F": "[degF]", "F": "[degF]", "degF": "[degF]", "psi": "[psi]",
    "kelvin": "K", "Ω": "Ohm", "°": "deg", "lux": "lx", "µm": "um",
    "m/s²": "m/s2", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "mg/m³": "mg/m3", "m³": "m3",
    "L": "l", "/100": "%",
}  # fmt: skip
"""What people and sensors write for a code."""

QUANTITIES: Final[Mapping[str, str]] = {
    "acceleration": "m/s2",
    "ammonia": "ppm",
    "battery": "%EL",
    "battery_voltage": "V",
    "charge": "Ah",
    "co": "ppm",
    "co2": "ppm",
    "conductivity": "S/m",
    "count": "count",
    "current": "A",
    "distance": "m",
    "door_open": "state",
    "energy": "Wh",
    "flow": "m3/h",
    "frequency": "Hz",
    "gas": "ppm",
    "heading": "deg",
    "humidity": "%RH",
    "illuminance": "lx",
    "irradiance": "W/m2",
    "latitude": "lat",
    "leak": "state",
    "level": "m",
    "longitude": "lon",
    "occupied": "state",
    "people": "count",
    "pm1": "ug/m3",
    "pm10": "ug/m3",
    "pm2_5": "ug/m3",
    "power": "W",
    "power_factor": "/",
    "pressure": "Pa",
    "rain": "l/m2",
    "resistance": "Ohm",
    "signal": "dBm",
    "smoke": "state",
    "sound_level": "dB",
    "speed": "m/s",
    "temperature": "Cel",
    "tilt": "deg",
    "tvoc": "ppb",
    "vibration": "m/s2",
    "vibration_velocity": "m/s",
    "voltage": "V",
    "volume": "m3",
    "weight": "kg",
    "wind_direction": "deg",
    "wind_speed": "m/s",
}
"""The words of the house with their one unit. A template may use another word, with one unit."""


def unit_of(code: str) -> Unit:
    """The unit of a code or of a name people write for it. Raises UnitError."""
    found = UNITS.get(code) or UNITS.get(ALIASES.get(code, ""))
    if found is None:
        raise UnitError(
            f"no unit {code!r} is known",
            mend=f"Write one of: {', '.join(sorted(UNITS))}",
            unit=code,
        )
    return found


_BASE: Final[Mapping[str, str]] = {unit.kind: code for code, unit in reversed(list(UNITS.items()))}


def own_unit(quantity: str, said: str) -> str:
    """The one unit of a quantity: the house's, or the first of the kind it is said in.

    Raises UnitError where `said` is no unit.
    """
    return QUANTITIES.get(quantity) or _BASE[unit_of(said).kind]


def conversion(source: str, target: str) -> Conversion:
    """How a value in `source` is said in `target`. Raises UnitError where the kinds differ."""
    one, other = unit_of(source), unit_of(target)
    if one.kind != other.kind:
        raise UnitError(
            f"{source!r} ({one.kind}) cannot be said in {target!r} ({other.kind})",
            mend="Give the unit in which the sensor says this quantity",
            unit=source,
        )
    return Conversion(one, other)
