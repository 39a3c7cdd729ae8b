"""Routes of goods: products and units, least remaining life, places, dates, acceptance, samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.domain.allocation import Rotation
from erp_link.domain.expiry import ExpiryPolicy
from erp_link.domain.products import Mover, Product, Temperature
from erp_link.domain.sampling import Level, SamplingRule
from erp_link.domain.shelf_life import LifeRule
from erp_link.service.core import Core
from erp_link.service.goods.acceptance import Acceptances, Waiting
from erp_link.service.goods.places import PlaceRow, Places
from erp_link.service.goods.products import CustomerLife, Products, Undescribed
from erp_link.service.goods.shelf import Shelf


@dataclass(frozen=True, slots=True)
class ProductIn:
    """What a product is. `units` holds base units in one of each; `aql` empty means no samples.
    Stock levels in base units.
    """

    name: str = ""
    base_unit: str = "carton"
    units: dict[str, int] = field(default_factory=dict)
    carton_unit: str = ""
    temperature: Temperature = Temperature.AMBIENT
    rotation: Rotation = Rotation.FEFO
    mover: Mover = Mover.NORMAL
    warn_days: int = 30
    freeze_days: int = 15
    pull_days: int = 7
    least_days: int = 0
    least_percent: int = 0
    total_life_days: int = 0
    dated: bool = True
    not_older: bool = False
    acceptance: bool = False
    aql: str = ""
    level: Level = Level.II
    min_stock: int | None = None
    max_stock: int | None = None

    def product(self, gtin: str) -> Product:
        """As the domain has it. Raises BadInputError."""
        return Product(
            gtin,
            name=self.name,
            base_unit=self.base_unit,
            units=self.units,
            carton_unit=self.carton_unit,
            temperature=self.temperature,
            rotation=self.rotation,
            mover=self.mover,
            expiry=ExpiryPolicy(self.warn_days, self.freeze_days, self.pull_days),
            life=LifeRule(self.least_days, self.least_percent),
            total_life_days=self.total_life_days,
            dated=self.dated,
            not_older=self.not_older,
            acceptance=self.acceptance,
            sampling=SamplingRule(self.aql, self.level) if self.aql else None,
            min_stock=self.min_stock,
            max_stock=self.max_stock,
        )


@dataclass(frozen=True, slots=True)
class ProductOut:
    """A product as it is kept; `described` is false for the default of an unknown GTIN."""

    gtin: str
    described: bool
    per_carton: int
    is_described_as: ProductIn

    @classmethod
    def of(cls, product: Product) -> ProductOut:
        """As the API gives it out."""
        sampling = product.sampling
        return cls(
            product.gtin,
            product.described,
            product.per_carton,
            ProductIn(
                name=product.name,
                base_unit=product.base_unit,
                units=dict(product.units),
                carton_unit=product.carton_unit,
                temperature=product.temperature,
                rotation=product.rotation,
                mover=product.mover,
                warn_days=product.expiry.warn_days,
                freeze_days=product.expiry.freeze_days,
                pull_days=product.expiry.pull_days,
                least_days=product.life.least_days,
                least_percent=product.life.least_percent,
                total_life_days=product.total_life_days,
                dated=product.dated,
                not_older=product.not_older,
                acceptance=product.acceptance,
                aql=sampling.aql if sampling else "",
                level=sampling.level if sampling else Level.II,
                min_stock=product.min_stock,
                max_stock=product.max_stock,
            ),
        )


@dataclass(frozen=True, slots=True)
class LifeRuleIn:
    """What a customer asks for; of every product where `gtin` is empty. Nothing asked ends it."""

    customer: str
    gtin: str = ""
    least_days: int = 0
    least_percent: int = 0


@dataclass(frozen=True, slots=True)
class SlotIn:
    """`capacity` in cartons; near slots have a low `position`."""

    capacity: int
    temperature: Temperature = Temperature.AMBIENT
    position: int = 0


@dataclass(frozen=True, slots=True)
class SlotOut:
    """Where one more carton would go now: `slot` is null where none fits."""

    slot: str | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class DatedOut:
    """A batch on its way to its date; `colour` is green, yellow, orange or red."""

    batch: BatchKey
    description: str
    expiry: date
    days_left: int
    stage: str
    colour: str
    on_hand: int
    on_shelf: int


@dataclass(frozen=True, slots=True)
class AcceptIn:
    """`accept` false refuses, with a reason; letting in past the gate needs one too."""

    accept: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SampleIn:
    """Units looked at since the last entry, and how many of them were bad."""

    inspected: int
    bad: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ResumeIn:
    supplier: str
    gtin: str
    reason: str


def add_to(api: APIRouter, needs_core: Any, *, reader: Any, worker: Any, planner: Any) -> None:
    """Add the routes; `planner` describes products and places, `worker` accepts goods."""
    _add_products(api, needs_core, reader, planner)
    _add_places(api, needs_core, reader, planner)
    _add_acceptance(api, needs_core, reader, worker)


def _add_products(api: APIRouter, needs_core: Any, reader: Any, planner: Any) -> None:
    @api.get("/products", tags=["goods"], dependencies=[reader])
    def products(page: Paged, core: Core = needs_core) -> list[ProductOut]:
        """Described products by GTIN."""
        (after,) = page.strings(1) or ("",)
        found = Products(core).described(after=after, limit=page.limit + 1)
        return [ProductOut.of(each) for each in page.of(found, lambda row: (row.gtin,))]

    @api.get("/products/undescribed", tags=["goods"], dependencies=[reader])
    def undescribed(
        limit: Annotated[int, Query(ge=1, le=500)] = 100, core: Core = needs_core
    ) -> list[Undescribed]:
        """GTINs that came or were announced and that nobody described."""
        return Products(core).undescribed(limit=limit)

    @api.get("/products/{gtin}", tags=["goods"], dependencies=[reader])
    def product(gtin: str, core: Core = needs_core) -> ProductOut:
        """One product; the default where nobody described it."""
        return ProductOut.of(Products(core).product(gtin.zfill(14)))

    @api.put("/products/{gtin}", tags=["goods"])
    def describe(
        gtin: str, body: ProductIn, key: Key = None, core: Core = needs_core, who: Any = planner
    ) -> ProductOut:
        """Describe a product, whole: what is not given takes its default."""
        given = body.product(gtin)
        return ProductOut.of(Products(core).describe(given, by=who.name, key=key))

    @api.get("/life-rules", tags=["goods"], dependencies=[reader])
    def life_rules(page: Paged, core: Core = needs_core) -> list[CustomerLife]:
        """The least remaining life that customers ask for."""
        return page.cut(Products(core).life_rules(), lambda row: (row.customer, row.gtin))

    @api.put("/life-rules", tags=["goods"], status_code=204)
    def set_life_rule(
        body: LifeRuleIn, key: Key = None, core: Core = needs_core, who: Any = planner
    ) -> None:
        """Keep what a customer asks for."""
        rule = LifeRule(body.least_days, body.least_percent)
        Products(core).set_life_rule(body.customer, body.gtin, rule, by=who.name, key=key)


def _add_places(api: APIRouter, needs_core: Any, reader: Any, planner: Any) -> None:
    @api.get("/places", tags=["goods"], dependencies=[reader])
    def places(page: Paged, core: Core = needs_core) -> list[PlaceRow]:
        """Every place with its capacity, what stands there, and the temperature kept."""
        (after,) = page.strings(1) or ("",)
        found = Places(core).places(after=after, limit=page.limit + 1)
        return page.of(found, lambda row: (row.code,))

    @api.put("/places/{code:path}", tags=["goods"], status_code=204)
    def plan_slot(
        code: str, body: SlotIn, key: Key = None, core: Core = needs_core, who: Any = planner
    ) -> None:
        """Plan a slot."""
        Places(core).plan_slot(
            code,
            capacity=body.capacity,
            temperature=body.temperature,
            position=body.position,
            by=who.name,
            key=key,
        )

    @api.get("/slotting", tags=["goods"], dependencies=[reader])
    def slotting(
        gtin: Annotated[str, Query()],
        lot: Annotated[str, Query()],
        supplier: Annotated[str, Query()] = "",
        core: Core = needs_core,
    ) -> SlotOut:
        """Where one more carton of a batch would go now, and why."""
        found = Places(core).suggestion(BatchKey(supplier, gtin, lot))
        return SlotOut(found.code, found.reason)

    @api.get("/expiry-ladder", tags=["goods"], dependencies=[reader])
    def ladder(page: Paged, core: Core = needs_core) -> list[DatedOut]:
        """Every dated batch in the house, the nearest date first, with its colour."""
        rows = [
            DatedOut(
                row.batch,
                row.description,
                row.expiry,
                row.days_left,
                row.stage.value,
                row.stage.colour,
                row.on_hand,
                row.on_shelf,
            )
            for row in Shelf(core).ladder()
        ]
        return page.cut(rows, lambda row: (str(row.batch),))


def _add_acceptance(api: APIRouter, needs_core: Any, reader: Any, worker: Any) -> None:
    @api.get("/acceptances", tags=["goods"], dependencies=[reader])
    def waiting(page: Paged, core: Core = needs_core) -> list[Waiting]:
        """What was received and waits for acceptance, oldest first, with why and its sample."""
        after = int(page.after[0]) if page.after and isinstance(page.after[0], int) else 0
        found = Acceptances(core).waiting(after=after, limit=page.limit + 1)
        return page.of(found, lambda row: (int(row.acceptance_id.removeprefix("AC-")),))

    @api.get("/acceptances/{name}", tags=["goods"], dependencies=[reader])
    def one(name: str, core: Core = needs_core) -> Waiting:
        """One of them, decided or not."""
        return Acceptances(core).one(name)

    @api.post("/acceptances/{name}/decision", tags=["goods"])
    def decide(
        name: str, body: AcceptIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> Waiting:
        """Accept or refuse. Past the gate it takes the role quality and a reason."""
        desk = Acceptances(core)
        act = desk.accept if body.accept else desk.refuse
        return act(name, by=who.name, roles=who.roles, reason=body.reason, key=key)

    @api.post("/acceptances/{name}/samples", tags=["goods"])
    def inspect(
        name: str, body: SampleIn, key: Key = None, core: Core = needs_core, who: Any = worker
    ) -> Waiting:
        """Enter what a sample showed; the plan decides once it can."""
        return Acceptances(core).inspect(
            name, inspected=body.inspected, bad=body.bad, note=body.note, by=who.name, key=key
        )

    @api.post("/sampling/resume", tags=["goods"], status_code=204)
    def resume(body: ResumeIn, key: Key = None, core: Core = needs_core, who: Any = worker) -> None:
        """After sampling was discontinued: sample again, tightened. Quality only."""
        Acceptances(core).resume_sampling(
            body.supplier, body.gtin, by=who.name, roles=who.roles, reason=body.reason, key=key
        )
