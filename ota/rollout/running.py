"""What ran on a box from when to when, from what it says (I4). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.ota import BoxReport
from ota.rollout.ports import Ran


def changes(before: Sequence[Ran], report: BoxReport) -> tuple[list[Ran], list[Ran]]:
    """(ended, begun) by this report, given what ran until now. A box that says less than before
    (it has only just started) ends nothing: silence is no statement. A report older than what is
    known changes nothing either.
    """
    ended: list[Ran] = []
    begun: list[Ran] = []
    still = {each.lane: each for each in before if each.until_us is None}
    for lane, digest in sorted(report.running.items()):
        variant = report.variant.get(lane, "")
        known = still.get(lane)
        if known is not None and (known.model_set, known.variant) == (digest, variant):
            continue
        if known is not None:
            if report.at_us <= known.since_us:
                continue
            ended.append(replace(known, until_us=report.at_us))
        begun.append(Ran(report.device, lane, digest, variant, report.at_us))
    return ended, begun
