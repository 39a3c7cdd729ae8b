"""Cartons of a product whose goods were photographed here lately, from the station's own journal.

Each of them is another physical item in the station's own light and pose: nineteen that went by are
nineteen good items, once a person has looked at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from appliance.enrolling.ports import SeenCarton
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from contracts.errors import TallymanError
from contracts.events import KIND_OF, CartonJudged, JournalEntry

MOST = 60
_LOOK_BACK = 3000
_BLOCK = 300
_INSPECT = "inspect"


class Recent:
    """`recent(gtin)` with what was found kept until the journal grows: a page asks again and again.
    Pictures that the station has given up are left out.
    """

    def __init__(self, journal: Journal, *, has: Callable[[str], bool]) -> None:
        self._journal = journal
        self._has = has
        self._found: tuple[str, int, list[SeenCarton]] = ("", -1, [])

    def __call__(self, gtin: str) -> list[SeenCarton]:
        seq = self._journal.head().seq
        if self._found[:2] != (gtin, seq):
            self._found = (gtin, seq, cartons_of(self._journal, gtin))
        return [one for one in self._found[2] if self._has(one.sha256)]


def cartons_of(journal: Journal, gtin: str, *, most: int = MOST) -> list[SeenCarton]:
    """Newest first; each picture once. Reads the journal's last entries: call it in a thread."""
    found: dict[str, SeenCarton] = {}
    for entry in _newest_first(journal):
        if entry.kind != KIND_OF[CartonJudged] or gtin not in entry.body:
            continue
        try:
            body = decode_body(entry.kind, entry.body)
        except TallymanError:
            # Of newer software, before this device was set back to an older one.
            continue
        if isinstance(body, CartonJudged) and gtin_of(body) == gtin:
            for carton in _seen(body, entry):
                found.setdefault(carton.sha256, carton)
        if len(found) >= most:
            break
    return list(found.values())[:most]


def gtin_of(body: CartonJudged) -> str | None:
    """The product on the carton: of its batch where that is known, else as read."""
    if body.verdict.batch is not None:
        return body.verdict.batch.gtin
    if body.reading is not None and body.reading.fields.gtin is not None:
        return body.reading.fields.gtin.value
    return None


def _seen(body: CartonJudged, entry: JournalEntry) -> Iterator[SeenCarton]:
    for item in body.evidence:
        if item.kind == _INSPECT:
            yield SeenCarton(
                carton_id=body.carton_id,
                sha256=item.sha256,
                at=datetime.fromtimestamp(entry.at_us / 1e6, UTC),
                decision=body.verdict.decision,
                camera=item.camera,
            )


def _newest_first(journal: Journal) -> Iterator[JournalEntry]:
    end = journal.head().seq
    least = max(0, end - _LOOK_BACK)
    while end > least:
        start = max(least, end - _BLOCK)
        yield from reversed(journal.entries(start, end - start))
        end = start
