"""Which reading set the site runs: what the next candidate starts from and is compared with.

What the most boxes attest to run counts, where the registry published it; else the set that came
with the installation. Its files are kept whole beside the examples, so that a run of the recipe
needs no registry.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from appliance.durable import write_atomic
from appliance.learning.closing import READ
from appliance.learning.folders import FORCE_PLACE, FORCE_POINTER
from contracts.errors import ArtefactRefusedError, TallymanError
from ota.model_set import MANIFEST, open_model_set
from ota.registry.records import SetRecord, SetState
from ota.registry.registry import Registry

log = structlog.get_logger(__name__)


class InForce:
    """`running` gives the digest of the reading set of each box that is heard, as it attests."""

    def __init__(
        self, folder: Path, registry: Registry, running: Callable[[], Iterable[str]]
    ) -> None:
        """`folder` is the hub's learning folder."""
        self._folder = folder
        self._registry = registry
        self._running = running

    def look(self) -> None:
        """Bring the folder up to date. Blocks; a set that cannot be had changes nothing."""
        record = most_run(self._running(), self._registry.catalogue.find)
        pointer = self._folder / FORCE_POINTER
        if record is None:
            pointer.unlink(missing_ok=True)
            return
        try:
            self._fetch(record)
        except (TallymanError, OSError) as error:
            log.warning("set_in_force_not_kept", model_set=record.digest, why=str(error))
            return
        if not pointer.exists() or pointer.read_text() != record.digest:
            write_atomic(pointer, record.digest.encode())
        for each in (self._folder / FORCE_PLACE).iterdir():
            if each.name != record.hex:
                shutil.rmtree(each, ignore_errors=True)

    def _fetch(self, record: SetRecord) -> None:
        place = self._folder / FORCE_PLACE / record.hex
        if place.exists() and open_model_set(place).digest == record.digest:
            return
        work = place.with_name(f".{record.hex}.part")
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
        for path, sha256 in (
            (MANIFEST, record.hex),
            *((each.path, each.sha256) for each in record.files),
        ):
            file = work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._registry.artefacts.get(sha256))
        for name, text in (("MODEL_CARD.md", record.card), ("quality.toml", record.quality)):
            if text:
                (work / name).write_text(text, encoding="utf-8")
        if open_model_set(work).digest != record.digest:
            raise ArtefactRefusedError(f"{record.digest} came as another set", mend="Verify it")
        work.rename(place)


def most_run(running: Iterable[str], find: Callable[[str], SetRecord | None]) -> SetRecord | None:
    """The published reading set that the most boxes run; of as many, the one published last."""
    counted = Counter(running)
    found = [(number, find(digest)) for digest, number in counted.items()]
    published = [
        (number, record.published_at_us, record)
        for number, record in found
        if record is not None and record.state is SetState.PUBLISHED and record.lane == READ
    ]
    if not published:
        return None
    number, _, record = max(published, key=lambda each: each[:2])
    return record if number >= counted.total() / 2 else None
