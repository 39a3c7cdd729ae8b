"""The ERP's desk: what stands in the outbox, what a person mends, what things are called there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, delete, insert, select, update

from contracts.asn import Asn
from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from erp_link.adapters import erp_tables as e
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.connectors.names import NameKind, Names
from erp_link.connectors.port import ErpPort
from erp_link.domain.erp.delivery import State
from erp_link.domain.erp.messages import MessageKind
from erp_link.domain.orders import NewOrder
from erp_link.service.core import Core
from erp_link.service.erp import letters, line, outbox
from erp_link.service.erp.line import LineState
from erp_link.service.erp.outbox import Letter, Trouble
from erp_link.service.orders.desk import Orders
from erp_link.service.work import Work

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery or an order that is told when it is complete; units of all its batches."""

    kind: MessageKind
    subject: str
    units: int


@dataclass(frozen=True, slots=True)
class Name:
    """What something is called in the ERP."""

    kind: NameKind
    ours: str
    theirs: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Overview:
    """How the talk with the ERP stands."""

    system: str
    """The ERP's name; empty where none is connected."""
    line: LineState
    counts: dict[State, int]
    pending: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Announced:
    """What the last look at the ERP's expected deliveries and waiting orders brought."""

    imported: tuple[str, ...]
    unusable: tuple[Trouble, ...]
    orders: tuple[str, ...] = ()
    """Orders taken in that were not known before."""


