"""The parts of `tallyman bench ingest`, one after the other, and what they say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.bench import facts
from appliance.bench.ingest import decoding, history, ours
from appliance.bench.ingest.coap import coap
from appliance.bench.ingest.command import Part
from appliance.bench.ingest.peers import peers
from appliance.bench.ingest.publish import publish
from appliance.bench.ingest.site import Certificates

_DECODED = 50_000
_PEER_SHARE = 10
_TLS_ROWS, _TLS_WINDOW = 50, 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and how much of it."""

    parts: frozenset[Part]
    seconds: float
    rounds: int
    connections: int
    rows: int
    window: int
    tls_connections: int
    processes: int
    count: int
    alarm_rate: float
    days: int
    sensors: int
    seed: int
    peers: Path | None


def measure(wanted: Wanted, folder: Path, *, told: Callable[[str], None]) -> dict[str, Any]:
    """Everything that is wanted, as `tallyman bench ingest --json` prints it."""
    figures: dict[str, Any] = {
        "machine": facts.machine(),
        "commit": facts.commit(),
        "model_set": "",
        "seed": wanted.seed,
    }
    for part in Part:
        if part in wanted.parts:
            told(str(part))
            place = folder / str(part)
            place.mkdir()
            figures |= _PARTS[part](wanted, place)
    _compare(figures)
    return figures


def _decode(wanted: Wanted, _place: Path) -> dict[str, Any]:
    alone, whole = decoding.decode_and_rules_us(_DECODED, seed=wanted.seed)
    return {"decode_us": alone, "decode_and_rules_us": whole}


def _direct(wanted: Wanted, place: Path) -> dict[str, Any]:
    found = [
        ours.direct(
            place / f"processes-{processes}",
            connections=wanted.connections,
            rows=wanted.rows,
            window=wanted.window,
            seconds=wanted.seconds,
            rounds=wanted.rounds,
            processes=processes,
        )
        for processes in _processes(wanted)
    ]
    return {
        "durable_rate_per_s": max(each.durable_rate_per_s for each in found),
        "cpu_us_per_message": found[0].cpu_us_per_message,
        "direct": asdict(found[0]),
        "direct_with_processes": asdict(found[-1]),
    }


def _processes(wanted: Wanted) -> tuple[int, ...]:
    """Without endpoint processes, and with as many as are wanted."""
    return (0, wanted.processes) if wanted.processes else (0,)


def _tls(wanted: Wanted, place: Path) -> dict[str, Any]:
    papers = Certificates(place)
    found = [
        ours.direct(
            place / f"processes-{processes}",
            connections=wanted.tls_connections,
            rows=_TLS_ROWS,
            window=_TLS_WINDOW,
            seconds=wanted.seconds,
            rounds=wanted.rounds,
            processes=processes,
            certificates=papers,
        )
        for processes in _processes(wanted)
    ]
    return {"tls": asdict(found[0]), "tls_with_processes": asdict(found[-1])}


def _broker(wanted: Wanted, place: Path) -> dict[str, Any]:
    found = ours.behind_a_broker(place, count=wanted.count, rounds=wanted.rounds)
    return {"broker": asdict(found)}


def _alarm(wanted: Wanted, place: Path) -> dict[str, Any]:
    found = ours.alarms(place / "gateway", rate=wanted.alarm_rate, seconds=wanted.seconds)
    return {"alarm": asdict(found)}


def _coap(wanted: Wanted, place: Path) -> dict[str, Any]:
    return {"coap": asdict(coap(place, seconds=wanted.seconds, rounds=wanted.rounds))}


def _history(wanted: Wanted, place: Path) -> dict[str, Any]:
    found = history.measure(
        place, days=wanted.days, sensors=wanted.sensors, count=wanted.count, seed=wanted.seed
    )
    return {"history": found}


def _peers(wanted: Wanted, place: Path) -> dict[str, Any]:
    found = peers(
        place,
        publish,
        installed=wanted.peers,
        count=max(2_000, wanted.count // _PEER_SHARE // 2_000 * 2_000),
        rounds=wanted.rounds,
    )
    return {"peers": {name: asdict(each) for name, each in found.items()}}


_PARTS: dict[Part, Callable[[Wanted, Path], dict[str, Any]]] = {
    Part.DECODE: _decode,
    Part.DIRECT: _direct,
    Part.TLS: _tls,
    Part.BROKER: _broker,
    Part.ALARM: _alarm,
    Part.COAP: _coap,
    Part.HISTORY: _history,
    Part.PEERS: _peers,
}


def _compare(figures: dict[str, Any]) -> None:
    """How much more processor time each peer takes for a message than we do, both ways in."""
    for each in figures.get("peers", {}).values():
        theirs = each["cpu_us_per_message"]
        if theirs and (mine := figures.get("cpu_us_per_message")):
            each["times_ours_direct"] = round(theirs / mine, 1)
        if theirs and (behind := figures.get("broker", {}).get("cpu_us_per_message")):
            each["times_ours_behind_a_broker"] = round(theirs / behind, 1)
