"""The replenishment desk: what to order, how much, why, and how sure that is (I7).

The forecast is worked out once a day, or when a day before today has changed; what is here and what
is coming is read at every question. Everything comes from the books.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from datetime import date

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from contracts.errors import NotFoundError
from contracts.gs1 import normalise_gtin
from contracts.reason import Reason
from erp_link.adapters import care_tables as c
from erp_link.domain.reorder.policy import ReorderPolicy
from erp_link.domain.reorder.suggest import Demand, Position, Suggestion, Urgency, suggest
from erp_link.forecasting.outlook import Outlook, Pattern, outlook
from erp_link.service.care import daily
from erp_link.service.care.catalogue import Card, cards
from erp_link.service.care.history import DAYS, History, HistoryBook
from erp_link.service.care.position import positions
from erp_link.service.store import Store
from erp_link.service.work import Work

DEFAULT = ReorderPolicy()
_ORDER = list(Urgency)
_WEEK = 7


@dataclass(frozen=True, slots=True)
class ReorderLine:
    """One product with its suggestion, and what that rests on."""

    card: Card
    suggestion: Suggestion
    demand: Demand
    position: Position
    policy: ReorderPolicy
    is_default_policy: bool
    weeks: tuple[int, ...] = ()
    """What went out in each of the last weeks, oldest first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every product, the most urgent first. `held` of `windows`: in the newest window of past days,
    which no correction had seen, the bound held for so many products.
    """

    lines: tuple[ReorderLine, ...]
    until: date
    days: int
    held: int
    windows: int
    behind: bool = False
    """The books are still being counted: of a long history, the newest part is missing."""


@dataclass(frozen=True, slots=True)
class ReorderHint:
    """What a phone shows over a product on its shelf."""

    gtin: str
    urgency: Urgency
    quantity: int
    lasts_days: int | None
    reason: Reason


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A product's past, a value a day, oldest first, up to the day before `until`."""

    until: date
    shipped: tuple[int, ...]
    on_hand: tuple[int, ...]
    observed: tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Forecast:
    history: History
    policies: dict[str, ReorderPolicy]
    outlook: Outlook
    weeks: tuple[tuple[int, ...], ...]


class Reorder:
    """Asked by many threads; the forecast of the day is shared by them."""

    def __init__(self, store: Store, past: HistoryBook | None = None) -> None:
        self._store = store
        self._past = past or HistoryBook(store)
        self._lock = threading.Lock()
        self._known: tuple[tuple[object, ...], _Forecast] | None = None

    def plan(self) -> Plan:
        """The suggestion for every product. Raises UnavailableError."""
        done = daily.catch_up(self._store)
        return replace(self._store.read(self._plan), behind=not done)

    def hint(self, gtin: str) -> ReorderHint:
        """What to say over one product. Raises BadInputError, NotFoundError."""
        line = self.line(gtin)
        said = line.suggestion
        return ReorderHint(said.gtin, said.urgency, said.quantity, said.lasts_days, said.reasons[0])

    def line(self, gtin: str) -> ReorderLine:
        """One product's suggestion. Raises BadInputError for no GTIN, NotFoundError."""
        wanted = normalise_gtin(gtin)
        for line in self.plan().lines:
            if line.card.gtin == wanted:
                return line
        raise NotFoundError(
            f"Product {wanted} was never announced, here or ordered",
            mend="Check the GTIN",
            gtin=wanted,
        )

    def series(self, gtin: str) -> Series:
        """A product's last half year, day by day. Raises BadInputError, NotFoundError."""
        wanted = normalise_gtin(gtin)
        daily.catch_up(self._store)
        history = self._store.read(self._forecast).history
        row = history.rows().get(wanted)
        if row is None:
            raise NotFoundError(
                f"Product {wanted} never moved here", mend="Check the GTIN", gtin=wanted
            )
        return Series(
            history.until,
            tuple(history.shipped[row].astype(int).tolist()),
            tuple(history.on_hand[row].astype(int).tolist()),
            tuple(history.observed[row].tolist()),
        )

    def policy(self, gtin: str) -> ReorderPolicy:
        """How a product is replenished. Raises BadInputError."""
        wanted = normalise_gtin(gtin)
        return self._store.read(_policies).get(wanted, DEFAULT)

    def set_policy(
        self, gtin: str, policy: ReorderPolicy | None, *, by: str, key: str | None = None
    ) -> None:
        """Replenish a product so from now on; None: as the house does by default.

        Raises BadInputError, ConflictError where `key` came with another request.
        """
        wanted = normalise_gtin(gtin)
        values = None if policy is None else asdict(policy)
        self._store.command(
            "reorder_policy",
            {"gtin": wanted, "policy": values},
            by=by,
            key=key,
            guards_of=None,
            act=lambda work: _set_policy(work, wanted, policy),
        )

    def _plan(self, connection: Connection) -> Plan:
        found = self._forecast(connection)
        known, here = cards(connection), positions(connection)
        today, rows = found.history.until, found.history.rows()
        lines: list[ReorderLine] = []
        for gtin in known.keys() | here.keys():
            card = known.get(gtin, Card(gtin))
            policy = found.policies.get(gtin, DEFAULT)
            row = rows.get(gtin)
            demand = _demand(found, row)
            position = here.get(gtin, Position())
            said = suggest(gtin, demand, position, policy, card.limits, today=today)
            weeks = () if row is None else found.weeks[row]
            default = gtin not in found.policies
            lines.append(ReorderLine(card, said, demand, position, policy, default, weeks))
        lines.sort(key=_most_urgent)
        check = found.outlook.check
        return Plan(tuple(lines), today, DAYS, check.newest_held, check.newest_windows)

    def _forecast(self, connection: Connection) -> _Forecast:
        policies = _policies(connection)
        past, history = self._past.read(connection)
        state = (past, tuple(sorted(policies.items(), key=_gtin_of)))
        with self._lock:
            if self._known is None or self._known[0] != state:
                look = _look(history, policies)
                self._known = (state, _Forecast(history, policies, look, _weekly(history)))
            return self._known[1]


