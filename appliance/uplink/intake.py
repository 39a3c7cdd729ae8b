"""The hub's device port, part two: entries, pictures, expectations (I2, I4).

Rules: nothing is acknowledged before the core holds it durably; entries of one device are applied
in order and one request at a time; an entry whose pictures are not here yet is not applied, unless
the device says that it lost them; a device whose log contradicts itself is quarantined and what it
sent is kept. An alarm that cannot be applied for its own sake is set aside with its reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from appliance.evidence import EvidenceStore
from appliance.identity.api import with_etag
from appliance.identity.gate import DeviceGate, SignedRequest
from appliance.identity.registry import DeviceRegistry
from appliance.identity.requests import QuarantinedError
from appliance.identity.site_ca import SiteCa
from appliance.journal.codec import UnknownKindError, decode_body
from appliance.journal.heads import Countersigned, Head, countersign
from appliance.journal.stamp import to_us
from appliance.uplink import wire
from appliance.uplink.chain import BrokenChainError, check_batch
from appliance.uplink.ports import Applied, AppliesEntries, OnApplied
from contracts.clock import Clock
from contracts.errors import (
    BadInputError,
    ConflictError,
    JournalBrokenError,
    JournalError,
    TallymanError,
    UnavailableError,
)
from contracts.events import KIND_OF, EventBody, JournalEntry
from contracts.telemetry import AlarmChanged

_log = logging.getLogger(__name__)
_SMALL = 64 << 10
_STATION = 120
_BUSY_S = 2.0
_ALARM = KIND_OF[AlarmChanged]
_NOT_ITS_FAULT = (JournalError, UnavailableError, UnknownKindError)
_TRIES = 3
"""A database may have a bad moment of its own."""


class EvidenceMissingError(ConflictError):
    """Pictures named by entries are not here; data has `missing`, their hashes."""

    code = "evidence_missing"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What of a batch was applied, and what stopped it before its end."""

    applied: tuple[tuple[JournalEntry, EventBody, Applied], ...]
    stopped_by: TallymanError | None


@dataclass(frozen=True, slots=True)
class _Taken:
    """The head that is durable in the core, and what took effect on the way to it."""

    head: Countersigned
    applied: tuple[tuple[JournalEntry, EventBody, Applied], ...]


def router(
    core: AppliesEntries,
    *,
    registry: DeviceRegistry,
    evidence: EvidenceStore,
    ca: SiteCa,
    clock: Clock,
    on_applied: OnApplied | None = None,
) -> APIRouter:
    """POST /device/v1/entries, PUT /device/v1/evidence/{sha256}, GET /device/v1/expectations?station=.

    `on_applied` is told of each entry that took effect, in order, for live views and bridges;
    what it raises is logged, for the entry stands.
    """
    routes = APIRouter(prefix="/device/v1", include_in_schema=False)
    gate = DeviceGate(registry, clock)
    intake = _Intake(core, registry, evidence, ca, clock, on_applied)

    @routes.post("/entries")
    async def entries(request: Request) -> Response:
        signed = await gate.admit(request, limit_bytes=wire.MOST_BATCH_BYTES, writes=True)
        taken = await intake.take(signed)
        return Response(
            msgspec.json.encode(wire.Ack(taken.head)),
            media_type="application/json",
            # The device's next entry waits for the answer, not for those who watch.
            background=BackgroundTask(intake.pass_on, taken),
        )

    @routes.put("/evidence/{sha256}")
    async def picture(request: Request, sha256: str) -> Response:
        signed = await gate.admit(request, limit_bytes=wire.MOST_EVIDENCE_BYTES, writes=True)
        evidence.path(sha256)
        stored = await asyncio.to_thread(evidence.put, signed.body)
        if stored != sha256:
            raise BadInputError(
                f"these bytes have the hash {stored}, not {sha256}", mend="Send the picture again"
            )
        return Response(status_code=204)

    @routes.get("/expectations")
    async def expectations(
        request: Request, station: Annotated[str, Query(max_length=_STATION)] = ""
    ) -> Response:
        await gate.admit(request, limit_bytes=_SMALL)
        known = await asyncio.to_thread(core.expectations, station or None)
        return with_etag(request, msgspec.json.encode(known))

    return routes