class ErpDesk:
    """`system` is the name of the ERP that the hub talks to; empty for none."""

    def __init__(self, core: Core, *, system: str = "") -> None:
        self._core = core
        self._system = system

    def overview(self) -> Overview:
        def ask(connection: Connection) -> Overview:
            return Overview(
                self._system,
                line.state(connection),
                outbox.counts(connection),
                _pending(connection),
            )

        return self._core.read(ask)

    def letters(
        self, *, state: State | None = None, after: int = 0, limit: int = 100
    ) -> list[Letter]:
        """Messages, newest first; `after` is the number of the last one seen."""
        return self._core.read(lambda c: outbox.letters(c, state=state, after=after, limit=limit))

    def letter(self, number: int) -> Letter:
        """Raises NotFoundError."""
        return self._core.read(lambda c: outbox.letter(c, number))

    def again(self, number: int, *, by: str, key: str | None = None) -> Letter:
        """A dead message is tried once more. Raises NotFoundError, ConflictError."""

        def act(work: Work) -> None:
            outbox.again(work, number)
            text = Reason("erp_again", {"letter": number})
            work.event("erp", text, reference=str(number))

        self._command("erp_again", {"letter": number}, act, by=by, key=key)
        return self.letter(number)

    def skip(self, number: int, *, note: str, by: str, key: str | None = None) -> Letter:
        """A dead message was done in the ERP by hand; `note` says how. Raises NotFoundError,
        ConflictError, BadInputError.
        """
        note = _words(note, "What was done in the ERP")

        def act(work: Work) -> None:
            outbox.skip(work, number, note=note)
            letters.mended(work, number)
            text = Reason("erp_by_hand", {"letter": number, "note": note})
            work.event("erp", text, reference=str(number))

        self._command("erp_skip", {"letter": number, "note": note}, act, by=by, key=key)
        return self.letter(number)

    def hurry(self, *, by: str) -> None:
        """The ERP is back: do not wait for the next try."""
        self._core.write(line.hurry, by=by)

    def names(self) -> list[Name]:
        """What things are called in the ERP, where that is not what they are called here."""

        def ask(connection: Connection) -> list[Name]:
            rows = connection.execute(
                select(e.erp_name).order_by(e.erp_name.c.kind, e.erp_name.c.ours)
            )
            return [
                Name(NameKind(r.kind), r.ours, r.theirs, r.changed_at, r.changed_by) for r in rows
            ]

        return self._core.read(ask)

    def name_book(self) -> Names:
        """As the connector needs it."""
        return Names({(name.kind.value, name.ours): name.theirs for name in self.names()})

    def give_name(
        self, kind: NameKind, ours: str, theirs: str, *, by: str, key: str | None = None
    ) -> None:
        """Raises BadInputError for a name that is empty or too long."""
        ours, theirs = _words(ours, "Our name"), _words(theirs, "The name in the ERP")

        def act(work: Work) -> None:
            values = {"theirs": theirs, "changed_at": work.now, "changed_by": work.by}
            row = (e.erp_name.c.kind == kind.value, e.erp_name.c.ours == ours)
            changed = work.connection.execute(update(e.erp_name).where(*row).values(values))
            if changed.rowcount == 0:
                work.connection.execute(
                    insert(e.erp_name).values(kind=kind.value, ours=ours, **values)
                )
            text = Reason("erp_named", {"ours": ours, "theirs": theirs})
            work.event("erp", text, reference=ours)

        body = {"kind": kind.value, "ours": ours, "theirs": theirs}
        self._command("erp_name", body, act, by=by, key=key)

    def drop_name(self, kind: NameKind, ours: str, *, by: str, key: str | None = None) -> None:
        """From now on it is called there as here. Raises NotFoundError."""

        def act(work: Work) -> None:
            gone = work.connection.execute(
                delete(e.erp_name).where(e.erp_name.c.kind == kind.value, e.erp_name.c.ours == ours)
            )
            if gone.rowcount == 0:
                raise NotFoundError(f"{ours} has no other name", mend="Look at the list again")
            work.event("erp", Reason("erp_unnamed", {"ours": ours}), reference=ours)

        body = {"kind": kind.value, "ours": ours}
        self._core.command("erp_unname", body, by=by, key=key, guards_of=None, act=act)

    def take_announced(self, port: ErpPort, *, by: str) -> Announced:
        """Import the deliveries that the ERP expects and that are not known here yet. One that
        changed in the ERP after it was imported stays as it was read first, and is told.
        """
        imported: list[str] = []
        unusable: list[Trouble] = []
        for found in port.announced():
            if not isinstance(found, Asn):
                unusable.append(Trouble(found.code, found.message, found.mend))
                continue
            known = self._core.read(partial(_is_known, asn=found.number))
            try:
                self._core.import_asn(found, by=by)
                if not known:
                    imported.append(found.number)
            except (BadInputError, ConflictError) as error:
                unusable.append(Trouble(error.code, error.message, error.mend))
        return Announced(tuple(imported), tuple(unusable))

    def take_ordered(self, port: ErpPort, *, by: str) -> Announced:
        """Take in the customers' orders that wait in the ERP, and set goods aside for them. One
        that changed there afterwards stays as it was read first, and is told.
        """
        taken: list[str] = []
        unusable: list[Trouble] = []
        orders = Orders(self._core)
        for found in port.ordered():
            if not isinstance(found, NewOrder):
                unusable.append(Trouble(found.code, found.message, found.mend))
                continue
            known = self._core.read(partial(_is_ordered, order=found.order))
            try:
                orders.place(found, by=by)
                if not known:
                    taken.append(found.order)
            except (BadInputError, ConflictError) as error:
                unusable.append(Trouble(error.code, error.message, error.mend))
        return Announced((), tuple(unusable), tuple(taken))

    def _command(
        self,
        name: str,
        body: Mapping[str, object],
        act: Callable[[Work], None],
        *,
        by: str,
        key: str | None,
    ) -> None:
        self._core.command(name, body, by=by, key=key, guards_of=None, act=act)


def _is_known(connection: Connection, asn: str) -> bool:
    return (
        connection.execute(select(t.asn.c.number).where(t.asn.c.number == asn)).first() is not None
    )


def _is_ordered(connection: Connection, order: str) -> bool:
    row = select(o.customer_order.c.order_ref).where(o.customer_order.c.order_ref == order)
    return connection.execute(row).first() is not None


def _pending(connection: Connection) -> tuple[Pending, ...]:
    units: dict[tuple[str, str], int] = {}
    for row in connection.execute(select(e.erp_pending).order_by(e.erp_pending.c.subject)):
        key = (row.kind, row.subject)
        units[key] = units.get(key, 0) + row.free + row.blocked
    return tuple(Pending(MessageKind(kind), subject, n) for (kind, subject), n in units.items())


def _words(text: str, what: str) -> str:
    text = text.strip()
    if not text or len(text) > _LONGEST:
        raise BadInputError(
            f"{what} has {len(text)} characters", mend=f"Write 1 to {_LONGEST} characters"
        )
    return text
