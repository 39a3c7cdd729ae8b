"""The desk of places: slots with their capacity and temperature class, and where goods would go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from contracts.errors import BadInputError, ConflictError
from contracts.reason import Reason
from contracts.stock import BatchKey
from erp_link.adapters import tables as t
from erp_link.domain.places import PlaceKind, dock_of, is_account
from erp_link.domain.products import Temperature
from erp_link.domain.slots import Slotting
from erp_link.service import slots
from erp_link.service.goods.product_rows import read_product
from erp_link.service.store import Store
from erp_link.service.work import Work, find_batch

_LONGEST = 40
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place of the house. `capacity` and `used` in cartons; near ones have a low `position`."""

    code: str
    kind: PlaceKind
    capacity: int
    used: int
    position: int
    temperature: Temperature


class Places:
    """Ask for places, plan them, ask where goods would go."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def places(self, *, after: str = "", limit: int = 500) -> list[PlaceRow]:
        """Every place by its code, from the one after `after` on."""
        query = (
            select(t.location)
            .where(t.location.c.code > after)
            .order_by(t.location.c.code)
            .limit(limit)
        )
        return self._core.read(
            lambda c: [
                PlaceRow(
                    row.code,
                    PlaceKind(row.kind),
                    row.capacity,
                    row.used,
                    row.position,
                    Temperature(row.temperature),
                )
                for row in c.execute(query)
            ]
        )

    def check_known(self, code: str) -> None:
        """Raises BadInputError for a place that was never planned and where no goods ever were: a
        typing error would make it. A dock need not be planned.
        """
        if code.startswith(dock_of("")) and len(code) <= _LONGEST:
            return
        known = select(t.location.c.code).where(t.location.c.code == code)
        if self._core.read(lambda c: c.execute(known).first()) is None:
            raise BadInputError(
                f"There is no place {code[:80]!r}",
                mend="Check the code, or plan the slot first",
                location=code[:80],
            )

    def plan_slot(
        self,
        code: str,
        *,
        capacity: int,
        temperature: Temperature,
        position: int,
        by: str,
        key: str | None = None,
    ) -> None:
        """Plan a slot, or plan it anew. Raises BadInputError, and ConflictError where another
        class of goods stands in it.
        """
        name = code.strip()
        if not name or len(name) > _LONGEST or is_account(name) or not name.isprintable():
            raise BadInputError(f"{code!r} is no code of a slot", mend="Give 1 to 40 characters")
        if not 0 <= capacity <= _MOST or not 0 <= position <= _MOST:
            raise BadInputError(
                f"A capacity of {capacity} at position {position}",
                mend=f"Give whole numbers from 0 to {_MOST}",
            )
        values = {
            "capacity": capacity,
            "temperature": temperature.value,
            "position": position,
        }

        def act(work: Work) -> None:
            known = work.connection.execute(
                select(t.location).where(t.location.c.code == name).with_for_update()
            ).one_or_none()
            if known is None:
                work.connection.execute(
                    insert(t.location).values(
                        code=name, kind=PlaceKind.SLOT.value, used=0, **values
                    )
                )
            else:
                if known.kind != PlaceKind.SLOT.value:
                    raise ConflictError(f"{name} is a {known.kind}", mend="Plan slots only")
                if known.used and known.temperature != temperature.value:
                    raise ConflictError(
                        f"{known.used} cartons stand in {name}, which is {known.temperature}",
                        mend="Empty the slot first",
                    )
                work.connection.execute(
                    update(t.location).where(t.location.c.code == name).values(values)
                )
            text = Reason(
                "story_slot_planned",
                {"slot": name, "capacity": capacity, "temperature": temperature.value},
            )
            work.event("place", text, reference=name)

        body = {"slot": name, **values}
        self._core.command("plan_slot", body, by=by, key=key, guards_of=None, act=act)

    def suggestion(self, batch: BatchKey) -> Slotting:
        """Where one more carton of a batch would go now, and why. Raises NotFoundError."""
        return self._core.read(
            lambda c: slots.suggest(c, read_product(c, batch.gtin), int(find_batch(c, batch).id))
        )
