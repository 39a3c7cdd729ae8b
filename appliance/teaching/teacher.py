"""Lessons at a station: from an operator's word to a candidate profile, on disk before it counts.

Rules:
- A lesson is journalled with its picture and both profiles before the candidate takes effect (I4).
- A candidate adds review or hold on the cartons judged meanwhile and nothing else; it judges when
  the quality lead has signed it, and then the batches that begin after that (I3, I5).
- The newest lesson can be taken back; nothing is ever struck from the journal.
- Nothing here asks the hub (I6). Whatever fails leaves the profiles as they were.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from appliance.desk import CartonCard
from appliance.durable import sync_folder, write_atomic
from appliance.evidence import EvidenceStore
from appliance.journal.journal import Journal
from appliance.teaching.history import ProductHistory, Step, StepState
from appliance.teaching.keeping import KeptProfiles
from appliance.teaching.ledger import Ledger
from appliance.teaching.ports import Lesson, Profiles, Taught, Teaches
from appliance.teaching.signing import ProfileSignature, QualityKey, write_signed
from contracts.errors import BadInputError, ConflictError, NotFoundError, TallymanError
from contracts.events import (
    DEFECTS,
    FALSE_ALARM,
    MISS,
    DefectTaught,
    LessonUndone,
    ProfileActivated,
    ProfileEnrolled,
)
from contracts.stock import Evidence
from vision.defects.profile import Profile
from vision.frames import decode_frame

INSPECT, PROFILE = "inspect", "profile"
MEDIA_TYPE = "application/octet-stream"
log = structlog.get_logger()


class Teacher:
    """Implements teaching.ports.TeachingDesk. One change at a time."""

    def __init__(
        self,
        station: str,
        *,
        journal: Journal,
        evidence: EvidenceStore,
        profiles: Profiles,
        inspector: Teaches,
        folder: Path,
    ) -> None:
        """`folder` keeps the profiles that an undo may need, and how far the journal was read."""
        self.station = station
        self.trouble = ""
        self.key: QualityKey | None = None
        """As its inbox last knew (teaching.inbox)."""
        self._journal = journal
        self._evidence = evidence
        self._profiles = profiles
        self._inspector = inspector
        self._kept = KeptProfiles(folder / "kept")
        self._ledger = Ledger(folder / "histories.json", journal)
        self._one_at_a_time = asyncio.Lock()
        self._listeners: list[Callable[[str], Awaitable[None]]] = []

    def listen(self, callback: Callable[[str], Awaitable[None]]) -> None:
        """Await `callback(gtin)` after each change; it is durable by then."""
        self._listeners.append(callback)

    async def begin(self) -> None:
        """Read what the journal says, and mend what a power cut left between it and the files."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._ledger.catch_up)
            for history in self.histories():
                try:
                    await asyncio.to_thread(self._place_candidate, history)
                except (TallymanError, OSError) as error:
                    log.warning("candidate not put back", gtin=history.gtin, error=str(error))
            await asyncio.to_thread(self._thin_out)

    def histories(self) -> Sequence[ProductHistory]:
        return [each for each in self._ledger.all() if each.station == self.station]

    def history(self, gtin: str) -> ProductHistory:
        return self._ledger.of(self.station, gtin)

    def can_teach(self, gtin: str) -> bool:
        return self._to_teach(gtin) is not None

    def lesson_of(self, carton_id: str) -> Step | None:
        for history in self.histories():
            for step in reversed(history.standing):
                if step.carton_id == carton_id:
                    return step
        return None

    async def teach(
        self, card: CartonCard, lesson: Lesson, *, operator: str, session: str | None = None
    ) -> Taught:
        began = time.perf_counter()
        _check(lesson)
        item = next((each for each in card.evidence if each.kind == INSPECT), None)
        if item is None or not card.product:
            raise BadInputError(
                f"Carton {card.carton_id} teaches nothing: "
                + ("no picture of its goods" if item is None else "its product is not known"),
                mend="Teach with a carton whose goods were photographed and whose product is known",
            )
        async with self._one_at_a_time:
            await asyncio.to_thread(self._ledger.catch_up)
            self._check_new(card)
            base, base_data = await asyncio.to_thread(self._base, card.product)
            after = await asyncio.to_thread(self._learn, base, item, lesson)
            data = after.to_bytes()
            await asyncio.to_thread(self._kept.put, base.digest, base_data)
            await asyncio.to_thread(self._kept.put, after.digest, data)
            shown = (
                item,
                await asyncio.to_thread(self._as_evidence, base_data),
                await asyncio.to_thread(self._as_evidence, data),
            )
            await self._journal.append(
                DefectTaught(
                    station=self.station,
                    carton_id=card.carton_id,
                    gtin=card.product,
                    picture=item.sha256,
                    lesson=lesson.kind,
                    defect=lesson.defect,
                    operator=operator,
                    before=base.digest,
                    after=after.digest,
                    candidate=shown[-1].sha256,
                    session=session,
                    evidence=shown,
                    note=lesson.note[:500],
                )
            )
            step = (await self._take_over(card.product)).tip
        assert step is not None  # noqa: S101 -- the entry just written is the tip
        return Taught(step, card.product, 1000 * (time.perf_counter() - began))

    async def undo(self, gtin: str, *, operator: str, after: str) -> Step:
        async with self._one_at_a_time:
            await asyncio.to_thread(self._ledger.catch_up)
            history = self.history(gtin)
            tip = history.tip
            if tip is None:
                raise NotFoundError(
                    f"Nothing that was taught about {gtin} waits for a signature",
                    mend="What is signed is taken back by the quality lead, on the hub's Lessons",
                )
            if tip.after != after:
                raise ConflictError(
                    "Another lesson was taught or taken back meanwhile",
                    mend="Look at the list again; the newest lesson is taken back first",
                )
            rest = history.pending[:-1]
            await self._journal.append(
                LessonUndone(
                    station=self.station,
                    gtin=gtin,
                    operator=operator,
                    before=tip.after,
                    after=tip.before,
                    candidate=rest[-1].file if rest else "",
                )
            )
            await self._take_over(gtin)
        return tip

    async def take_signed(self, signature: ProfileSignature, data: bytes) -> bool:
        """Put a signed profile in force; False where it or a later one is already.

        The caller has checked the signature over `data`. Raises JournalError, OSError,
        ArtefactRefusedError for a profile of other networks.
        """
        profile = Profile.from_bytes(data, name=f"the signed profile of {signature.gtin}")
        self._inspector.accept(profile)
        async with self._one_at_a_time:
            await asyncio.to_thread(self._ledger.catch_up)
            history = self.history(signature.gtin)
            if signature.serial > history.serial:
                active = await asyncio.to_thread(self._profiles.get, signature.gtin)
                await self._journal.append(
                    ProfileActivated(
                        station=self.station,
                        gtin=signature.gtin,
                        before=active.digest if active else "",
                        after=signature.digest,
                        file=signature.file,
                        signed_by=signature.signed_by,
                        reason=signature.reason,
                        serial=signature.serial,
                        key=signature.key,
                        signature=signature.signature,
                    )
                )
            elif signature.serial < history.serial:
                return False
            await asyncio.to_thread(self._kept.put, signature.digest, data)
            path = self._profiles.path(signature.gtin)
            await asyncio.to_thread(write_signed, path, data, signature)
            await self._take_over(signature.gtin)
        log.info("signed profile in force", gtin=signature.gtin, profile=signature.digest)
        return True

    async def take_enrolled(self, enrolled: ProfileEnrolled, data: bytes) -> None:
        """Record an enrolment and make its profile the candidate; what was pending is set aside.

        Raises JournalError, OSError: then nothing has changed.
        """
        async with self._one_at_a_time:
            await asyncio.to_thread(self._kept.put, enrolled.digest, data)
            await self._journal.append(enrolled)
            await self._take_over(enrolled.gtin)

    def bytes_of(self, digest: str, file: str) -> bytes | None:
        """A profile that is on this machine already, by its digest and the hash of its file."""
        data = self._kept.get(digest) or self._evidence.get(file)
        return data if data and hashlib.sha256(data).hexdigest() == file else None

    async def _take_over(self, gtin: str) -> ProductHistory:
        """After an entry: the candidate's file follows the journal, and whoever listens hears."""
        await asyncio.to_thread(self._ledger.catch_up)
        history = self.history(gtin)
        await asyncio.to_thread(self._place_candidate, history)
        for callback in self._listeners:
            await callback(gtin)
        return history

    def _place_candidate(self, history: ProductHistory) -> None:
        path, tip = self._profiles.candidate_path(history.gtin), history.tip
        if tip is None:
            if path.exists():
                path.unlink()
                sync_folder(path.parent)
            return
        there = self._profiles.candidate(history.gtin) if path.exists() else None
        if there is not None and there.digest == tip.after:
            return
        data = self.bytes_of(tip.after, tip.file)
        if data is None:
            raise NotFoundError(
                f"The candidate {tip.after} of {history.gtin} is not on this machine any more",
                mend="Take its lesson back and teach it again",
            )
        write_atomic(path, data)

    def _thin_out(self) -> None:
        wanted = {each.base for each in self.histories()} | {
            digest
            for each in self.histories()
            for digest in (each.active, *(step.after for step in each.standing))
        }
        self._kept.thin_out(wanted - {""})

    def _to_teach(self, gtin: str) -> Profile | None:
        return self._profiles.candidate(gtin) or self._profiles.get(gtin)

    def _base(self, gtin: str) -> tuple[Profile, bytes]:
        """The profile that is taught, and its file's bytes."""
        profile = self._to_teach(gtin)
        if profile is None:
            raise NotFoundError(
                f"Product {gtin} has no profile at this station that could learn",
                mend="Enrol it from good cartons first, on the page Products",
            )
        for path in (self._profiles.candidate_path(gtin), self._profiles.path(gtin)):
            try:
                data = path.read_bytes()
                if Profile.from_bytes(data, name=path.name).digest == profile.digest:
                    return profile, data
            except (OSError, TallymanError):
                # Replaced or damaged on disk since it was loaded: what is loaded counts.
                continue
        return profile, profile.to_bytes()

    def _learn(self, base: Profile, item: Evidence, lesson: Lesson) -> Profile:
        stored = self._evidence.get(item.sha256)
        if stored is None:
            raise NotFoundError(
                f"The picture {item.sha256[:12]} is not on this machine any more",
                mend="Teach with a carton that went by lately",
            )
        image = decode_frame(stored, name=f"picture {item.sha256[:12]}")
        return self._inspector.teach(
            base, image, kind=lesson.kind, defect=lesson.defect, picture=item.sha256
        )

    def _as_evidence(self, data: bytes) -> Evidence:
        return Evidence(PROFILE, self._evidence.put(data), MEDIA_TYPE)

    def _check_new(self, card: CartonCard) -> None:
        known = self.lesson_of(card.carton_id)
        if known is not None and known.state is StepState.PENDING:
            raise ConflictError(
                f"Carton {card.carton_id} was taught already, by {known.operator}",
                mend="Take that lesson back first, if it was a mistake",
            )
        if known is not None:
            raise ConflictError(
                f"Carton {card.carton_id} was taught by {known.operator} and is signed",
                mend="The quality lead takes it back on the hub's page Lessons",
            )


def _check(lesson: Lesson) -> None:
    if lesson.kind not in {MISS, FALSE_ALARM}:
        raise BadInputError(
            f"{lesson.kind!r} is no lesson", mend=f"Say {MISS} (a defect) or {FALSE_ALARM} (good)"
        )
    if lesson.defect and (lesson.kind != MISS or lesson.defect not in DEFECTS):
        raise BadInputError(
            f"{lesson.defect!r} is no defect that can be taught so",
            mend=f"Choose from {', '.join(DEFECTS)}, or leave it out",
        )