class _Intake:
    def __init__(
        self,
        core: AppliesEntries,
        registry: DeviceRegistry,
        evidence: EvidenceStore,
        ca: SiteCa,
        clock: Clock,
        on_applied: OnApplied | None,
    ) -> None:
        self._core = core
        self._registry = registry
        self._evidence = evidence
        self._ca = ca
        self._clock = clock
        self._on_applied = on_applied
        self._failing: dict[str, tuple[int, int]] = {}
        """Number of an entry that could not be applied, and how often it came, by device."""
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._telling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, signed: SignedRequest) -> _Taken:
        """Apply a batch; gives the head that is durable then. Raises what stopped it."""
        try:
            batch = wire.BATCH.decode(signed.body)
        except msgspec.MsgspecError as error:
            raise BadInputError(f"not a batch of entries: {error}", mend="Update both") from error
        if len(batch.entries) > wire.MOST_ENTRIES:
            raise BadInputError("too many entries at once", mend=f"Send {wire.MOST_ENTRIES}")
        device = signed.device.device
        async with self._one_at_a_time[device]:
            try:
                outcome = await asyncio.to_thread(self._apply, signed, batch)
            except BrokenChainError as error:
                raise await self._quarantine(signed, error.message) from error
            if isinstance(outcome.stopped_by, JournalBrokenError):
                raise await self._quarantine(signed, outcome.stopped_by.message)
            # What was applied is acknowledged; the next request meets the obstacle first.
            if outcome.stopped_by is not None and not outcome.applied:
                raise outcome.stopped_by
            head = await asyncio.to_thread(self._countersign, device)
            return _Taken(head, outcome.applied)

    async def pass_on(self, taken: _Taken) -> None:
        """After the answer: keep the head, tell `on_applied` in order."""
        async with self._telling[taken.head.device]:
            for entry, body, applied in taken.applied:
                await self._tell(entry, body, applied)
            await asyncio.to_thread(self._registry.keep_head, taken.head)

    def _apply(self, signed: SignedRequest, batch: wire.Batch) -> _Outcome:
        device = signed.device
        seq, digest = self._core.device_head(device.device)
        check_batch(
            batch.entries,
            device=device.device,
            key=device.public_key,
            head=Head(seq, digest),
        )
        self._check_pictures([e for e in batch.entries if e.seq > seq], batch.absent)
        applied: list[tuple[JournalEntry, EventBody, Applied]] = []
        until = time.monotonic() + _BUSY_S
        for entry in batch.entries:
            # A busy core acknowledges a part in time rather than all of it too late.
            if applied and time.monotonic() > until:
                break
            try:
                body = decode_body(entry.kind, entry.body)
                result = self._core.apply(entry, body)
            except TallymanError as error:
                if isinstance(error, UnknownKindError):
                    _log.warning("entry_of_unknown_kind", extra={"kind": entry.kind})
                if not self._goes_past(entry, error):
                    return _Outcome(tuple(applied), error)
                continue
            except Exception as error:
                # Whatever is wrong with it: what was applied before it is acknowledged.
                if not self._goes_past(entry, error):
                    if applied:
                        return _Outcome(tuple(applied), None)
                    raise
                continue
            if not result.duplicate:
                applied.append((entry, body, result))
        return _Outcome(tuple(applied), None)

    def _goes_past(self, entry: JournalEntry, error: Exception) -> bool:
        """Whether the log goes on behind an entry that cannot be applied. Alarms only, after some
        tries; a carton's verdict waits until somebody has mended what is wrong, since goods depend
        on it, and so does what a newer software wrote.
        """
        if entry.kind != _ALARM or isinstance(error, _NOT_ITS_FAULT):
            return False
        seq, times = self._failing.get(entry.device, (0, 0))
        times = times + 1 if seq == entry.seq else 1
        self._failing[entry.device] = (entry.seq, times)
        if times < _TRIES:
            return False
        why = f"{type(error).__name__}: {error}"
        _log.error(
            "entry_set_aside", extra={"device": entry.device, "seq": entry.seq, "why": why[:300]}
        )
        self._core.set_aside(entry, why)
        return True

    def _check_pictures(self, entries: Sequence[JournalEntry], absent: Sequence[str]) -> None:
        named = {sha256 for entry in entries for sha256 in wire.pictures_of(entry)}
        missing = [sha for sha in sorted(named - set(absent)) if not self._evidence.has(sha)]
        if missing:
            raise EvidenceMissingError(
                f"{len(missing)} pictures that these entries name are not here",
                mend="Send them first, or say that they are lost",
                missing=missing,
            )

    def _countersign(self, device: str) -> Countersigned:
        seq, digest = self._core.device_head(device)
        return countersign(
            self._ca.head_signer.sign,
            device=device,
            head=Head(seq, digest),
            at_us=to_us(self._clock.now()),
        )

    async def _tell(self, entry: JournalEntry, body: EventBody, applied: Applied) -> None:
        if self._on_applied is None:
            return
        try:
            await self._on_applied(entry, body, applied)
        except Exception:  # noqa: BLE001 -- views fail in their own ways, and the entry stands
            _log.exception("on_applied_failed", extra={"device": entry.device, "seq": entry.seq})

    async def _quarantine(self, signed: SignedRequest, why: str) -> QuarantinedError:
        device = signed.device.device
        kept = await asyncio.to_thread(self._evidence.put, signed.body)
        await asyncio.to_thread(self._registry.quarantine, device, why, kept_sha256=kept)
        _log.error("device_quarantined", extra={"device": device, "why": why, "kept": kept})
        return QuarantinedError(
            f"{device} is quarantined: {why}",
            mend="Look into it at the hub and readmit or revoke the device",
            kept_sha256=kept,
        )
