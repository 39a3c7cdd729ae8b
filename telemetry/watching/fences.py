"""What a site wants to be told of: one signed text a fence, and nothing else decides (I5).

A fence says where it holds (`Scope`), for which quantity, and what is too much. Its text is canonical
JSON (RFC 8785) with numbers as decimal text, so that everybody hashes and signs the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from contracts.canonical import canonical, read_canonical
from contracts.errors import BadInputError
from contracts.reason import Reason
from contracts.telemetry import AlarmEffect
from telemetry.watching.hours import Hours, Span

MOST_TEXT = 64 << 10
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,47}")
_VERSION = 1
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S
_MOST_STEPS = 5
_TEXTS = ("fence", "title", "quantity", "unit", "expression", "clear_when")
Fault = tuple[str, str, str]
"""Field, code of the reason, the same in English."""
_NUMBERS = ("above", "below", "hysteresis", "rise", "fall")


class ScopeKind(StrEnum):
    SITE = "site"
    ZONE = "zone"
    PLACE = "place"
    """A slot, a dock, a room: one location of the core."""
    PRODUCT = "product"
    """Wherever the GTIN lies now."""
    BATCH = "batch"
    """Wherever the batch `supplier/GTIN/lot` lies now."""
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sensors a fence is about. `name` is empty for the whole site."""

    kind: ScopeKind = ScopeKind.SITE
    name: str = ""


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Step:
    """An alarm that nobody has acknowledged `after_s` seconds after it was raised is this severe."""

    after_s: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Fence:
    """Numbers are in `unit`, durations in seconds; what is None or 0 is not asked for.

    - `above`, `below`: a value beyond is bad; it is good again `hysteresis` inside the limit.
    - `rise`, `fall`: so much within `within_s` is bad.
    - `missing_s`: no reading for so long is bad, told by a timer.
    - `expression`: CEL that is true while something is wrong; `clear_when`: CEL that must be true
      before the alarm is over, for every rule of this fence.
    - `for_s`: bad for so long before there is an alarm; `clear_for_s`: good for so long before it is
      over; `rearm_s`: at least so long between two alarms of one sensor.
    - `tell_s`: while it lasts, what was measured is told that often.
    - `hours`: when it holds; always where there is none.
    """

    fence: str
    version: int
    title: str
    quantity: str
    unit: str
    scope: Scope = Scope()
    above: float | None = None
    below: float | None = None
    hysteresis: float = 0.0
    rise: float | None = None
    fall: float | None = None
    within_s: int = 0
    missing_s: int = 0
    expression: str = ""
    clear_when: str = ""
    for_s: int = 0
    clear_for_s: int = 0
    rearm_s: int = 0
    tell_s: int = 0
    severity: Severity = Severity.WARNING
    effect: AlarmEffect = AlarmEffect.NONE
    escalation: tuple[Step, ...] = ()
    hours: Hours | None = None

    def text(self) -> str:
        """The canonical text that is hashed and signed."""
        said = {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        said |= {name: _number(said[name]) for name in _NUMBERS}
        return canonical({"v": _VERSION, **said}).decode()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text().encode()).hexdigest()


def read_fence(text: str) -> Fence:
    """The fence that `text` says. Raises BadInputError unless it is one, to the letter."""
    if len(text) > MOST_TEXT:
        raise BadInputError("The text of a fence is too long", mend="Say less in one fence")
    said = read_canonical(text)
    if said.pop("v", None) != _VERSION:
        raise BadInputError("The fence is of another version", mend="Update this machine")
    try:
        fence = _fence_of(said)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"That is no fence: {error}", mend="Save it anew") from error
    if fence.text() != text:
        raise BadInputError("The fence is spelled in another way", mend="Save it anew")
    check_fence(fence)
    return fence


def check_fence(fence: Fence) -> None:
    """Raises BadInputError with everything that is wrong; its data has `field`, the first one's, and
    `faults`: (field, reason) of each, for pages in any language.
    """
    found = list(_faults(fence))
    if found:
        raise BadInputError(
            "; ".join(f"{where}: {what}" for where, _, what in found),
            mend="Correct it and save again",
            field=found[0][0],
            faults=tuple((where, Reason(code)) for where, code, _ in found),
        )


def _faults(fence: Fence) -> Iterator[Fault]:
    if not _NAME.fullmatch(fence.fence):
        yield "fence", "fence_wrong_id", "an id is 1 to 48 small letters, digits and hyphens"
    if not 1 <= fence.version <= 10**6:
        yield "version", "fence_wrong_version", "a version is a number from 1"
    if not fence.title.strip() or len(fence.title) > 120 or not fence.title.isprintable():  # noqa: PLR2004 -- one line
        yield "title", "fence_wrong_title", "a title is one line of 1 to 120 characters"
    if not _QUANTITY.fullmatch(fence.quantity):
        yield "quantity", "fence_wrong_quantity", "name what is measured, for example temperature"
    if (fence.scope.kind is ScopeKind.SITE) != (not fence.scope.name):
        yield (
            "scope",
            "fence_wrong_scope",
            "name the zone, place, product, batch or device, and nothing for the site",
        )
    if len(fence.scope.name) > 200:  # noqa: PLR2004 -- supplier, GTIN and lot together
        yield "scope", "fence_wrong_scope_long", "the name is too long"
    if not fence.scope.name.isprintable():
        yield "scope", "fence_wrong_scope_signs", "the name has signs that cannot be shown"
    yield from _limit_faults(fence)
    yield from _time_faults(fence)


