"""What the hub knows of sensors, put together for gateways: the book, fences, where goods are now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.config import Config
from appliance.fences.office import FenceOffice
from appliance.fences.store import FenceStore
from appliance.fences.wire import SignedFences
from appliance.gateway.bundle import SensorBundle
from appliance.layout import Layout
from appliance.sensors.store import SensorStore, open_store
from appliance.teaching.office import QualityOffice
from appliance.web.quality.core_desk import decision_policy
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.stock import BatchKey
from erp_link.service.core import Core
from erp_link.service.excursions.alarms import Alarms
from erp_link.service.excursions.whereabouts import Whereabouts as CoreWhereabouts
from erp_link.service.quality.desk import Quality
from telemetry.describing.book import SensorBook
from telemetry.watching.fences import Scope, ScopeKind, read_fence
from telemetry.watching.places import Whereabouts


@contextmanager
def open_sensors(
    config: Config, core: Core, lead: QualityOffice, clock: Clock
) -> Iterator[SensorDocuments]:
    """The documents, with the store of fences open. Blocks for a moment."""
    folder = Layout(config.data).sensor_book
    store = FenceStore(folder / "fences.db")
    try:
        quality = Quality(core, decision_policy(config.quality))
        fences = FenceOffice(store, lead, quality, clock)
        yield SensorDocuments(core, fences, open_store(folder, clock))
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class SensorDocuments:
    """What pages edit: `fences` and the `book`."""

    core: Core
    fences: FenceOffice
    book: SensorStore

    def bundle(self) -> SensorBundle:
        """All of it as it stands now. Blocks."""
        book, templates = self.book.documents()
        told = self.fences.told()
        return SensorBundle(
            book.decode(), templates, told, self._whereabouts(told), self._acknowledged()
        )

    def whereabouts(self) -> Whereabouts:
        """Where goods are now, as far as fences ask for it. Blocks."""
        return self._whereabouts(self.fences.told())

    def _whereabouts(self, told: SignedFences) -> Whereabouts:
        """Of what the fences ask for and no more: a bundle changes when goods move."""
        scopes = [scope for each in told.fences if (scope := _scope(each.text)) is not None]
        products = {scope.name for scope in scopes if scope.kind is ScopeKind.PRODUCT}
        named = [_batch(scope.name) for scope in scopes if scope.kind is ScopeKind.BATCH]
        batches = {key for key in named if key is not None}
        asked = CoreWhereabouts(self.core)
        holding = asked.holding_now(products=products, batches=batches)
        zones = asked.zones(places_of(self.book.book()))
        return Whereabouts(zones, holding.products, holding.batches)

    def _acknowledged(self) -> tuple[str, ...]:
        opened = Alarms(self.core).open()
        return tuple(sorted(each.alarm_id for each in opened if each.acknowledged_at is not None))


class SiteZones:
    """Implements appliance.web.excursions.ports.ZoneDesk: a zone may name what the core knows, and
    where sensors stand.
    """

    def __init__(self, core: Core, book: SensorStore) -> None:
        self._asked, self._book = CoreWhereabouts(core), book

    def zones(self) -> Mapping[str, str]:
        return self._asked.zones()

    def name_zone(self, zone: str, locations: Collection[str], *, by: str) -> None:
        sensors = places_of(self._book.book())
        self._asked.name_zone(zone, locations, by=by, sensors=sensors)


def places_of(book: SensorBook) -> set[str]:
    """Where sensors stand: a door, a corridor, where the core keeps nothing."""
    return {*(one.place for one in book.device), *(one.place for one in book.family)} - {""}


def _scope(text: str) -> Scope | None:
    try:
        return read_fence(text).scope
    except BadInputError:
        # Another version's fence: the gateway refuses it and says so.
        return None


def _batch(name: str) -> BatchKey | None:
    supplier, _, rest = name.partition("/")
    gtin, _, lot = rest.partition("/")
    return BatchKey(supplier, gtin, lot) if gtin and lot else None
