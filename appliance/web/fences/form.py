"""A fence as a form: minutes where the text has seconds, empty fields where nothing is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from starlette.datastructures import FormData

from contracts.errors import BadInputError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from contracts.stock import BatchKey
from contracts.telemetry import AlarmEffect
from telemetry.units import QUANTITIES
from telemetry.watching.fences import (
    Fence,
    Scope,
    ScopeKind,
    Severity,
    Step,
    check_fence,
    number_text,
)
from telemetry.watching.hours import Hours, Span

NUMBERS = ("above", "below", "hysteresis", "rise", "fall")
MINUTES = ("within", "missing", "for", "clear_for", "rearm", "tell")
STEPS = SPANS = (1, 2, 3)
DAYS = ("1", "2", "3", "4", "5", "6", "7")
Kind = TypeVar("Kind", ScopeKind, Severity, AlarmEffect)
_LONGEST_NUMBER = 20
_MOST_ID = 40


def new_form() -> dict[str, str]:
    """What an empty editor shows."""
    return {
        **_empty(),
        "quantity": "temperature",
        "scope_kind": ScopeKind.SITE.value,
        "severity": Severity.WARNING.value,
        "effect": AlarmEffect.NONE.value,
        "hysteresis": "0.5",
    }


def form_of(fence: Fence) -> dict[str, str]:
    """What an editor shows of a fence."""
    typed = _empty()
    for name in ("title", "quantity", "expression", "clear_when"):
        typed[name] = getattr(fence, name)
    typed |= {"scope_kind": fence.scope.kind.value, "scope_name": fence.scope.name}
    typed |= {"severity": fence.severity.value, "effect": fence.effect.value}
    for name in NUMBERS:
        value = getattr(fence, name)
        typed[name] = number_text(value) if value else "" if value is None else "0"
    for name in MINUTES:
        typed[f"{name}_min"] = _minutes(getattr(fence, f"{name}_s"))
    for at, step in enumerate(fence.escalation[: len(STEPS)], start=1):
        typed |= {f"step{at}_min": _minutes(step.after_s), f"step{at}_severity": step.severity}
    for at, span in enumerate(fence.hours.spans[: len(SPANS)] if fence.hours else (), start=1):
        typed |= {f"span{at}_begins": span.begins, f"span{at}_ends": span.ends}
        typed[f"span{at}_days"] = span.days
    return typed


def typed_in(form: FormData) -> dict[str, str]:
    """The fields of a form as they were typed, for the editor to show again."""
    typed = {name: str(form.get(name, "")).replace("\r\n", "\n") for name in _empty()}
    for at in SPANS:
        typed[f"span{at}_days"] = "".join(sorted(str(d) for d in form.getlist(f"span{at}_days")))
    return typed


def fence_of(typed: Mapping[str, str], *, name: str, zone: str) -> Fence:
    """The fence that was typed in, of version 1: the store counts. Raises BadInputError with `field`."""
    quantity = typed["quantity"]
    if quantity not in QUANTITIES:
        raise _wrong(
            "quantity",
            "fence_wrong_no_quantity",
            typed["quantity"],
            f"{quantity[:40]!r} is no quantity",
            "Choose one from the list",
        )
    kind = _choice(ScopeKind, typed["scope_kind"], "scope_kind")
    fence = Fence(
        fence=name,
        version=1,
        title=typed["title"].strip(),
        quantity=quantity,
        unit=QUANTITIES[quantity],
        scope=_scope(kind, typed["scope_name"].strip()),
        expression=typed["expression"].strip(),
        clear_when=typed["clear_when"].strip(),
        severity=_choice(Severity, typed["severity"], "severity"),
        effect=_choice(AlarmEffect, typed["effect"], "effect"),
        escalation=tuple(_steps(typed)),
        hours=_hours(typed, zone),
        above=_number(typed, "above"),
        below=_number(typed, "below"),
        hysteresis=_number(typed, "hysteresis") or 0.0,
        rise=_number(typed, "rise"),
        fall=_number(typed, "fall"),
        **{f"{each}_s": _seconds(typed, f"{each}_min") for each in MINUTES},
    )
    check_fence(fence)
    return fence


def id_from(title: str, taken: Sequence[str]) -> str:
    """An id for a new fence: what is Latin of its title, and a number where that is taken."""
    base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_MOST_ID].strip("-") or "fence"
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


def differences(old: Fence, new: Fence) -> list[tuple[str, str, str]]:
    """(field, before, now) of what a version changed, as the form shows it."""
    before, now = form_of(old), form_of(new)
    return [(name, before[name], now[name]) for name in before if before[name] != now[name]]


def _empty() -> dict[str, str]:
    names = ["title", "quantity", "scope_kind", "scope_name", "severity", "effect", "expression", "clear_when", *NUMBERS]  # fmt: skip
    names += [f"{each}_min" for each in MINUTES]
    names += [f"step{at}_{part}" for at in STEPS for part in ("min", "severity")]
    names += [f"span{at}_{part}" for at in SPANS for part in ("days", "begins", "ends")]
    worst = Severity.CRITICAL.value
    return {name: worst if name.endswith("_severity") else "" for name in names}


def _scope(kind: ScopeKind, name: str) -> Scope:
    """Goods are named as the core does: a GTIN of 13 digits would be about nothing that stands there."""
    try:
        match kind:
            case ScopeKind.SITE:
                return Scope(kind)
            case ScopeKind.PRODUCT:
                return Scope(kind, normalise_gtin(name))
            case ScopeKind.BATCH:
                supplier, gtin, lot = (part.strip() for part in name.split("/", 2))
                return Scope(kind, str(BatchKey(supplier, normalise_gtin(gtin), lot)))
            case _:
                return Scope(kind, name)
    except BadInputError as error:
        raise _wrong("scope", "fence_wrong_goods", name, error.message, error.mend) from error
    except ValueError as error:
        raise _wrong(
            "scope",
            "fence_wrong_batch",
            name,
            f"{name[:80]!r} is no batch",
            "Write supplier/GTIN/lot, - without a supplier",
        ) from error


def _number(typed: Mapping[str, str], name: str) -> float | None:
    text = typed[name].strip().replace(",", ".").replace("−", "-")
    if not text:
        return None
    try:
        return float(text[:_LONGEST_NUMBER])
    except ValueError as error:
        raise _wrong(
            name,
            "fence_wrong_typed",
            text,
            f"{text[:40]!r} is no number",
            "Write digits, like -18.5",
        ) from error


def _seconds(typed: Mapping[str, str], name: str) -> int:
    minutes = _number(typed, name)
    if minutes is None:
        return 0
    if not 0 <= minutes <= 10**6:
        raise _wrong(
            name,
            "fence_wrong_minutes",
            minutes,
            f"{minutes} minutes are not possible",
            "Write minutes, like 10",
        )
    return round(minutes * 60)


def _minutes(seconds: int) -> str:
    return number_text(round(seconds / 60, 4)) if seconds else ""


def _steps(typed: Mapping[str, str]) -> list[Step]:
    found = []
    for at in STEPS:
        after = _seconds(typed, f"step{at}_min")
        if after:
            severity = _choice(Severity, typed[f"step{at}_severity"], f"step{at}_severity")
            found.append(Step(after, severity))
    return found


def _hours(typed: Mapping[str, str], zone: str) -> Hours | None:
    spans = []
    for at in SPANS:
        begins, ends = typed[f"span{at}_begins"].strip(), typed[f"span{at}_ends"].strip()
        days = typed[f"span{at}_days"]
        if days or begins or ends:
            if not (days and begins and ends):
                raise _wrong(
                    f"span{at}_begins",
                    "fence_wrong_span",
                    "",
                    "A span needs days, a begin and an end",
                    "Fill in all three",
                )
            spans.append(Span(days, begins[:5], ends[:5]))
    return Hours(zone, tuple(spans)) if spans else None


def _choice(kind: type[Kind], text: str, field: str) -> Kind:
    try:
        return kind(text)
    except ValueError as error:
        raise _wrong(
            field,
            "fence_wrong_choice",
            text,
            f"{text[:40]!r} cannot be chosen",
            "Choose one from the list",
        ) from error


def _wrong(field: str, code: str, typed: object, message: str, mend: str) -> BadInputError:
    fault = (field, Reason(code, {"typed": str(typed)[:80]}))
    return BadInputError(message, mend=mend, field=field, faults=(fault,))
