"""The registry: which model sets there are, which of them may run, and their bytes (I3, I5).

One door for pages, commands, the learning loop and the director. What a set must show is decided in
`gate` and `decisions`; here is the order in which things become durable: bytes, then the record,
then the signature, then the record's word that it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import Signer

from contracts.clock import Clock
from contracts.errors import NotFoundError
from contracts.reason import Reason
from ota.model_set import MANIFEST, ModelSet, open_model_set
from ota.publishing import LicenceDecision
from ota.registry import decisions
from ota.registry.artefacts import Artefacts, DeltaName
from ota.registry.decisions import PublishPolicy
from ota.registry.deltas import make_deltas
from ota.registry.describe import describe
from ota.registry.gate import findings
from ota.registry.plane.image_plane import ImagePlane
from ota.registry.ports import Catalogue, DeltaMaker, GoldenTest
from ota.registry.records import Approval, Deed, GoldenResult, SetEvent, SetRecord, SetState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever proposes a set says of it, beside what its files say."""

    base: str = ""
    """Digest of the set it was made from; empty: the newest published one of its lane and name."""
    data: str = ""
    made_by: str = ""
    why: str = ""
    quality: str = ""
    """Its quality record (TOML), where the folder has no quality.toml."""
    decision: LicenceDecision | None = None


