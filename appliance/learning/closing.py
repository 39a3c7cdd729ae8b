"""The loop closes: a candidate that may be published is proposed to the registry, and by policy a
rollout is drafted for it, which begins in shadow (I5).

Nothing here publishes, approves or activates: a person signs the set, and a person approves the
rollout. All of it follows from the candidates' folders, the registry and the rollouts, so a restart
neither forgets a candidate nor proposes it twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import structlog

from appliance.learning.record import RunVerdict, data_of, quality_record, read_verdict
from contracts.errors import ConflictError, TallymanError
from ota.registry.records import SetRecord, SetState
from ota.registry.registry import Told
from ota.rollout.plan import Plan
from ota.rollout.state import Rollout

BY = "learning"
"""Who proposes and drafts: no person, so that any person may be the second."""
READ = "read"
_LOOK_EVERY_S = 60.0
Then = Literal["nothing", "propose", "shadow"]

log = structlog.get_logger(__name__)


class Catalogue(Protocol):
    """What the loop asks of the registry's catalogue. Calls block."""

    def find(self, digest: str) -> SetRecord | None: ...


class Proposes(Protocol):
    """appliance.ota.registry.desk.RegistryDesk. Raises TallymanErrors."""

    def propose(self, folder: Path, *, by: str, told: Told | None = None) -> SetRecord: ...


class Drafts(Protocol):
    """appliance.ota.rollouts.RolloutDesk. Raises TallymanErrors."""

    def draft(self, plan: Plan, *, by: str) -> Rollout: ...

    def rollouts(self) -> Sequence[Rollout]: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A publishable candidate of the recipe: its set's folder and its verdict."""

    folder: Path
    verdict: RunVerdict


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of one candidate. `trouble` says why it is not proposed, in words."""

    candidate: str
    version: str
    state: SetState | None = None
    rollout: str = ""
    trouble: str = ""


class Closing:
    """Start `run` as a side job."""

    def __init__(
        self,
        candidates: Path,
        catalogue: Catalogue,
        desk: Proposes,
        rollouts: Drafts,
        *,
        then: Then,
        zone: str = "UTC",
    ) -> None:
        """`candidates` is the folder where runs leave theirs."""
        self._candidates = candidates
        self._catalogue = catalogue
        self._desk = desk
        self._rollouts = rollouts
        self._then = then
        self._zone = zone
        self._told: set[str] = set()
        self.closed: tuple[Closed, ...] = ()
        """What the last look found, newest version last."""

    async def run(self) -> None:
        """Look every minute. Until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> tuple[Closed, ...]:
        """Do what is due for each candidate. Blocks; never raises for one that is refused."""
        if self._then != "nothing":
            self.closed = tuple(self._close(each) for each in publishable(self._candidates))
        return self.closed

    def _close(self, candidate: Candidate) -> Closed:
        verdict = candidate.verdict
        try:
            record = self._catalogue.find(verdict.candidate) or self._propose(candidate)
            rollout = self._draft(record) if self._then == "shadow" else ""
        except (TallymanError, OSError) as error:
            if verdict.candidate not in self._told:
                log.warning("candidate_not_proposed", version=verdict.version, why=str(error))
            self._told.add(verdict.candidate)
            return Closed(verdict.candidate, verdict.version, trouble=str(error))
        return Closed(verdict.candidate, verdict.version, record.state, rollout)

    def _propose(self, candidate: Candidate) -> SetRecord:
        verdict = candidate.verdict
        base = verdict.current if self._catalogue.find(verdict.current) is not None else ""
        told = Told(
            base=base,
            data=data_of(verdict),
            made_by=f"recipe, run {candidate.folder.name}",
            why="the learning loop's verdict: publishable",
            quality=quality_record(verdict),
        )
        record = self._desk.propose(candidate.folder / "set", by=BY, told=told)
        if record.digest != verdict.candidate:
            raise ConflictError(
                f"{candidate.folder} holds another set than its verdict judged",
                mend="Withdraw the proposal and remove the folder",
            )
        log.info("candidate_proposed", version=verdict.version, model_set=record.digest)
        return record

    def _draft(self, record: SetRecord) -> str:
        """The rollout of a set that a person published; drafted once, whatever became of it."""
        if record.state is not SetState.PUBLISHED:
            return ""
        for each in self._rollouts.rollouts():
            if each.plan.candidate == record.digest:
                return each.rollout
        why = f"learned from settled cartons: {record.name} {record.version}"
        plan = Plan(READ, record.digest, why=why, shadow=True, zone=self._zone)
        drafted = self._rollouts.draft(plan, by=BY)
        log.info("rollout_drafted", rollout=drafted.rollout, model_set=record.digest)
        return drafted.rollout


def publishable(candidates: Path) -> Iterator[Candidate]:
    """Candidates with a verdict that lets them be published, oldest first by their folder's name.
    What is not readable is no candidate.
    """
    for file in sorted(candidates.glob("*/verdict.json")):
        try:
            verdict = read_verdict(file.read_bytes())
        except (TallymanError, OSError) as error:
            log.warning("verdict_unreadable", file=str(file), why=str(error))
            continue
        if verdict.publishable:
            yield Candidate(file.parent, verdict)
