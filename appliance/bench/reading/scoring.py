"""From measured frames to figures. Percent of frames unless a name says otherwise; bounds are
exact, one-sided, 95 % (Clopper and Pearson).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from appliance.bench.label_truth import FIELDS
from appliance.bench.reading.measure import Measured, Told
from appliance.bench.statistics import calibration_error, reliability, upper_bound

Groups = Mapping[str, Sequence[Measured]]


def quality(frames: Sequence[Measured]) -> dict[str, Any]:
    """Every figure that a set of frames allows; `with_list` only where something was announced."""
    groups = grouped(frames)
    figures: dict[str, Any] = {
        "groups": {name: len(group) for name, group in sorted(groups.items())}
    }
    if any(each.with_list is not None for each in frames):
        figures["with_list"] = {
            **_figures(groups, _with_list),
            "best_line_percent": percents(groups, lambda each: each.best_line_right),
            "off_list": _off_list([each for each in frames if not each.on_list]),
        }
    figures["without_list"] = {
        **_figures(groups, _without_list),
        "unreadable_percent": percents(groups, _honest),
        "wrong_field_percent": percents(groups, lambda each: bool(each.without_list.wrong)),
    }
    return figures


def grouped(frames: Sequence[Measured]) -> dict[str, list[Measured]]:
    """`all`, and every combination that occurs of list, kind and damage: `on_list`, `label`,
    `damage_40`, `on_list_label_damage_40`.
    """
    groups: dict[str, list[Measured]] = {"all": []}
    for each in frames:
        for listing in ("", "on_list" if each.on_list else "off_list"):
            for kind in ("", each.kind):
                for grade in ("", f"damage_{each.grade}"):
                    name = "_".join(part for part in (listing, kind, grade) if part) or "all"
                    groups.setdefault(name, []).append(each)
    return groups


def percents(groups: Groups, what: Callable[[Measured], bool]) -> dict[str, float]:
    """Percent of each group's frames of which `what` is true."""
    return {name: percent(map(what, group)) for name, group in sorted(groups.items())}


def percent(flags: Iterable[bool]) -> float:
    """0.0 for none."""
    values = list(flags)
    return round(100 * sum(values) / max(1, len(values)), 2)


def bounded(wrong: int, of: int, name: str = "accepted") -> dict[str, float | int]:
    """A count of wrong ones with the most that their share may be, in percent."""
    return {
        name: of,
        "wrong": wrong,
        "wrong_percent": round(100 * wrong / max(1, of), 3),
        "wrong_upper_95_percent": round(100 * upper_bound(wrong, of), 3),
    }


def misreads(
    frames: Sequence[Measured], said: Callable[[Measured], Told]
) -> list[dict[str, float | int | str]]:
    """The misread curve: at each grade of damage (and `all`), for each kind of print, the share
    accepted and, of those, the share that was wrong with its bound.
    """
    rows: list[dict[str, float | int | str]] = []
    grades = sorted({each.grade for each in frames})
    for kind in ("all", *sorted({each.kind for each in frames})):
        for grade in (*grades, None):
            inside = [
                said(each)
                for each in frames
                if kind in ("all", each.kind) and grade in (None, each.grade)
            ]
            accepted = [told for told in inside if told.accepted]
            right = sum(told.right for told in accepted)
            rows.append(
                {
                    "kind": kind,
                    "damage": "all" if grade is None else str(grade),
                    "frames": len(inside),
                    **bounded(len(accepted) - right, len(accepted)),
                    "accepted_percent": percent(told.accepted for told in inside),
                }
            )
    return rows


def lines_found(frames: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """Percent of critical lines found whole, by kind (and `all`) and damage."""
    table: dict[str, dict[str, float]] = {}
    for kind in ("all", *sorted({each.kind for each in frames})):
        row = {}
        for name, grades in (("0", {0}), ("10-20", {10, 20}), ("30-40", {30, 40}), ("all", None)):
            pairs = [
                each.lines
                for each in frames
                if kind in ("all", each.kind) and (grades is None or each.grade in grades)
            ]
            there = sum(pair[1] for pair in pairs)
            if there:
                row[name] = round(100 * sum(pair[0] for pair in pairs) / there, 1)
        table[kind] = row
    return table


def _with_list(each: Measured) -> Told:
    if each.with_list is None:
        raise ValueError(f"{each.file} was read without a list")
    return each.with_list


def _without_list(each: Measured) -> Told:
    return each.without_list


def _honest(each: Measured) -> bool:
    """Nothing wrong given out, and at least one field said to be unreadable."""
    return bool(each.without_list.missing) and not each.without_list.wrong


def _figures(groups: Groups, said: Callable[[Measured], Told]) -> dict[str, Any]:
    frames = groups["all"]
    told = [said(each) for each in frames]
    accepted = [each for each in told if each.accepted]
    bins = reliability([each.confidence for each in told], [each.right for each in told])
    return {
        "right_percent": percents(groups, lambda each: said(each).right),
        "accepted_percent": percents(groups, lambda each: said(each).accepted),
        "first_read_percent": percents(
            groups, lambda each: said(each).accepted and said(each).right
        ),
        **bounded(len(accepted) - sum(each.right for each in accepted), len(accepted)),
        "misreads": misreads(frames, said),
        "calibration_error_percent": round(100 * calibration_error(bins), 2),
        "reliability": [
            {
                "from": each.low,
                "frames": each.count,
                "confidence": round(each.confidence, 4),
                "right": round(each.right, 4),
            }
            for each in bins
        ],
        "field_right_percent": {
            name: percent(
                name not in said(each).wrong and name not in said(each).missing
                for each in frames
                if name in each.critical
            )
            for name in FIELDS
        },
        "reasons": dict(sorted(Counter(code for each in told for code in each.reasons).items())),
    }


def _off_list(frames: Sequence[Measured]) -> dict[str, float | int]:
    """Cartons that nobody announced (mostly one character away from one that is): any of them
    accepted counts, even where its print was read right.
    """
    accepted = sum(_with_list(each).accepted for each in frames)
    return {
        "frames": len(frames),
        "accepted": accepted,
        "accepted_percent": round(100 * accepted / max(1, len(frames)), 3),
        "accepted_upper_95_percent": round(100 * upper_bound(accepted, len(frames)), 3),
    }
