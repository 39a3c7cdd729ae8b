"""Try to have a wrong product shown: many films through the page's own code, in Node.

    python -m appliance.bench.shelf.campaign OUT --frames 100000

One film of a few hundred frames is one JSON file in OUT, so that a campaign that was stopped goes on
where it was. Films differ in goods, size of the modules, motion, blur, noise, light and pace; in
each goods change their places behind a hand, some codes are torn, and the stock list holds, beside
what is there, the products that a misreading would give; every fourth is a quick swing of a phone
that takes few frames. Exit 1 where a wrong product was shown.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Annotated, Any

# Before numpy is first imported: one core a film.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import typer

from appliance.bench.facts import commit, machine, percentile
from appliance.bench.shelf.film.codes import Code, goods, neighbours
from appliance.bench.shelf.film.film import Film, Plan
from appliance.bench.shelf.film.motion import HAND, STILL, WALK, Motion
from appliance.bench.shelf.judge import Account
from appliance.bench.shelf.node import follow
from appliance.bench.side_by_side import begin, run_all
from appliance.durable import write_atomic

_EACH = 500
"""Frames of one film."""
_NEAR = 10
"""Neighbours on the list of each product that is there."""
_SUMS = ("frames", "right", "wrong", "adrift", "missing", "phantoms")
_SHAPES = ((4, 3), (5, 4), (6, 7))
_QUICK = Motion(pan_px=280.0, pan_s=3.0, shake_px=8.0, zoom=0.08, turn_degrees=4.0, lean=0.06)
_MOTIONS = {"still": STILL, "hand": HAND, "walk": WALK, "quick": _QUICK}


@dataclass(frozen=True, slots=True)
class Chunk:
    number: int
    frames: int
    seed: int

    @property
    def file(self) -> str:
        return f"film-{self.number:05d}.json"


def plan_of(chunk: Chunk) -> tuple[Plan, list[str], int]:
    """The film, the stock list, and how many frames late detections come."""
    random = Random(f"{chunk.seed} {chunk.number}")  # noqa: S311 -- drawn again from its seed
    columns, rows = random.choice(_SHAPES)
    count = columns * rows
    there = goods(count + 2, seed=random.randrange(1 << 30))
    # Side by side stand some that differ in a digit: a misreading of one is the other.
    twins = [neighbours(each, 1, seed=chunk.number)[0] for each in there[: count // 4]]
    codes = [*there[: count - len(twins)], *twins]
    strangers = set(random.sample(range(count), count // 8))
    acts = [tuple(random.sample(codes, count))]
    while len(acts) < random.choice((1, 2, 3)):
        acts.append(_exchanged(acts[-1], random))
    most = {4: 2.6, 5: 2.1, 6: 1.7}[columns]
    module_px = random.uniform(1.2, most)
    plan = Plan(
        tuple(acts),
        columns,
        rows,
        module_px=module_px,
        motion=_MOTIONS[random.choice(list(_MOTIONS))],
        frames=chunk.frames,
        # Nothing is shown over what nobody can read, so that would try nothing.
        blur_px=random.uniform(0.2, 0.42) * module_px,
        exposure_s=random.choice((0.002, 0.004, 0.008)),
        noise=random.choice((1.0, 3.0, 6.0)),
        light=random.choice((0.1, 0.3, 0.5)),
        spoilt=frozenset(random.sample(range(count), count // 6)),
        seed=random.randrange(1 << 16),
    )
    # Some that are there are on no list.
    listed = [each for at, each in enumerate(codes) if at not in strangers]
    near = [twin for each in codes for twin in neighbours(each, _NEAR, seed=chunk.seed)]
    there_too = {each.gtin for each in codes}
    known = {each.gtin for each in listed} | {
        each.gtin for each in near if each.gtin not in there_too
    }
    late = random.choice((2, 3, 4, 6))
    return _on_a_weak_phone(plan, chunk), sorted(known), late


def _on_a_weak_phone(plan: Plan, chunk: Chunk) -> Plan:
    """Every fourth film: fewer frames a second, and swings so quick that each label could be taken
    for its neighbour in the next frame.
    """
    if chunk.number % 4 != 3:  # noqa: PLR2004 -- every fourth
        return plan
    random = Random(f"weak {chunk.seed} {chunk.number}")  # noqa: S311 -- as above
    swings = replace(_QUICK, pan_s=random.choice((0.7, 1.0, 1.3, 2.0)))
    return replace(plan, motion=swings, fps=random.choice((8, 10, 15, 30)), exposure_s=0.002)


def run_one(chunk: Chunk) -> dict[str, Any]:
    """One film from its first frame to its account."""
    cv2.setNumThreads(1)
    began = time.monotonic()
    plan, listed, late = plan_of(chunk)
    film = Film(plan)
    account = Account(_gtins(plan.acts[0]))
    follow(film, range(len(film)), listed, account, late=late)
    return {
        "number": chunk.number,
        "module_px": round(plan.module_px, 2),
        "late": late,
        "fps": plan.fps,
        "acts": len(plan.acts),
        "frames": account.frames,
        "right": account.right,
        "wrong": len(account.wrong),
        "wrongs": account.wrong[:20],
        "adrift": account.adrift,
        "missing": account.missing,
        "phantoms": account.phantoms,
        "anchor_p50_px": account.p50_px,
        "anchor_p95_px": account.p95_px,
        "seconds": round(time.monotonic() - began, 1),
    }


def carry_out(out: Path, *, frames: int, seed: int = 1, workers: int = 2) -> dict[str, Any]:
    """Do what of the campaign in `out` is not done yet; what all of it found. Raises
    BadInputError where `out` holds another campaign.
    """
    begin(out, {"seed": seed, "each": min(_EACH, frames)})
    wanted = [each for each in _chunks(frames, seed) if not (out / each.file).exists()]
    if wanted:
        run_all(out, wanted, run_one, workers=workers, start="spawn")
    return summed(out)


def summed(out: Path) -> dict[str, Any]:
    """What all films found together."""
    films = [json.loads(path.read_bytes()) for path in sorted(out.glob("film-*.json"))]
    shown = sum(each["right"] + each["missing"] for each in films)
    return {
        **{name: sum(each[name] for each in films) for name in _SUMS},
        "films": len(films),
        "shown_percent": round(100 * sum(each["right"] for each in films) / max(1, shown), 1),
        "anchor_p50_px": percentile([each["anchor_p50_px"] for each in films], 50),
        "anchor_p95_px": percentile([each["anchor_p95_px"] for each in films], 50),
        "films_with_a_wrong_product": [each["number"] for each in films if each["wrong"]],
        "seconds": round(sum(each["seconds"] for each in films), 1),
    }


def _exchanged(act: tuple[Code, ...], random: Random) -> tuple[Code, ...]:
    """A third of the goods go round among their places; a phone that still looks there sees it."""
    moved = random.sample(range(len(act)), len(act) // 3)
    goods_of = dict(zip(moved, [*moved[1:], moved[0]], strict=True))
    return tuple(act[goods_of.get(at, at)] for at in range(len(act)))


def _gtins(codes: Sequence[Code]) -> frozenset[str]:
    return frozenset(each.gtin for each in codes)


def _chunks(frames: int, seed: int) -> Iterator[Chunk]:
    each = min(_EACH, frames)
    for number in range(-(-frames // each)):
        yield Chunk(number, min(each, frames - number * each), seed)


def run(
    out: Annotated[Path, typer.Argument(help="Folder of the campaign; made, or continued.")],
    *,
    frames: Annotated[int, typer.Option(min=10)] = 100_000,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Look for a product that stands over another one's code."""
    found = {"machine": machine(), "commit": commit()}
    found |= carry_out(out, frames=frames, seed=seed, workers=workers)
    write_atomic(out / "result.json", json.dumps(found).encode() + b"\n")
    typer.echo(json.dumps(found))
    if found["wrong"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(run)
    sys.exit()