def _gtin_of(item: tuple[str, ReorderPolicy]) -> str:
    return item[0]


def _look(history: History, policies: dict[str, ReorderPolicy]) -> Outlook:
    chosen = [policies.get(gtin, DEFAULT) for gtin in history.gtins]
    return outlook(
        history.shipped,
        history.observed,
        horizon=np.array([policy.horizon_days for policy in chosen], np.int64),
        late=np.array([policy.late_days for policy in chosen], np.int64),
        share=np.array([policy.service_percent / 100 for policy in chosen], float),
    )


def _weekly(history: History) -> tuple[tuple[int, ...], ...]:
    weeks = history.shipped.shape[1] // _WEEK
    newest = history.shipped[:, history.shipped.shape[1] - weeks * _WEEK :]
    sums = newest.reshape(len(newest), weeks, _WEEK).sum(axis=2).astype(int)
    return tuple(tuple(row) for row in sums.tolist())


def _demand(found: _Forecast, row: int | None) -> Demand:
    if row is None:
        return _NOTHING
    seen, history = found.outlook, found.history
    days = int(seen.observed_days[row])
    total = float(history.shipped[row].sum())
    return Demand(
        a_day=float(seen.a_day[row]),
        median=float(seen.median[row]),
        high=float(seen.high[row]),
        observed_days=days,
        without_stock_days=int(history.without_stock[row]),
        demands=int(seen.demands[row]),
        pattern=Pattern(int(seen.pattern[row])).name.casefold(),
        held=int(seen.check.held[row]),
        windows=int(seen.check.windows[row]),
        half_year_a_day=total / days if days else 0.0,
        known=bool(seen.known[row]),
    )


_NOTHING = Demand(0.0, 0.0, 0.0, 0, 0, 0, "unknown", 0, 0, 0.0, known=False)


def _most_urgent(line: ReorderLine) -> tuple[int, float, str]:
    lasts = line.suggestion.lasts_days
    return (
        _ORDER.index(line.suggestion.urgency),
        float("inf") if lasts is None else lasts,
        line.card.gtin,
    )


def _policies(connection: Connection) -> dict[str, ReorderPolicy]:
    return {
        row.gtin: ReorderPolicy(
            lead_days=row.lead_days,
            late_days=row.late_days,
            review_days=row.review_days,
            cycle_days=row.cycle_days,
            service_percent=row.service_percent,
            pack=row.pack,
            least=row.least,
        )
        for row in connection.execute(select(c.reorder_policy))
    }


def _set_policy(work: Work, gtin: str, policy: ReorderPolicy | None) -> None:
    work.connection.execute(delete(c.reorder_policy).where(c.reorder_policy.c.gtin == gtin))
    if policy is None:
        text = Reason("story_reorder_default", {"gtin": gtin})
    else:
        work.connection.execute(
            insert(c.reorder_policy).values(
                gtin=gtin, **asdict(policy), set_at=work.now, set_by=work.by
            )
        )
        text = Reason("story_reorder_policy", {"gtin": gtin, **asdict(policy)})
    work.event("reorder_policy", text, reference=gtin)
