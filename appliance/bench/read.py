"""`tallyman bench read`: how many frames are read right, how many wrong ones are let through.

Two questions that must not be mixed. Forced choice: is the best answer right? Abstention: of the
frames accepted, how many are wrong? The second is measured by cross-validation, since the shipped
confidence was fitted on the development set: five folds, each judged by a model fitted on the
others, every frame in one fold.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from appliance.bench.label_truth import Truth
    from contracts.asn import ExpectedLine
    from vision.reading.reader import LabelReader

FOLDS = 5
RIDGE = 0.3


@dataclass(frozen=True, slots=True)
class Scored:
    """One frame measured. `facts` explain the match to the list; `best_right` says whether the
    best announced line is right, `right` whether the reading as given is.
    """

    truth: Truth
    elapsed_ms: float
    best_right: bool
    right: bool
    accepted: bool
    plain_right: bool
    plain_accepted: bool
    facts: dict[str, float]
    sound: bool
    """No reason besides low confidence spoke against accepting."""


def read(
    *,
    folder: Annotated[
        Path | None, typer.Option("--set", help="Folder with truth.json, asn.csv and frames.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the JSON line.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only so many frames.")
    ] = None,
    models: Annotated[Path | None, typer.Option("--models", help="Another label reader.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 2,
    peers: Annotated[bool, typer.Option(help="Run rapidocr beside ours.")] = True,
) -> None:
    """Measure label reading on frames with known truth."""
    from appliance.bench.facts import commit, machine, median, peak_rss_mb, percentile
    from appliance.bench.label_truth import read_truth
    from appliance.cli.read import open_reader
    from contracts.asn import ExpectedLine
    from erp_link.asn_files import read_asn

    data = folder or _development_set()
    truths = read_truth(data, limit=limit)
    expected = [ExpectedLine(line) for line in read_asn(data / "asn.csv").lines]
    reader = open_reader(models, threads)
    scored = [_score(reader, expected, data, truth) for truth in _track(truths, "tallyman")]
    times = [each.elapsed_ms for each in scored]
    result: dict[str, Any] = {
        "bench": "read",
        "machine": machine(),
        "commit": commit(),
        "model_set": reader.model_set,
        "set": data.name,
        "frames": len(scored),
        "threads": threads,
        "p50_ms": round(median(times), 1),
        "p95_ms": round(percentile(times, 95), 1),
        "rss_mb": round(peak_rss_mb(), 1),
        **quality(scored, accept=reader.confidence.thresholds.accept),
    }
    if peers:
        result["peers"] = _peers(reader, expected, data, truths)
    if not as_json:
        _show(result)
    sys.stdout.write(json.dumps(result) + "\n")


def quality(scored: Sequence[Scored], *, accept: float) -> dict[str, Any]:
    """The figures of a measurement: percentages of frames, counts of accepted and wrong ones."""
    groups: dict[str, list[Scored]] = {"all": list(scored)}
    for each in scored:
        damage = f"{100 * each.truth.damage:.0f}"
        groups.setdefault(f"damage_{damage}", []).append(each)
        groups.setdefault(each.truth.kind, []).append(each)
        groups.setdefault(f"{each.truth.kind}_{damage}", []).append(each)
        groups.setdefault("on_list" if each.truth.on_asn else "off_list", []).append(each)
    return {
        "right_percent": {name: _percent(s.right for s in group) for name, group in groups.items()},
        "right_best_line_percent": {
            name: _percent(s.best_right for s in group) for name, group in groups.items()
        },
        "right_without_list_percent": {
            name: _percent(s.plain_right for s in group) for name, group in groups.items()
        },
        "accepted_percent": {
            name: _percent(s.accepted for s in group) for name, group in groups.items()
        },
        "accept": _wrong(
            [s.accepted for s in scored], [s.right for s in scored], "as shipped, not held out"
        ),
        "accept_without_list": _wrong(
            [s.plain_accepted for s in scored], [s.plain_right for s in scored], "as shipped"
        ),
        "accept_cross_validated": cross_validated(scored, accept=accept),
    }


def cross_validated(scored: Sequence[Scored], *, accept: float) -> dict[str, Any]:
    """Accepted and wrong with a confidence that never saw the frame it judges."""
    from vision.reading.calibrate import fit_logistic

    accepted = [False] * len(scored)
    loss = 0.0
    if len(scored) >= 2 * FOLDS:
        from appliance.bench.statistics import log_loss

        for fold in range(FOLDS):
            train = [s for i, s in enumerate(scored) if i % FOLDS != fold]
            model = fit_logistic(
                [s.facts for s in train], [s.best_right for s in train], ridge=RIDGE
            )
            for i, each in enumerate(scored):
                if i % FOLDS == fold:
                    probability = model.probability(each.facts)
                    accepted[i] = each.sound and probability >= accept
                    loss += log_loss(probability, right=each.best_right)
    how = f"{FOLDS} folds, confidence {accept}"
    found = _wrong(accepted, [s.best_right for s in scored], how)
    return {**found, "log_loss": round(loss / max(1, len(scored)), 4)}


def _wrong(accepted: Sequence[bool], right: Sequence[bool], how: str) -> dict[str, Any]:
    from appliance.bench.statistics import upper_bound

    count = sum(accepted)
    wrong = sum(a and not r for a, r in zip(accepted, right, strict=True))
    return {
        "how": how,
        "accepted": count,
        "wrong": wrong,
        "wrong_upper_95_percent": round(100 * upper_bound(wrong, count), 2),
    }


def _percent(flags: Iterable[bool]) -> float:
    values = list(flags)
    return round(100 * sum(values) / max(1, len(values)), 1)


def _score(
    reader: LabelReader, expected: Sequence[ExpectedLine], data: Path, truth: Truth
) -> Scored:
    from appliance.bench.label_truth import fields_answer, is_right, listed_answer
    from contracts.reading import ReadDecision
    from vision.reading.confidence import facts_of

    frame = _frame(data, truth)
    start = time.perf_counter()
    view = reader.see(frame)
    weighed = reader.weigh([view], expected)
    outcome = reader.decide(weighed)
    elapsed_ms = 1000 * (time.perf_counter() - start)
    plain = reader.decide(reader.weigh([view], ()))
    if weighed.fused is None:
        raise BadInputError(f"{data / 'asn.csv'} has no lines", mend="Add the announced lines")
    return Scored(
        truth,
        elapsed_ms,
        is_right(truth, listed_answer(weighed.fused, weighed.index)),
        is_right(truth, fields_answer(outcome.fields)),
        outcome.decision is ReadDecision.ACCEPT,
        is_right(truth, fields_answer(plain.fields)),
        plain.decision is ReadDecision.ACCEPT,
        facts_of(weighed.fused),
        all(reason.code == "low_confidence" for reason in outcome.reasons),
    )


def _peers(
    reader: LabelReader, expected: Sequence[ExpectedLine], data: Path, truths: Sequence[Truth]
) -> dict[str, Any]:
    from appliance.bench.facts import median, percentile
    from appliance.bench.label_truth import is_right
    from appliance.bench.peer_rapidocr import RapidOcr, with_list, without_list
    from vision.reading.expected import ExpectedIndex

    try:
        peer = RapidOcr()
    except ImportError:
        return {}
    charset = reader.matcher.charset
    index = ExpectedIndex.build([each.line for each in expected], charset)
    plain, listed, times = [], [], []
    for truth in _track(truths, peer.name):
        frame = _frame(data, truth)
        start = time.perf_counter()
        lines = peer.texts(frame)
        times.append(1000 * (time.perf_counter() - start))
        plain.append(is_right(truth, without_list(lines)))
        listed.append(is_right(truth, with_list(lines, index, charset)))
    return {
        peer.name: {
            "right_without_list_percent": _percent(plain),
            "right_percent": _percent(listed),
            "p50_ms": round(median(times), 1),
            "p95_ms": round(percentile(times, 95), 1),
        }
    }


def _frame(data: Path, truth: Truth) -> NDArray[np.uint8]:
    from vision.frames import decode_frame

    return decode_frame((data / truth.file).read_bytes(), name=truth.file)


def _development_set() -> Path:
    import os

    root = Path(__file__).resolve().parents[2]
    data = Path(os.environ.get("TALLYMAN_DATA", root.parent / "shared" / "data"))
    return data / "labels" / "damaged_dev"


def _track(truths: Sequence[Truth], what: str) -> Iterable[Truth]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(truths, description=what, console=console, disable=not console.is_terminal)


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Label reading, {result['frames']} frames of {result['set']}")
    for heading in ("frames", "right %", "best line %", "without list %", "accepted %"):
        table.add_column(heading, justify="left" if heading == "frames" else "right")
    for name in result["right_percent"]:
        table.add_row(
            name,
            *(
                f"{result[key][name]:.1f}"
                for key in (
                    "right_percent",
                    "right_best_line_percent",
                    "right_without_list_percent",
                    "accepted_percent",
                )
            ),
        )
    console = Console()
    console.print(table)
    for key in ("accept", "accept_cross_validated", "accept_without_list"):
        found = result[key]
        console.print(
            f"{key}: {found['accepted']} accepted, {found['wrong']} wrong, "
            f"at most {found['wrong_upper_95_percent']} % (95 %) -- {found['how']}"
        )
    for name, found in result.get("peers", {}).items():
        console.print(f"{name}: {found}")
