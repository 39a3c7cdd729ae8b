"""The bench's JSON as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

_ROWS = (
    ("all frames", ""),
    ("on the list", "on_list"),
    ("off the list", "off_list"),
    ("printed labels", "label"),
    ("  on the list", "on_list_label"),
    ("dot-matrix", "inkjet"),
    ("  on the list", "on_list_inkjet"),
)


def show(result: Mapping[str, Any]) -> None:
    """Everything that was measured, in the order in which one asks."""
    console = Console()
    console.print(
        f"{result['frames']} frames of {result['set']}, {result['machine']}, "
        f"commit {result['commit']}, {result['threads']} threads",
        highlight=False,
    )
    ways = (("with_list", "with the list"), ("without_list", "without the list"))
    for key, words in ways:
        if key in result:
            _show_way(console, result[key], words)
    if "lines_found" in result:
        _show_lines(console, result["lines_found"])
    if "peers" in result:
        _show_peers(console, result["ours_on_the_same"], result["peers"])
    _show_speed(console, result)
    _show_photos(console, result.get("photos", {}))
    if result.get("goals"):
        table = _table("Goals", "figure", "measured", "goal", "met")
        for each in result["goals"]:
            met = "yes" if each["met"] else "NO"
            table.add_row(each["figure"], f"{each['measured']:g}", each["goal"], met)
        console.print(table)


def show_misreads(console: Console, rows: Sequence[Mapping[str, Any]], words: str) -> None:
    """The misread curve: what was accepted at each grade of damage, and how much of it wrongly."""
    table = _table(
        f"Misreads by damage, {words}",
        "print",
        "damage %",
        "frames",
        "accepted",
        "%",
        "misread",
        "%",
        "at most %",
    )
    for row in rows:
        table.add_row(
            row["kind"],
            row["damage"],
            str(row["frames"]),
            str(row["accepted"]),
            f"{row['accepted_percent']:.1f}",
            str(row["wrong"]),
            f"{row['wrong_percent']:.3f}",
            f"{row['wrong_upper_95_percent']:.3f}",
        )
    console.print(table)


def _show_way(console: Console, found: Mapping[str, Any], words: str) -> None:
    _by_damage(console, f"Right, {words} (forced choice), %", found["right_percent"])
    if "wrong_field_percent" in found:
        _by_damage(console, "Said to be unreadable, nothing wrong, %", found["unreadable_percent"])
        _by_damage(console, "A wrong field given out as read, %", found["wrong_field_percent"])
    if found["accepted"]:
        _by_damage(console, f"Accepted, {words}, %", found["accepted_percent"])
        show_misreads(console, found["misreads"], words)
    else:
        console.print(f"Accepted, {words}: nothing")
    fields = ", ".join(f"{name} {share:g}" for name, share in found["field_right_percent"].items())
    console.print(f"Fields right, {words}, %: {fields}")
    if "off_list" in found:
        off = found["off_list"]
        console.print(
            f"Off the list: {off['accepted']} of {off['frames']} accepted, at most "
            f"{off['accepted_upper_95_percent']:g} % (95 %)"
        )
    table = _table(f"Reliability, {words}", "confidence from", "frames", "stated", "right")
    for each in found["reliability"]:
        table.add_row(
            f"{each['from']:.1f}",
            str(each["frames"]),
            f"{each['confidence']:.3f}",
            f"{each['right']:.3f}",
        )
    console.print(table)
    console.print(f"Calibration error, {words}: {found['calibration_error_percent']:g} %")


def _by_damage(console: Console, title: str, percents: Mapping[str, float]) -> None:
    grades = _grades(percents)
    table = _table(title, "", *(f"{grade} %" for grade in grades), "all")
    for words, name in _ROWS:
        cells = ["_".join(part for part in (name, f"damage_{grade}") if part) for grade in grades]
        cells.append(name or "all")
        if cells[-1] in percents:
            table.add_row(words, *(_percent(percents.get(cell)) for cell in cells))
    console.print(table)


def _show_lines(console: Console, found: Mapping[str, Mapping[str, float]]) -> None:
    bands = list(found.get("all", {}))
    table = _table("Critical lines found whole, %", "", *(f"{band} %" for band in bands))
    for kind, row in found.items():
        table.add_row(kind, *(_percent(row.get(band)) for band in bands))
    console.print(table)


def _show_peers(
    console: Console, ours: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any]]
) -> None:
    grades = _grades(ours["right_without_list_percent"])
    title = f"Right beside open readers, {ours['frames']} frames, %"
    table = _table(title, "", "list", *(f"{grade} %" for grade in grades), "all")
    for key, words in (("right_with_list_percent", "with"), ("right_without_list_percent", "no")):
        for name, found in {"tallyman": ours, **peers}.items():
            if percents := found.get(key):
                cells = [percents.get(f"damage_{grade}") for grade in grades]
                table.add_row(name, words, *map(_percent, (*cells, percents["all"])))
    console.print(table)
    for name, found in peers.items():
        console.print(f"{name}: p50 {found['p50_ms']} ms, p95 {found['p95_ms']} ms")


def _show_speed(console: Console, result: Mapping[str, Any]) -> None:
    console.print(
        f"A frame: p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms; processor "
        f"{result['cpu_p50_ms']} / {result['cpu_p95_ms']} ms; {result['rss_mb']} MB"
    )
    steps = ", ".join(
        f"{name} {each['p50_ms']} / {each['p95_ms']}" for name, each in result["stages"].items()
    )
    console.print(f"Steps, p50 / p95 ms: {steps}")
    if "workers" in result:
        many = result["workers"]
        console.print(
            f"{many['workers']} workers: {many['frames_per_s']} frames/s, "
            f"{many['cpu_ms_a_frame']} ms of processor a frame, {many['rss_mb']} MB"
        )
    if "cold_start" in result:
        cold = result["cold_start"]
        console.print(f"Cold start: {cold['median_s']} s, worst {cold['worst_s']} s")
    if "soak" in result:
        marks = ", ".join(f"{each['rss_mb']} MB after {each['frames']}" for each in result["soak"])
        console.print(f"Memory over a long run: {marks}")


def _show_photos(console: Console, photos: Mapping[str, Any]) -> None:
    if not photos:
        return
    table = _table("Real photos", "set", "reader", "right", "wrong text", "nothing", "of")
    for name, found in photos.items():
        for who, words in (("ours", "ours"), ("zxing_default", "zxing-cpp")):
            cells = (str(found[who][key]) for key in ("right", "wrong", "none"))
            table.add_row(name, words, *cells, str(found.get("codes", found["photos"])))
    console.print(table)
    codes = photos["barcodes_zxing"]
    console.print(
        f"{codes['cut_photos']} photos with the code cut off: "
        f"{codes['ours']['false_on_cut_codes']} false texts, zxing-cpp "
        f"{codes['zxing_default']['false_on_cut_codes']}; {codes['false_beyond_zxing']} texts that "
        "zxing-cpp does not say"
    )


def _grades(percents: Mapping[str, float]) -> list[int]:
    found = (name.removeprefix("damage_") for name in percents if name.startswith("damage_"))
    return sorted(map(int, found))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table
