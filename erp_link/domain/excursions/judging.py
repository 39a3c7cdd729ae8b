"""May goods that went through this still be sold? Beyond: held until quality decides; within: told."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.reason import Reason
from erp_link.domain.excursions.exposure import Exposure
from erp_link.domain.excursions.limits import CELSIUS, Limits


@dataclass(frozen=True, slots=True)
class Finding:
    """`beyond` True: the batch must not leave."""

    beyond: bool
    reason: Reason


def judge(found: Exposure, limits: Limits, *, unit: str = CELSIUS) -> Finding:
    """The worst that speaks against the goods, or that nothing does. Time that nobody measured
    counts against them like time out of range: nobody can say that it was within (I7).
    """
    shown = unit_words(unit)
    if limits.ceiling is not None and found.most is not None and found.most > limits.ceiling:
        return Finding(True, _worst("excursion_too_high", found.most, limits.ceiling, shown))
    if limits.floor is not None and found.least is not None and found.least < limits.floor:
        return Finding(True, _worst("excursion_too_low", found.least, limits.floor, shown))
    outside = minutes(found.outside_s)
    silent = minutes(found.unmeasured_s)
    times: dict[str, str | int | float] = {
        "minutes": outside,
        "unmeasured": silent,
        "allowed": limits.allowed_minutes,
    }
    spent = found.outside_s + found.earlier_s
    again = ""
    if found.earlier_s:
        times["earlier"], again = minutes(found.earlier_s), "_again"
    if found.outside_s and spent > limits.allowed_minutes * 60:
        return Finding(True, Reason(f"excursion_too_long{again}", times))
    if found.unmeasured_s and spent + found.unmeasured_s > limits.allowed_minutes * 60:
        return Finding(True, Reason("excursion_unmeasured", times))
    if limits.kinetic is not None and found.kinetic is not None and found.kinetic > limits.kinetic:
        harm: dict[str, str | int | float] = {
            "kinetic": number(found.kinetic, digits=2),
            "limit": number(limits.kinetic),
            "hours": limits.kinetic_hours,
        }
        return Finding(True, Reason("excursion_kinetic", harm))
    return Finding(False, Reason(f"excursion_within{again}", times))


def _worst(code: str, value: float, limit: float, unit: str) -> Reason:
    return Reason(code, {"value": number(value), "limit": number(limit), "unit": unit})


def minutes(seconds: int) -> int:
    """Whole minutes, a part of one counted as one."""
    return -(-seconds // 60)


def number(value: float, *, digits: int = 1) -> str:
    """As people read it."""
    return f"{value:.{digits}f}"


def unit_words(unit: str) -> str:
    """A SenML unit as people write it."""
    return {"Cel": "°C", "%RH": "% RH"}.get(unit, unit)
