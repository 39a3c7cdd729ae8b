"""What was measured, written into a model set's quality record (TOML)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.durable import write_atomic

_FACTS = ("machine", "commit", "model_set", "frames", "threads")
_SPEED = ("p50_ms", "p95_ms", "cpu_p50_ms", "cpu_p95_ms", "rss_mb", "workers", "cold_start", "soak")


def write_record(path: Path, result: Mapping[str, Any]) -> None:
    """Put the run's figures into `path` as `[measured.<set>]`, in place of an earlier run's on that
    set. Everything else in the file stays as it is.
    """
    name = re.sub(r"\W", "_", str(result["set"]))
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = re.sub(
        rf"(?ms)^\[measured\.{name}[.\]].*?(?=^\[(?!measured\.{name}[.\])])|\Z)", "", text
    )
    write_atomic(path, f"{kept.rstrip()}\n\n{as_toml(name, result)}".lstrip().encode())


def as_toml(name: str, result: Mapping[str, Any]) -> str:
    """The tables `[measured.<name>]` and one below it for each way of reading."""
    facts = {key: result[key] for key in (*_FACTS, *_SPEED, "lines_found") if key in result}
    if "peers" in result:
        facts["peers"] = {
            peer: {key: _short(value) for key, value in found.items()}
            for peer, found in result["peers"].items()
        }
    if "photos" in result:
        facts["photos"] = result["photos"]
    parts = [_table(f"measured.{name}", facts)]
    for way in ("with_list", "without_list"):
        if way in result:
            shown = {key: _short(value) for key, value in result[way].items() if key != "frames"}
            parts.append(_table(f"measured.{name}.{way}", shown))
    return "\n".join(parts)


def _short(value: object) -> object:
    """Of a figure's groups those that the goals ask about: list, kind and damage, each pair of them
    at most, and cartons on the list by kind where nothing or most is destroyed.
    """
    if not isinstance(value, Mapping) or "all" not in value:
        return value
    return {key: each for key, each in value.items() if _asked_for(str(key))}


def _asked_for(group: str) -> bool:
    if group.startswith("on_list_") and not group.startswith("on_list_damage"):
        return group.endswith(("_damage_0", "_damage_40"))
    return not group.startswith("off_list_")


def _table(name: str, values: Mapping[str, Any]) -> str:
    rows = "".join(f"{key} = {_value(value)}\n" for key, value in values.items())
    return f"[{name}]\n{rows}"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{quoted}"'
        case Mapping():
            inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            items = [_value(each) for each in value]
            long = any(isinstance(each, Mapping) for each in value)
            return "[\n  " + ",\n  ".join(items) + ",\n]" if long else f"[{', '.join(items)}]"
        case _:
            raise TypeError(f"{value!r} has no place in a quality record")


def _key(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else f'"{text}"'
