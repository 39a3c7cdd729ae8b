"""Routes of the care for stock: what to order and why, how healthy the stock is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends

from contracts.reason import Reason
from erp_link.api import master_data
from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.reorder.suggest import Demand, Position
from erp_link.service.care.desks import Care, CareDesks
from erp_link.service.care.health import BatchHealth, ProductHealth
from erp_link.service.care.reorder import ReorderHint, ReorderLine


@dataclass(frozen=True, slots=True)
class ReorderOut:
    """One product's suggestion, in base units, with what it rests on."""

    gtin: str
    name: str
    suppliers: tuple[str, ...]
    urgency: str
    quantity: int
    position: int
    reorder_point: int
    order_up_to: int
    lasts_days: int | None
    expires_unsold: int
    reasons: tuple[Reason, ...]
    demand: Demand
    counted: Position
    policy: ReorderPolicy

    @classmethod
    def of(cls, line: ReorderLine) -> ReorderOut:
        said = line.suggestion
        return cls(
            gtin=said.gtin,
            name=line.card.name,
            suppliers=line.card.suppliers,
            urgency=said.urgency.value,
            quantity=said.quantity,
            position=said.position,
            reorder_point=said.reorder_point,
            order_up_to=said.order_up_to,
            lasts_days=said.lasts_days,
            expires_unsold=said.expires_unsold,
            reasons=said.reasons,
            demand=line.demand,
            counted=line.position,
            policy=line.policy,
        )


@dataclass(frozen=True, slots=True)
class ProductHealthOut:
    """One product's health over 90 days, in base units. `ages` are units up to 30, 60, 90, 180
    days old, and older.
    """

    gtin: str
    name: str
    importance: str
    on_hand: int
    blocked: int
    shipped: int
    turns_a_year: float | None
    days_of_stock: float | None
    ages: tuple[int, ...]
    older_than_90_days: int
    oldest_days: int
    expiry: dict[str, int]

    @classmethod
    def of(cls, each: ProductHealth) -> ProductHealthOut:
        return cls(
            gtin=each.card.gtin,
            name=each.card.name,
            importance=each.importance.value,
            on_hand=each.on_hand,
            blocked=each.blocked,
            shipped=each.shipped,
            turns_a_year=each.turnover.turns,
            days_of_stock=each.turnover.days,
            ages=each.ages,
            older_than_90_days=each.old,
            oldest_days=each.oldest_days,
            expiry=dict(each.rungs),
        )


def add_to(api: APIRouter, desks: CareDesks, *, reader: Any, planner: Any) -> None:
    """Add the routes; `reader` and `planner` are dependencies that say who is asking."""
    _add_replenishment(api, desks, reader, planner)
    master_data.add_to(api, desks, reader=reader, planner=planner)
    needs = Depends(desks)

    @api.get("/stock-health/products", tags=["stock health"], dependencies=[reader])
    def products(page: Paged, care: Care = needs) -> list[ProductHealthOut]:
        """Turnover, age and importance of every product that is here or went out, by GTIN."""
        found = page.cut(care.health.report().products, lambda each: (each.card.gtin,))
        return [ProductHealthOut.of(each) for each in found]

    @api.get("/stock-health/batches", tags=["stock health"], dependencies=[reader])
    def batches(page: Paged, care: Care = needs) -> list[BatchHealth]:
        """The expiry ladder: every batch that is here, the earliest date first."""
        return page.cut(
            care.health.report().batches,
            lambda each: (each.key.gtin, each.key.lot, each.key.supplier),
        )


def _add_replenishment(api: APIRouter, desks: CareDesks, reader: Any, planner: Any) -> None:
    needs = Depends(desks)

    @api.get("/reorder", tags=["replenishment"], dependencies=[reader])
    def plan(page: Paged, care: Care = needs) -> list[ReorderOut]:
        """What to order of every product, the most urgent first, with reasons."""
        lines = page.cut(care.reorder.plan().lines, lambda each: (each.card.gtin,))
        return [ReorderOut.of(line) for line in lines]

    @api.get("/reorder/{gtin}", tags=["replenishment"], dependencies=[reader])
    def one(gtin: str, care: Care = needs) -> ReorderOut:
        """What to order of one product, and why."""
        return ReorderOut.of(care.reorder.line(gtin))

    @api.get("/reorder/{gtin}/hint", tags=["replenishment"], dependencies=[reader])
    def hint(gtin: str, care: Care = needs) -> ReorderHint:
        """The short form for a phone over the shelf."""
        return care.reorder.hint(gtin)

    @api.put("/reorder/{gtin}/policy", tags=["replenishment"], status_code=204)
    def set_policy(
        gtin: str, body: ReorderPolicy, key: Key = None, care: Care = needs, who: Any = planner
    ) -> None:
        """How a product is replenished from now on."""
        care.reorder.set_policy(gtin, body, by=who.name, key=key)

    @api.delete("/reorder/{gtin}/policy", tags=["replenishment"], status_code=204)
    def default_policy(gtin: str, key: Key = None, care: Care = needs, who: Any = planner) -> None:
        """Back to the house's default."""
        care.reorder.set_policy(gtin, None, by=who.name, key=key)