def _limit_faults(fence: Fence) -> Iterator[Fault]:
    rules = (fence.above, fence.below, fence.rise, fence.fall)
    if all(each is None for each in rules) and not fence.missing_s and not fence.expression:
        yield (
            "above",
            "fence_wrong_no_limit",
            "a fence needs a limit: above, below, change, missing or an expression",
        )
    for name in _NUMBERS:
        value = getattr(fence, name)
        if value is not None and not abs(value) <= 1e12:  # noqa: PLR2004 -- also refuses NaN
            yield name, "fence_wrong_number", "that is no usable number"
    if fence.above is not None and fence.below is not None:
        if fence.below >= fence.above:
            yield "below", "fence_wrong_order", "the lower limit must be below the upper one"
        elif 2 * fence.hysteresis >= fence.above - fence.below:
            yield (
                "hysteresis",
                "fence_wrong_hysteresis_wide",
                "it leaves nothing between the limits",
            )
    if fence.hysteresis < 0:
        yield "hysteresis", "fence_wrong_hysteresis_negative", "it must not be negative"
    for name in ("expression", "clear_when"):
        if len(getattr(fence, name)) > 2000:  # noqa: PLR2004 -- more is a program
            yield name, "fence_wrong_expression_long", "an expression has at most 2,000 characters"
    yield from _change_faults(fence)


def _change_faults(fence: Fence) -> Iterator[Fault]:
    changes = [each for each in (fence.rise, fence.fall) if each is not None]
    if any(each <= 0 for each in changes):
        yield "rise", "fence_wrong_change", "a change must be more than 0"
    if bool(changes) != bool(fence.within_s):
        yield (
            "within_s",
            "fence_wrong_change_time",
            "a change needs the time within which it happens, and only a change does",
        )


def _time_faults(fence: Fence) -> Iterator[Fault]:
    most = {
        "for_s": _DAY_S, "clear_for_s": _DAY_S, "rearm_s": _WEEK_S, "within_s": _DAY_S,
        "missing_s": 4 * _WEEK_S,
    }  # fmt: skip
    for name, limit in most.items():
        if not 0 <= getattr(fence, name) <= limit:
            yield name, "fence_wrong_time", f"0 to {limit} seconds"
    if fence.tell_s and not 60 <= fence.tell_s <= _DAY_S:  # noqa: PLR2004 -- a trace counts minutes
        yield "tell_s", "fence_wrong_tell", f"0, or 60 to {_DAY_S} seconds"
    if fence.effect is AlarmEffect.EXCURSION and not fence.tell_s:
        yield (
            "tell_s",
            "fence_wrong_excursion_tell",
            "an excursion is told while it lasts: choose how often",
        )
    after = [step.after_s for step in fence.escalation]
    if len(after) > _MOST_STEPS or after != sorted(set(after)) or any(s <= 0 for s in after):
        yield (
            "escalation",
            "fence_wrong_steps",
            f"at most {_MOST_STEPS} steps, each later than the one before",
        )
    if fence.hours is not None:
        yield from (("hours", "fence_wrong_hours", what) for what in fence.hours.faults())


def number_text(value: float) -> str:
    """The shortest decimal text of `value`, without an exponent: `8`, `-0.5`."""
    text = format(Decimal(repr(float(value))).normalize(), "f")
    return "0" if text in {"-0", "0"} else text


def number_of(text: str) -> float:
    """Raises ValueError unless `text` is what `number_text` writes."""
    try:
        value = float(Decimal(text))
    except InvalidOperation as error:
        raise ValueError(f"{text[:40]!r} is no number") from error
    if number_text(value) != text:
        raise ValueError(f"{text[:40]!r} is spelled in another way")
    return value


def _number(value: float | None) -> str | None:
    return None if value is None else number_text(value)


def _plain(value: Any) -> Any:
    match value:
        case Scope():
            return {"kind": value.kind.value, "name": value.name}
        case Hours():
            spans = [{"days": s.days, "begins": s.begins, "ends": s.ends} for s in value.spans]
            return {"zone": value.zone, "spans": spans}
        case tuple():
            return [{"after_s": step.after_s, "severity": step.severity.value} for step in value]
        case StrEnum():
            return value.value
        case _:
            return value


def _fence_of(said: dict[str, Any]) -> Fence:
    names = {each.name for each in fields(Fence)}
    if set(said) != names:
        raise ValueError(f"other fields: {', '.join(sorted(set(said) ^ names))[:200]}")
    for name in _TEXTS:
        if not isinstance(said[name], str):
            raise ValueError(f"{name} is no text")  # noqa: TRY004 -- it is the document that is wrong
    for name in _NUMBERS:
        if said[name] is not None:
            said[name] = number_of(said[name])
    said["scope"] = Scope(ScopeKind(said["scope"]["kind"]), str(said["scope"]["name"]))
    said["severity"] = Severity(said["severity"])
    said["effect"] = AlarmEffect(said["effect"])
    said["escalation"] = tuple(
        Step(int(step["after_s"]), Severity(step["severity"])) for step in said["escalation"]
    )
    if said["hours"] is not None:
        spans = tuple(
            Span(str(s["days"]), str(s["begins"]), str(s["ends"])) for s in said["hours"]["spans"]
        )
        said["hours"] = Hours(str(said["hours"]["zone"]), spans)
    for name in ("version", "within_s", "missing_s", "for_s", "clear_for_s", "rearm_s", "tell_s"):
        if type(said[name]) is not int:
            raise ValueError(f"{name} is no whole number")
    return Fence(**said)
