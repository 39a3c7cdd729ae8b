"""What this station knows of the batches it judges: under which profile, and how many were defective.

Folded from the journal's verdicts, so a restart knows what the run before knew (I3, I6):
- A batch stays with the profile that its first carton was judged under, also when a newer one is
  signed meanwhile, until its pin says otherwise: what was counted under another judge or generation
  is void then. A station opens no generation.
- A carton whose label was not read for sure belongs to no batch: of each product the session's first
  profile judges such cartons.
- A batch is counted from cartons read for sure and judged under its own profile and networks. What was in doubt
  (light, a hand in view) counts neither way, and neither does what came while the batch was held. A
  freeze uses up what it was founded on: after a release, another one takes new evidence.
- Drift is told only after some pictures of it, and they may have counted as defective: what was counted
  under a profile is void once its verdicts are suspended. Holds of single cartons stay (I7).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from contracts.events import CartonJudged
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Watermark
from contracts.reading import ReadDecision
from contracts.stock import BatchKey
from vision.defects.drift import DRIFTED


@dataclass(frozen=True, slots=True)
class Counted:
    """Cartons of one batch judged under `profile`, its digest, by `model_set`: a profile's own
    networks, or a detector's. `judge` and `generation` are their watermark's; `judge` is empty for
    verdicts older than watermarks.
    """

    profile: str
    model_set: str = ""
    judged: int = 0
    defective: int = 0
    judge: str = ""
    generation: int = 1

    def anew(self) -> Counted:
        return replace(self, judged=0, defective=0)

    def under(self, seen: Inspection, mark: Watermark | None) -> Counted:
        """As it goes on with a verdict under `mark`: anew where that is the batch's pin and another
        judge's or a later generation's.
        """
        if mark is None or mark.provisional or mark.generation < self.generation:
            return self
        if (self.judge, self.generation) == (mark.judge, mark.generation):
            return self
        same = (self.profile, self.model_set) == (seen.profile, seen.model_set)
        if not self.judge and same and mark.generation == self.generation:
            return replace(self, judge=mark.judge)
        return began(seen, mark)


def began(seen: Inspection, mark: Watermark | None) -> Counted:
    """A batch with nothing counted yet."""
    fresh = Counted(seen.profile, seen.model_set)
    return replace(fresh, judge=mark.judge, generation=mark.generation) if mark else fresh


@dataclass(slots=True)
class BatchBook:
    """`seq` is the journal entry up to which everything is folded in."""

    seq: int = 0
    session: str | None = None
    _batches: dict[BatchKey, Counted] = field(default_factory=dict)
    _products: dict[str, str] = field(default_factory=dict)
    """Of the session: by GTIN, the digest that judges cartons of no sure batch."""

    def of(self, batch: BatchKey | None) -> Counted | None:
        """None for a batch that nothing was judged of."""
        return self._batches.get(batch) if batch is not None else None

    def counting(
        self, batch: BatchKey, seen: Inspection | None, mark: Watermark | None = None
    ) -> Counted | None:
        """The batch with one more carton counted in; None where the carton counts neither way."""
        if seen is None or seen.decision is InspectDecision.REVIEW:
            return None
        counted = self._of(batch, seen, mark)
        if (counted.profile, counted.model_set) != (seen.profile, seen.model_set):
            return None
        defect = seen.decision is InspectDecision.DEFECT
        return replace(counted, judged=counted.judged + 1, defective=counted.defective + defect)

    def pin(self, batch: BatchKey | None, *, session: str | None, gtin: str) -> str:
        """The digest that must judge a carton; empty where any may. `batch` is None for a carton
        that was not read for sure.
        """
        if batch is None:
            return self._products.get(gtin, "") if session == self.session else ""
        known = self._batches.get(batch)
        return known.profile if known else ""

    def take(self, body: CartonJudged, seq: int) -> None:
        """Fold one durable verdict in; entries come in their order, a known one changes nothing."""
        if seq <= self.seq:
            return
        self.seq = seq
        if body.session != self.session:
            self.session = body.session
            self._products.clear()
        seen = body.inspection
        if seen is None or not seen.profile:
            return
        if any(reason.code == DRIFTED for reason in seen.reasons):
            self._void(seen.profile)
        batch = sure_batch(body)
        if batch is None:
            gtin = _product(body)
            if gtin:
                self._products.setdefault(gtin, seen.profile)
            return
        known = self._batches[batch] = self._of(batch, seen, body.under)
        if body.verdict.freezes == batch:
            self._batches[batch] = known.anew()
        elif not any(reason.code == "batch_held" for reason in body.verdict.reasons):
            self._batches[batch] = self.counting(batch, seen, body.under) or known

    def _of(self, batch: BatchKey, seen: Inspection, mark: Watermark | None) -> Counted:
        known = self._batches.get(batch)
        return known.under(seen, mark) if known else began(seen, mark)

    def _void(self, profile: str) -> None:
        for batch, counted in self._batches.items():
            if counted.profile == profile and counted.judged:
                self._batches[batch] = counted.anew()

    def to_bytes(self) -> bytes:
        """For `from_bytes`: a shorter way to the same book than reading the whole journal."""
        return msgspec.json.encode(
            _Stored(
                self.seq,
                self.session,
                [(key, counted) for key, counted in self._batches.items()],
                self._products,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> BatchBook:
        """Raises msgspec.MsgspecError for what is no book."""
        stored = msgspec.json.decode(data, type=_Stored)
        return cls(stored.seq, stored.session, dict(stored.batches), stored.products)


class _Stored(msgspec.Struct):
    seq: int
    session: str | None
    batches: list[tuple[BatchKey, Counted]]
    products: dict[str, str]


def sure_batch(body: CartonJudged) -> BatchKey | None:
    """The batch of a carton whose label was read for sure and stands on the list."""
    reading = body.reading
    sure = reading is not None and reading.decision is ReadDecision.ACCEPT
    return body.verdict.batch if sure and body.verdict.asn_line is not None else None


def _product(body: CartonJudged) -> str:
    if body.verdict.batch is not None:
        return body.verdict.batch.gtin
    gtin = body.reading.fields.gtin if body.reading else None
    return gtin.value if gtin else ""
