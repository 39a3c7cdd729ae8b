"""What a gateway knows of its sensors: the last bundle that held, and what was made of it (I5, I6).

A new bundle is checked whole before anything of it takes effect: its signature, the book with its
templates, each fence. Then it is kept on disk, and then it takes the place of the old one between
two groups of readings. What cannot be used changes nothing and is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from appliance.durable import write_atomic
from appliance.fences.guard import FenceGuard
from appliance.gateway.bundle import SENSORS_PATH, SensorBundle, read_bundle
from appliance.identity.device import DeviceIdentity
from appliance.layout import Layout
from appliance.uplink.client import HubClient
from contracts.errors import ArtefactRefusedError, TallymanError
from telemetry.describing.catalogue import Catalogue, catalogue_of
from telemetry.ingest.intake import Intake
from telemetry.watching.engine import Engine

log = structlog.get_logger()
_TRIES = 3


def bundle_file(layout: Layout) -> Path:
    return layout.gateway / "bundle.json"


def kept_bundle(layout: Layout, identity: DeviceIdentity) -> SensorBundle:
    """The last bundle that held; an empty one where there is none or it no longer holds."""
    with suppress(FileNotFoundError):
        try:
            return _read(layout, identity)
        except ArtefactRefusedError as error:
            log.warning("kept sensor bundle refused", why=str(error))
    return SensorBundle()


def _read(layout: Layout, identity: DeviceIdentity) -> SensorBundle:
    return read_bundle(
        bundle_file(layout).read_bytes(),
        head_certificate_pem=identity.head_certificate_pem or "",
        ca_pem=identity.ca_pem or "",
    )


class KeptCatalogues:
    """The catalogue by the kept bundle, for the tailer: another one as soon as the file is."""

    def __init__(self, layout: Layout, identity: DeviceIdentity) -> None:
        self._layout, self._identity = layout, identity
        self._stamp: tuple[int, int] | None = None
        self._of: tuple[str, tuple[str, ...]] = ("", ())
        self._catalogue = catalogue_of(b"")

    def current(self) -> Catalogue:
        """Blocks for a look at the file, and where it changed for a moment more. A file that does
        not hold changes nothing: what the gateway accepts it accepts by an earlier one.
        """
        try:
            found = bundle_file(self._layout).stat()
        except FileNotFoundError:
            return self._catalogue
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            self._take()
        return self._catalogue

    def _take(self) -> None:
        try:
            # The other process may have got a new certificate of the hub since this one began.
            identity = DeviceIdentity.open_or_create(self._identity.folder, self._identity.device)
            bundle = _read(self._layout, identity)
            described = (bundle.book, bundle.templates)
            if described != self._of:
                self._catalogue = _catalogue(bundle, self._catalogue)
                self._of = described
        except TallymanError as error:
            log.warning("kept sensor bundle refused", why=str(error))
        except OSError as error:
            self._stamp = None
            log.warning("kept sensor bundle not read", why=str(error))


class Knowledge:
    """Catalogue and rules in force. It is the uplink's inbox: asks for a bundle as the hub is there."""

    def __init__(self, layout: Layout, identity: DeviceIdentity, guard: FenceGuard) -> None:
        """Blocks. Raises BadInputError for a file of the guard that is not ours."""
        self._path = bundle_file(layout)
        self._identity = identity
        self._guard = guard
        self._etag = ""
        self._intake: Intake | None = None
        self.bundle = kept_bundle(layout, identity)
        self.trouble = ""
        """Why the hub's newest bundle is not in force; empty while it is."""
        self.catalogue = _catalogue(self.bundle, None)
        self.engine: Engine | None = None

    def begin(self, now_us: int) -> Engine:
        """The rules, as they stand at the start."""
        self.engine = Engine(
            self._guard.fences(),
            book=self.catalogue.series,
            now_us=now_us,
            whereabouts=self.bundle.whereabouts,
        )
        return self.engine

    def watch_over(self, intake: Intake) -> None:
        """From now on new bundles take effect in this intake."""
        self._intake = intake
        self._acknowledge()

    @property
    def fences(self) -> FenceGuard:
        return self._guard

    async def ask(self, hub: HubClient) -> None:
        """Implements appliance.uplink.sender.Inbox. Raises UnavailableError, HubRefusedError."""
        answer = await hub.ask("GET", SENSORS_PATH, etag=self._etag)
        if not answer.body:
            return
        trouble = ""
        try:
            await self.take(answer.body)
        except TallymanError as error:
            trouble = str(error)
        except OSError as error:
            # The disk may take it the next time.
            self._refused(str(error))
            return
        except Exception as error:
            # Whatever is wrong with it, readings go on by the one in force.
            log.exception("sensor bundle failed")
            trouble = f"{type(error).__name__}: {error}"
        self._refused(trouble)
        # A bundle that does not hold now does not hold in five seconds: it is not asked for again.
        self._etag = answer.etag

    def _refused(self, why: str) -> None:
        if why and why != self.trouble:
            log.warning("sensor bundle refused", why=why)
        self.trouble = why

    async def take(self, raw: bytes) -> None:
        """Put a bundle in force. Raises ArtefactRefusedError, BadInputError, OSError; then the old
        one stands.
        """
        bundle, fences_changed = await asyncio.to_thread(self._check, raw)
        described = (bundle.book, bundle.templates) != (self.bundle.book, self.bundle.templates)
        made = await self._made(bundle) if described else None
        moved = bundle.whereabouts != self.bundle.whereabouts
        assert self._intake is not None  # noqa: S101 -- the uplink starts after the intake
        assert self.engine is not None  # noqa: S101 -- as above
        engine, before = self.engine, self.catalogue
        if made is not None:
            self.catalogue = made
        if described or moved or fences_changed:
            change = self._swap(engine, bundle)
            try:
                self._intake.between_groups(change, catalogue=self.catalogue if described else None)
            except BaseException:
                self.catalogue = before
                raise
        self.bundle = bundle
        self._acknowledge()
        log.info("sensor bundle in force", catalogue=self.catalogue.version[:12])

    async def _made(self, bundle: SensorBundle) -> Catalogue:
        """The next catalogue. Thousands of sensors take a second, in which readings go on: it is made
        in a thread, anew where a sensor spoke meanwhile that had no numbers yet.
        """
        for _ in range(_TRIES):
            before = self.catalogue.still()
            made = await asyncio.to_thread(_catalogue, bundle, before)
            # No other task runs between this look and the exchange.
            if len(self.catalogue.series) == len(before.series):
                return made
        return _catalogue(bundle, self.catalogue)

    def _check(self, raw: bytes) -> tuple[SensorBundle, bool]:
        bundle = read_bundle(
            raw,
            head_certificate_pem=self._identity.head_certificate_pem or "",
            ca_pem=self._identity.ca_pem or "",
        )
        if (bundle.book, bundle.templates) != (self.bundle.book, self.bundle.templates):
            catalogue_of(bundle.book.encode(), bundle.templates)
        # On disk before it is in force: the tailer must know what a reading was accepted by.
        write_atomic(self._path, raw, mode=0o600)
        return bundle, self._guard.take(bundle.fences)

    def _swap(self, engine: Engine, bundle: SensorBundle) -> Callable[[], None]:
        return lambda: engine.swap(
            self._guard.fences(), book=self.catalogue.series, whereabouts=bundle.whereabouts
        )

    def _acknowledge(self) -> None:
        if self.engine is not None and self._intake is not None and self.bundle.acknowledged:
            engine, known = self.engine, frozenset(self.bundle.acknowledged)
            self._intake.between_groups(lambda: engine.acknowledge(known))


def _catalogue(bundle: SensorBundle, after: Catalogue | None) -> Catalogue:
    return catalogue_of(bundle.book.encode(), bundle.templates, after=after)
