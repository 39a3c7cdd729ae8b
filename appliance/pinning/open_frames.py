"""Which pictures the goods of open batches may be judged again from (I3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from appliance.station_pictures import INSPECT
from contracts.errors import TallymanError
from contracts.events import KIND_OF, CartonJudged
from contracts.judging import RejudgeTask
from contracts.stock import BatchKey

_LOOK_BACK = 20_000
_CHUNK = 500


def open_frames(
    journal: Journal, is_open: Callable[[BatchKey], bool], tasks: Iterable[RejudgeTask]
) -> frozenset[str]:
    """SHA-256 of the frames of the goods of open batches, of the journal's last entries, and of what
    is asked for now. Blocks; raises JournalError.
    """
    found = {task.picture for task in tasks}
    last = journal.head().seq
    after = max(0, last - _LOOK_BACK)
    while after < last:
        for entry in journal.entries(after, _CHUNK):
            if entry.kind != KIND_OF[CartonJudged]:
                continue
            try:
                body = decode_body(entry.kind, entry.body)
            except TallymanError:
                # An entry of newer software, before this device was set back to an older one.
                continue
            if not isinstance(body, CartonJudged) or body.verdict.batch is None:
                continue
            if is_open(body.verdict.batch):
                found.update(each.sha256 for each in body.evidence if each.kind == INSPECT)
        after += _CHUNK
    return frozenset(found)