class Registry:
    """Methods block; every error is one of contracts.errors."""

    def __init__(
        self,
        catalogue: Catalogue,
        artefacts: Artefacts,
        plane: ImagePlane,
        *,
        clock: Clock,
        policy: PublishPolicy | None = None,
        golden: GoldenTest | None = None,
        delta: DeltaMaker | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.artefacts = artefacts
        self.plane = plane
        self.policy = policy or PublishPolicy()
        self._clock = clock
        self._golden = golden
        self._delta = delta

    def sets(self, *, lane: str = "", state: SetState | None = None) -> Sequence[SetRecord]:
        """Newest proposal first."""
        return self.catalogue.all(lane=lane, state=state)

    def get(self, digest: str) -> SetRecord:
        """Raises NotFoundError."""
        record = self.catalogue.find(digest)
        if record is None:
            raise NotFoundError(
                f"No model set {digest[:19]} is known here", mend="tallyman ota sets lists them"
            )
        return record

    def find(self, wanted: str) -> SetRecord:
        """By digest, the beginning of one (8 digits at least), or NAME@VERSION.

        Raises NotFoundError where none or more than one fits.
        """
        name, at, version = wanted.partition("@")
        start = wanted.removeprefix("sha256:")
        fitting = [
            each
            for each in self.sets()
            if (at and (each.name, each.version) == (name, version))
            or (len(start) >= _LEAST_DIGITS and each.hex.startswith(start))
        ]
        if len(fitting) != 1:
            raise NotFoundError(
                f"{len(fitting)} model sets fit {wanted[:80]!r}",
                mend="Name one by digest or NAME@VERSION (tallyman ota sets lists them)",
            )
        return fitting[0]

    def assignable(self, digest: str, lane: str) -> SetRecord:
        """For the director: the set, where boxes may be told to run it.

        Raises NotFoundError, ArtefactRefusedError with why not.
        """
        record = self.get(digest)
        decisions.check_assignable(record, lane)
        return record

    def published(self, lane: str = "") -> Sequence[SetRecord]:
        """What may be assigned, newest first."""
        return self.sets(lane=lane, state=SetState.PUBLISHED)

    @property
    def snapshot_version(self) -> int:
        """For contracts.ota.Assignment.least_snapshot; 0 before the plane was founded."""
        return self.plane.snapshot_version if self.plane.founded else 0

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]:
        """The audit trail, newest first."""
        return self.catalogue.events(digest=digest, most=most)

    def propose(self, folder: Path, *, by: str, told: Told | None = None) -> SetRecord:
        """Take a set in: its files are kept, what speaks against it is noted. Known already: its
        record as it stands. Nothing of it runs anywhere before `publish`.

        Raises ArtefactRefusedError for a folder that does not open whole, BadInputError for a kind,
        name or version that cannot be, ConflictError for a version that is taken.
        """
        told = told or Told()
        model_set = open_model_set(folder)
        known = self.catalogue.find(model_set.digest)
        if known is not None:
            return known
        base = self._base(told.base, model_set)
        record = describe(
            model_set,
            base=base.digest if base else "",
            data=told.data,
            made_by=told.made_by or by,
        )
        record = replace(
            record,
            quality=record.quality or told.quality,
            licence_decision=told.decision,
            golden=self._golden_results(model_set),
            proposed_by=by,
            proposed_at_us=self._now_us(),
        )
        record = replace(record, findings=findings(record, base))
        self._keep_files(model_set, record)
        return self.catalogue.add(record, self._event(Deed.PROPOSED, record, by, told.why))

    def objections(self, record: SetRecord) -> tuple[Reason, ...]:
        """Everything that still keeps a proposed set from being published, for a page."""
        return decisions.objections(record, self.policy)

    def decide_licence(self, digest: str, decision: LicenceDecision) -> SetRecord:
        """A person's recorded yes to a licence that obliges others. Raises NotFoundError,
        ConflictError where it is about another set or licence.
        """
        return self.catalogue.change(
            digest,
            lambda record: decisions.licence_decided(record, decision),
            SetEvent(
                Deed.LICENCE_DECIDED, digest, decision.decided_by, self._now_us(), decision.reason
            ),
        )

    def approve(self, digest: str, *, by: str, reason: str) -> SetRecord:
        """A second person's yes. Raises NotFoundError, ForbiddenError, ConflictError, BadInputError."""
        reason = decisions.check_reason(reason)
        self.get(digest)
        approval = Approval(by, self._now_us(), reason)
        return self.catalogue.change(
            digest,
            lambda record: decisions.approved(record, approval),
            SetEvent(Deed.APPROVED, digest, by, approval.at_us, reason),
        )

    def publish(self, digest: str, *, by: str, signer: Signer, why: str = "") -> SetRecord:
        """Sign a proposed set into the image plane with its lane's key.

        Asked again after a crash in between, it ends what was begun. Raises NotFoundError,
        ArtefactRefusedError (the gate, a wrong key), ForbiddenError (second person), ConflictError,
        UnavailableError (no plane yet).
        """
        record = self.get(digest)
        decisions.check_may_be_published(record, self.policy)
        manifest = self.artefacts.get(record.hex)
        self.plane.add(record.lane, record.target, manifest, _custom(record), signer)
        at_us = self._now_us()
        return self.catalogue.change(
            digest,
            lambda now: decisions.published(now, self.policy, by=by, at_us=at_us),
            SetEvent(Deed.PUBLISHED, digest, by, at_us, why),
        )

    def make_deltas(self, digest: str) -> Sequence[DeltaName]:
        """Ways to a published set from the newest earlier ones; boxes do without where there is
        none. Raises NotFoundError, ArtefactRefusedError, UnavailableError.
        """
        if self._delta is None:
            return ()
        record = self.get(digest)
        return make_deltas(self.artefacts, record, self.published(record.lane), self._delta)

    def withdraw(
        self, digest: str, *, by: str, reason: str, signer: Signer | None = None
    ) -> SetRecord:
        """Never assign it again. With the lane's key it leaves the image plane too; without one the
        record says so (`signed_out`) until somebody asks again with the key.

        Raises NotFoundError, BadInputError, ConflictError.
        """
        record = self.get(digest)
        if record.state is not SetState.WITHDRAWN or signer is None or record.signed_out:
            reason = decisions.check_reason(reason)
            at_us = self._now_us()
            record = self.catalogue.change(
                digest,
                lambda now: decisions.withdrawn(
                    now, by=by, at_us=at_us, why=reason, named=self._is_named(now)
                ),
                SetEvent(Deed.WITHDRAWN, digest, by, at_us, reason),
            )
        if signer is None or record.signed_out:
            return record
        self.plane.remove(record.lane, record.target, signer)
        return self.catalogue.change(
            digest,
            lambda now: replace(now, signed_out=True),
            SetEvent(Deed.SIGNED_OUT, digest, by, self._now_us()),
        )

    def note_golden(self, digest: str, result: GoldenResult) -> SetRecord:
        """A golden-frame result that came later, of another engine for one. Raises NotFoundError."""
        why = f"{result.engine}: {result.alike} of {result.frames}"
        return self.catalogue.change(
            digest,
            lambda record: decisions.proved(record, result),
            SetEvent(Deed.PROVED, digest, result.by, result.at_us, why),
        )

    def _is_named(self, record: SetRecord) -> bool:
        return self.plane.founded and record.target in self.plane.targets(record.lane)

    def _base(self, wanted: str, model_set: ModelSet) -> SetRecord | None:
        if wanted:
            return self.get(wanted)
        named = [each for each in self.published() if each.name == model_set.name]
        return max(named, key=lambda each: each.published_at_us, default=None)

    def _golden_results(self, model_set: ModelSet) -> tuple[GoldenResult, ...]:
        result = self._golden(model_set) if self._golden is not None else None
        return (result,) if result is not None else ()

    def _keep_files(self, model_set: ModelSet, record: SetRecord) -> None:
        for each in record.files:
            self.artefacts.put_file(each.sha256, model_set.folder / each.path)
        self.artefacts.put_file(record.hex, model_set.folder / MANIFEST)

    def _event(self, deed: Deed, record: SetRecord, by: str, why: str) -> SetEvent:
        return SetEvent(deed, record.digest, by, self._now_us(), why)

    def _now_us(self) -> int:
        return (self._clock.now() - _EPOCH) // timedelta(microseconds=1)


_LEAST_DIGITS = 8


def _custom(record: SetRecord) -> Mapping[str, object]:
    """What the image plane says of a set beside its hash."""
    return {
        "kind": record.kind,
        "licence": record.licence,
        "bytes": record.total_bytes,
        "base": record.lineage.base,
    }
