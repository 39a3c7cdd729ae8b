"""The uplink of a device: its journal to the hub, the hub's expectations to the station (I2, I6).

Rules: an entry counts as sent when the hub's countersigned head says so and names our own entry;
pictures go before the entries that name them; whatever fails is tried again, for ever, with
jittered back-off; an append wakes the sender at once. Losing this process loses nothing: it starts
again from the last countersigned head.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import msgspec

from appliance.accounts.session import AccountFacts
from appliance.evidence import EvidenceStore
from appliance.identity.certificates import HEAD_URI, certified_key
from appliance.identity.device import DeviceIdentity
from appliance.identity.facts import SiteFacts
from appliance.identity.upkeep.renewal import Renewal
from appliance.journal.heads import Countersigned, is_genuine
from appliance.journal.journal import Journal
from appliance.learning.shipping import ExampleUpload
from appliance.ota.pins_port import PINS_PATH, Asked, AskPins, TellPins
from appliance.uplink import wire
from appliance.uplink.backoff import Backoff
from appliance.uplink.client import HubClient, HubRefusedError
from appliance.uplink.known import Known
from appliance.uplink.pictures import PictureUpload
from contracts.asn import Expectations
from contracts.clock import Clock
from contracts.errors import ForbiddenError, JournalError, TallymanError, UnavailableError
from contracts.events import JournalEntry
from contracts.judging import Pin, SessionPin
from contracts.stock import BatchKey

_log = logging.getLogger(__name__)
_BATCH = 200
_BATCH_BYTES = 4 << 20
_SITE_EVERY_S = 5.0


class Inbox(Protocol):
    async def ask(self, hub: HubClient) -> None:
        """Ask for what is new and take it over. Raises UnavailableError, HubRefusedError."""
        ...


class Uplink:
    """Start `run()` as a job; read `online`, `lag`, `trouble` and `expectations` at any time."""

    def __init__(
        self,
        journal: Journal,
        evidence: EvidenceStore,
        hub_url: str,
        identity: DeviceIdentity,
        *,
        folder: Path,
        clock: Clock,
        poll_s: float = 1.0,
        most_backoff_s: float = 5.0,
        examples: ExampleUpload | None = None,
        station: str = "",
    ) -> None:
        """`station` is whose dock the hub is asked about; `examples` are sent while nothing else waits (appliance.learning)."""
        self._journal = journal
        self._evidence = evidence
        self._pictures = PictureUpload(evidence)
        self._examples = examples
        self._hub_url = hub_url
        self._identity = identity
        self._poll_s = poll_s
        self._clock = clock
        self._renewal = Renewal(identity, hub_url, clock, on_renewed=self._keep_certificate)
        self._most_backoff_s = most_backoff_s
        self._about = wire.EXPECTATIONS_PATH
        if station:
            self._about += f"?station={quote(station, safe='')}"
        self._expectations = Known(folder / "expectations.json", Expectations, Expectations())
        self._site = Known(folder / "site.json", SiteFacts, SiteFacts())
        head = journal.last_countersigned()
        self._acked = min(head.seq, journal.head().seq) if head else 0
        self._synced = False
        self._wake = asyncio.Event()
        self._back = asyncio.Event()
        self._taken = asyncio.Event()
        self._news = asyncio.Event()
        self._unkept: tuple[Countersigned, str] | None = None
        self._hub: HubClient | None = None
        self.inbox: Inbox | None = None
        """Asks for the profiles that the quality lead signed (appliance.teaching)."""
        self.online = False
        """The hub answers, and `expectations` are what it said since it last came back."""
        self.trouble = ""
        """Why the hub does not take entries, in words; empty while it does or is just away."""

    @property
    def lag(self) -> int:
        """Entries that the hub has not acknowledged."""
        return max(0, self._journal.head().seq - self._acked)

    @property
    def expectations(self) -> Expectations:
        """The last known ones; from disk after a restart without the hub."""
        return self._expectations.value

    @property
    def account_facts(self) -> AccountFacts:
        """What a SessionVerifier judges by; from disk after a restart without the hub."""
        return self._site.value.accounts

    async def run(self) -> None:
        """Until cancelled. Raises NotSignedInError when the device is not enrolled."""
        loop = asyncio.get_running_loop()
        stop = self._journal.listen(lambda _: _from_thread(loop, self._wake.set))
        if self._identity.certificate_pem:
            await asyncio.to_thread(self._journal.keep_certificate, self._identity.certificate_pem)
        try:
            async with (
                HubClient(self._hub_url, self._identity, self._clock) as hub,
                asyncio.TaskGroup() as jobs,
            ):
                self._hub = hub
                jobs.create_task(self._keep_sending(hub))
                jobs.create_task(self._keep_asking(hub))
                jobs.create_task(self._keep_heads())
                jobs.create_task(self._pictures.ahead(hub, worthwhile=lambda: self.online))
                if self._examples is not None:
                    jobs.create_task(self._examples.run(hub, worthwhile=self._nothing_waits))
        finally:
            self._hub = None
            stop()
            await self._keep_last_head()

    async def ask_pins(
        self,
        batches: Sequence[tuple[BatchKey, Mapping[str, str]]],
        *,
        session: str = "",
        reads: str = "",
    ) -> tuple[Sequence[Pin], SessionPin | None]:
        """Who judges these batches, each with the sets that would judge it here, and what reads the
        labels of `session` (I3). Raises UnavailableError, HubRefusedError.
        """
        hub = self._hub
        if hub is None:
            raise UnavailableError("The hub is not connected", mend="Work goes on provisionally")
        asked = tuple(Asked(batch, dict(parts)) for batch, parts in batches)
        body = msgspec.json.encode(AskPins(asked, session, reads))
        answer = await hub.ask("POST", PINS_PATH, body=body)
        try:
            told = msgspec.json.decode(answer.body, type=TellPins)
        except msgspec.MsgspecError as error:
            raise UnavailableError(
                f"The hub's answer about pins is not understood: {error}", mend="Update both"
            ) from error
        return told.pins, told.reads

    async def _keep_sending(self, hub: HubClient) -> None:
        backoff = Backoff(first_s=0.1, most_s=self._most_backoff_s)
        while True:
            self._wake.clear()
            try:
                more = await self._send_next(hub)
            except (TallymanError, OSError, msgspec.MsgspecError) as error:
                self._failed(error)
                self._back.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(backoff.next_s()):
                        await self._back.wait()
                continue
            backoff.reset()
            self.trouble = ""
            if not more:
                if self._examples is not None:
                    self._examples.wake()
                await self._wake.wait()

    async def _send_next(self, hub: HubClient) -> bool:
        """Send one batch; False when there was nothing to send."""
        entries: tuple[JournalEntry, ...] = ()
        if self._synced:
            stored = await asyncio.to_thread(self._journal.entries, self._acked, _BATCH)
            entries = _fitting(stored)
            if not entries:
                return False
        # The first batch is empty: it asks where the hub stands, which may have been restored
        # from a backup older than the last head it gave us.
        named = dict.fromkeys(s for entry in entries for s in wire.pictures_of(entry))
        absent = await self._pictures.send(hub, named)
        body = msgspec.json.encode(wire.Batch(entries, absent))
        try:
            answer = await hub.ask("POST", wire.ENTRIES_PATH, body=body)
        except HubRefusedError as error:
            await self._mend(error)
            raise
        await self._take(msgspec.json.decode(answer.body, type=wire.Ack).head, entries)
        self._synced = True
        if entries:
            # A verdict may have frozen its batch: the next carton should be judged by that.
            self._news.set()
        return True

    async def _mend(self, error: HubRefusedError) -> None:
        """What the next try should do otherwise; it comes after the back-off."""
        expected, missing = error.fields.get("expected"), error.fields.get("missing")
        if error.problem == "gap" and isinstance(expected, int):
            self._acked = max(0, min(expected - 1, self._journal.head().seq))
        elif error.problem == "evidence_missing" and isinstance(missing, list):
            for sha256 in missing:
                await asyncio.to_thread(self._evidence.forget_uploaded, str(sha256))

    async def _take(self, head: Countersigned, sent: Sequence[JournalEntry]) -> None:
        """Believe an acknowledgement: genuine, about us, and naming our own entry."""
        key = certified_key(
            self._identity.head_certificate_pem or "",
            self._identity.ca_pem or "",
            uri=HEAD_URI,
        )
        if key is None or head.device != self._identity.device or not is_genuine(head, key):
            raise ForbiddenError(
                "The hub's countersignature does not hold", mend="Check the hub's address"
            )
        if head.seq > 0:
            own = [entry for entry in sent if entry.seq == head.seq]
            own = own or await asyncio.to_thread(self._journal.entries, head.seq - 1, 1)
            if not own or own[0].seq != head.seq or own[0].hash != head.hash:
                raise JournalError(
                    f"the hub holds an entry {head.seq} that is not in this journal",
                    mend="The journal was cut or restored: keep the file, enrol under a new id",
                )
        self._acked = head.seq
        if head.seq > 0:
            self._unkept = (head, self._identity.head_certificate_pem or "")
            self._taken.set()

    async def _keep_heads(self) -> None:
        """Store the newest head beside the sending: the next entry need not wait for the disk."""
        while True:
            await self._taken.wait()
            self._taken.clear()
            await self._keep_last_head()

    async def _keep_last_head(self) -> None:
        unkept = self._unkept
        if unkept is None:
            return
        try:
            await asyncio.to_thread(self._journal.keep_head, *unkept)
        except JournalError as error:
            # A full disk loses a proof, not the fact: sending goes on.
            self._failed(error)
        # Only now: a run that is cancelled in between stores it at its end.
        if self._unkept is unkept:
            self._unkept = None

    async def _keep_asking(self, hub: HubClient) -> None:
        backoff = Backoff(first_s=0.1, most_s=self._most_backoff_s)
        loop = asyncio.get_running_loop()
        site_due = loop.time()
        while True:
            self._news.clear()
            try:
                await self._ask_expectations(hub)
                if loop.time() >= site_due:
                    await self._ask_site(hub)
                    if self.inbox is not None:
                        await self.inbox.ask(hub)
                    site_due = loop.time() + _SITE_EVERY_S
            except (TallymanError, OSError, msgspec.MsgspecError) as error:
                self._failed(error, shown=False)
                await self._renewal.after(error)
                self.trouble = self._renewal.waits or self.trouble
                await asyncio.sleep(backoff.next_s())
            else:
                backoff.reset()
                self._reached()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await self._news.wait()

    async def _ask_expectations(self, hub: HubClient) -> None:
        answer = await hub.ask("GET", self._about, etag=self._expectations.etag)
        if not answer.body:
            return
        await asyncio.to_thread(self._expectations.replace, answer.body, answer.etag)

    async def _ask_site(self, hub: HubClient) -> None:
        answer = await hub.ask("GET", wire.SITE_PATH, etag=self._site.etag)
        if answer.body:
            await asyncio.to_thread(self._site.replace, answer.body, answer.etag)
        site = self._site.value
        await asyncio.to_thread(self._identity.keep_door, site.door_port)
        await self._renewal.keep(hub, head_certificate_pem=site.head_certificate_pem)

    async def _keep_certificate(self, pem: str) -> None:
        await asyncio.to_thread(self._journal.keep_certificate, pem)

    def _nothing_waits(self) -> bool:
        return self.online and self._synced and self.lag == 0 and not self._pictures.busy

    def _reached(self) -> None:
        if not self.online:
            self.online = True
            self._back.set()

    def _failed(self, error: Exception, *, shown: bool = True) -> None:
        if isinstance(error, UnavailableError):
            if self.online:
                _log.warning("hub_away", extra={"why": str(error)})
            self.online = False
            return
        _log.error("uplink_trouble", extra={"why": str(error)})
        if shown:
            self.trouble = str(error)


def _fitting(entries: Sequence[JournalEntry]) -> tuple[JournalEntry, ...]:
    """The first of `entries` that fit into one request; at least one."""
    size, count = 0, 0
    for entry in entries:
        size += len(entry.body) + 600
        if count and size > _BATCH_BYTES:
            break
        count += 1
    return tuple(entries[:count])


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # The journal may outlive the loop by a commit at the end of the process.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
