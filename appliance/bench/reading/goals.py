"""What reading is held to (issue 3, "Numbers"), beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """`path` leads to the figure in the bench's JSON; `most`: an upper limit, else a lower one."""

    figure: str
    path: tuple[str, ...]
    limit: float
    most: bool = False


_RIGHT = ("with_list", "right_percent")
_PLAIN = ("without_list", "right_percent")
_ACCEPTED = ("with_list", "accepted_percent")
GOALS = (
    Goal("with the list, right, all frames, %", (*_RIGHT, "all"), 88),
    Goal("on the list, 40 % damaged, right, %", (*_RIGHT, "on_list_damage_40"), 85),
    Goal("  printed labels", (*_RIGHT, "on_list_label_damage_40"), 95),
    Goal("  dot-matrix", (*_RIGHT, "on_list_inkjet_damage_40"), 65),
    Goal("without the list, dot-matrix, undamaged, right, %", (*_PLAIN, "inkjet_damage_0"), 90),
    Goal("  10 % damaged", (*_PLAIN, "inkjet_damage_10"), 35),
    Goal("without the list, printed labels, undamaged, right, %", (*_PLAIN, "label_damage_0"), 90),
    Goal("  10 % damaged", (*_PLAIN, "label_damage_10"), 60),
    Goal(
        "without the list, frames with a wrong field given out, %",
        ("without_list", "wrong_field_percent", "all"),
        5,
        most=True,
    ),
    Goal("accepted, all frames, %", (*_ACCEPTED, "all"), 70),
    Goal("accepted, 40 % damaged, %", (*_ACCEPTED, "damage_40"), 45),
    Goal(
        "wrong accepts, upper 95 % bound, %",
        ("with_list", "wrong_upper_95_percent"),
        0.5,
        most=True,
    ),
    Goal(
        "off the list and accepted, %", ("with_list", "off_list", "accepted_percent"), 1, most=True
    ),
    Goal("calibration error, %", ("with_list", "calibration_error_percent"), 3, most=True),
    Goal(
        "undamaged printed labels on the list, accepted and right, %",
        ("with_list", "first_read_percent", "on_list_label_damage_0"),
        99.8,
    ),
    Goal("dot-matrix lines found whole, undamaged, %", ("lines_found", "inkjet", "0"), 100),
    Goal("  10 to 20 % damaged", ("lines_found", "inkjet", "10-20"), 90),
    Goal("  30 to 40 % damaged", ("lines_found", "inkjet", "30-40"), 70),
    Goal(
        "codes of real shipping labels read, of 9", ("photos", "shipping_ups", "ours", "right"), 9
    ),
    Goal(
        "texts on real photos, whole or cut off, that zxing-cpp does not say",
        ("photos", "barcodes_zxing", "false_beyond_zxing"),
        0,
        most=True,
    ),
    Goal("whole frame, p95, ms", ("p95_ms",), 120, most=True),
    Goal("frames a second, two workers", ("workers", "frames_per_s"), 15),
    Goal("resident memory, MB", ("rss_mb",), 300, most=True),
    Goal("cold start, s", ("cold_start", "median_s"), 1, most=True),
)


def held_to(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every goal whose figure was measured: `figure`, `measured`, `goal` (`>= 88`), `met`."""
    found = []
    for goal in GOALS:
        value: Any = result
        for step in goal.path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, int | float):
            met = value <= goal.limit if goal.most else value >= goal.limit
            sign = "<=" if goal.most else ">="
            found.append(
                {
                    "figure": goal.figure,
                    "measured": value,
                    "goal": f"{sign} {goal.limit:g}",
                    "met": met,
                }
            )
    return found
