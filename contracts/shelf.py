"""What a phone at the shelf carries: the stock by product, as of one position of the core.

The phone keeps it whole and works from it without the network (I6), so everything that depends on
the day (how near an expiry is) is worked out on the phone from `expiry` and `limits`. On the wire
these are JSON objects with the fields' names; integers and strings only, as in the device log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in the currency's smallest unit: 1299 with `digits` 2 is 12.99."""

    amount: int
    currency: str
    """ISO 4217."""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class LastPrice:
    """What was last paid for one unit, told only to those whose role may see it."""

    price: Money
    on: str
    """ISO 8601 date of the purchase, empty where the source does not say."""
    source: str = ""
    """The order or receipt it stands in."""


@dataclass(frozen=True, slots=True)
class ShelfSupplier:
    """`phone` is what `tel:` takes (digits, `+` first where international), empty where unknown."""

    id: str
    name: str
    contact: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class ShelfCode:
    """A code that stands for a product: `units` base units in what carries it (a carton: 12)."""

    gtin: str
    """14 digits."""
    units: int = 1


@dataclass(frozen=True, slots=True)
class ShelfCell:
    """A batch in one place, in base units. `free` is on no hold, `held` is on hold or blocked,
    `inspection` waits; a count should find all three. Below zero where more was taken than the
    books had.
    """

    location: str
    free: int = 0
    held: int = 0
    inspection: int = 0
    reserved: int = 0
    """Of the free ones, promised to orders or picked for them."""


@dataclass(frozen=True, slots=True)
class ShelfBatch:
    supplier: str
    lot: str
    expiry: str = ""
    """ISO 8601, empty where the goods have none."""
    cells: tuple[ShelfCell, ...] = ()
    holds: tuple[str, ...] = ()
    """Open holds that cover some of it: keys of `Snapshot.holds`."""


@dataclass(frozen=True, slots=True)
class ExpiryLimits:
    """Days left at which a colour begins: at most `pull` red, `freeze` orange, `warn` yellow; 0
    leaves that colour out.
    """

    warn: int
    freeze: int
    pull: int


@dataclass(frozen=True, slots=True)
class ReorderHint:
    """How many base units to order now, and why."""

    quantity: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class ShelfProduct:
    gtin: str
    """14 digits; the base unit's."""
    name: str
    unit: str = ""
    """The base unit's name as the master data writes it; empty: pieces."""
    sku: str = ""
    codes: tuple[ShelfCode, ...] = ()
    """All codes that stand for it, its own first."""
    suppliers: tuple[str, ...] = ()
    """Ids, who delivered last first."""
    price: LastPrice | None = None
    reorder: ReorderHint | None = None
    places: tuple[str, ...] = ()
    """Where the planogram wants it; empty: no place is prescribed."""
    batches: tuple[ShelfBatch, ...] = ()
    limits: ExpiryLimits | None = None
    """Where its expiry policy is another than the snapshot's."""


@dataclass(frozen=True, slots=True)
class ShelfHold:
    id: str
    kind: str
    """batch, cartons, location, supplier or quantity."""
    note: str
    """What the person wrote, or the reason in the site's language."""
    at_us: int
    ticket: str = ""
    reason: Reason | None = None
    """Why, for pages that have the words (`reason.<code>`)."""


@dataclass(frozen=True, slots=True)
class ShelfTicket:
    id: str
    kind: str
    title: str
    """The reason in the site's language."""
    state: str
    gtins: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    reason: Reason | None = None
    """Why, for pages that have the words (`reason.<code>`)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything, or with `base` only what changed since that position: `products`, `holds` and
    `tickets` then replace those of the same key, and `gone` names what is no longer there.
    """

    version: int
    """The core's position."""
    at_us: int
    """When it was taken, by the hub's clock; its age is shown."""
    today: str
    """The site's date at that moment, ISO 8601."""
    zone: str
    site: str
    limits: ExpiryLimits
    products: tuple[ShelfProduct, ...] = ()
    suppliers: tuple[ShelfSupplier, ...] = ()
    holds: tuple[ShelfHold, ...] = ()
    tickets: tuple[ShelfTicket, ...] = ()
    locations: tuple[str, ...] = ()
    """Places that a person may stand at, in walking order."""
    base: int = 0
    """0: the snapshot is whole."""
    gone: tuple[str, ...] = ()
    """`product:GTIN`, `hold:ID`, `ticket:ID`."""
    roles: tuple[str, ...] = ()
    """For whose roles it was cut."""
    seen: dict[str, int] = field(default_factory=dict)
    """Of each device's offline log, the last entry that is in this: what `Carried.seen` says. The
    phone shows its own later entries on top, and no earlier one twice.
    """
    words: dict[str, str] = field(default_factory=dict)
    """Names of the site's own for places (`A` -> `Aisle A, left`), may be empty."""


@dataclass(frozen=True, slots=True)
class FindLine:
    """So many base units of a product to be found; `location` and `lot` empty where any will do."""

    gtin: str
    quantity: int
    location: str = ""
    supplier: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class FindList:
    """What somebody should go and find, its lines in walking order."""

    id: str
    kind: str
    """order: goods reserved and not yet picked; recount: counts that disagree; recall: goods that a
    hold came too late for, or that stand where they should not."""
    title: str
    """The order's number, or what the list is about."""
    lines: tuple[FindLine, ...] = ()
    due: str = ""
    """ISO 8601, empty where there is none."""


@dataclass(frozen=True, slots=True)
class ShelfEvent:
    """One thing that happened to a product's goods."""

    at_us: int
    what: str
    by: str
    reason: Reason
    supplier: str = ""
    lot: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ProductHistory:
    """Newest first."""

    gtin: str
    events: tuple[ShelfEvent, ...] = ()
    more: bool = False
    """There is more than was asked for."""
