"""What a person signs when they decide about goods: every word that the decision rests on.

The statement names the holds that its signer saw. A hold that is not among them came meanwhile, and
the signature does not speak about it: it is stale, and somebody has to look again (I1).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.canonical import canonical, read_canonical
from contracts.errors import BadInputError, ConflictError, TallymanError
from contracts.stock import BatchKey, UsageDecision

PURPOSE = b"tallyman usage decision v1\0"
"""Goes before the statement's bytes under the signature: it can pass for nothing else."""
GOOD_FOR = timedelta(minutes=15)
"""Between a statement being made and being handed in: no signature is kept in store."""
MOST_REASON = 1000
MOST_CARTONS = 500
_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("ticket", "supplier", "gtin", "lot", "decision", "reason", "role", "signer", "key")
_LISTS = ("cartons", "holds")
_NUMBERS = ("v", "quantity", "at_us")
_NAMES = frozenset({*_TEXTS, *_LISTS, *_NUMBERS, "seconds"})


class StaleSignatureError(ConflictError):
    """A hold came after the signer looked; data has `new_holds`."""

    code = "stale_signature"


class SignatureRefusedError(TallymanError):
    """A signature that does not hold, or by a key that may not sign here."""

    code = "signature_refused"


@dataclass(frozen=True, slots=True)
class Statement:
    """One usage decision, as signed.

    `quantity` 0 with no `cartons` means everything that the ticket is about. `seconds` is the digest
    of the first person's statement where this is the second person's, else empty. `holds` are the
    open holds on these goods that the signer saw, sorted. `key` names the signing key.
    """

    ticket: str
    batch: BatchKey | None
    decision: UsageDecision
    reason: str
    holds: tuple[str, ...]
    role: str
    signer: str
    key: str
    at: datetime
    quantity: int = 0
    cartons: tuple[str, ...] = ()
    seconds: str = ""

    @property
    def is_partial(self) -> bool:
        return bool(self.cartons or self.quantity)

    def text(self) -> str:
        """The canonical JSON (RFC 8785) that is signed after PURPOSE. Raises BadInputError."""
        batch = self.batch or BatchKey("", "", "")
        return canonical(
            {
                "v": _VERSION,
                "ticket": self.ticket,
                "supplier": batch.supplier,
                "gtin": batch.gtin,
                "lot": batch.lot,
                "decision": self.decision.value,
                "quantity": self.quantity,
                "cartons": list(self.cartons),
                "reason": self.reason,
                "holds": list(self.holds),
                "role": self.role,
                "signer": self.signer,
                "key": self.key,
                "at_us": (self.at - _EPOCH) // timedelta(microseconds=1),
                "seconds": self.seconds,
            }
        ).decode()


def read_statement(text: str) -> Statement:
    """A statement from its text. Raises BadInputError unless it is one, to the letter."""
    value = read_canonical(text)
    if set(value) != _NAMES:
        raise BadInputError(
            f"A statement has other fields: {', '.join(sorted(set(value) ^ _NAMES))[:200]}",
            mend="Sign the statement as the hub gives it out",
        )
    _check_kinds(value)
    try:
        decision = UsageDecision(value["decision"])
        at = _EPOCH + timedelta(microseconds=value["at_us"])
    except (ValueError, OverflowError) as error:
        raise BadInputError(
            "The statement's decision or time is none", mend="Ask for the statement again"
        ) from error
    batch = BatchKey(value["supplier"], value["gtin"], value["lot"])
    return Statement(
        ticket=value["ticket"],
        batch=batch if batch.gtin else None,
        decision=decision,
        reason=value["reason"],
        holds=tuple(value["holds"]),
        role=value["role"],
        signer=value["signer"],
        key=value["key"],
        at=at,
        quantity=value["quantity"],
        cartons=tuple(value["cartons"]),
        seconds=value["seconds"],
    )


def check_fresh(statement: Statement, now: datetime) -> None:
    """Raises ConflictError where it was made too long ago, or is dated ahead of the hub's clock."""
    if not -GOOD_FOR <= now - statement.at <= GOOD_FOR:
        raise ConflictError(
            f"This was signed at {statement.at.isoformat()}, too far from now",
            mend="Look at the ticket again and sign anew",
            at=statement.at.isoformat(),
        )


def check_holds_seen(statement: Statement, open_now: Collection[str]) -> None:
    """Raises StaleSignatureError where a hold is open that the signer did not see."""
    check_seen(statement.holds, open_now, ticket=statement.ticket)


def check_seen(seen: Collection[str], open_now: Collection[str], *, ticket: str) -> None:
    """As `check_holds_seen`, for whoever decided with these holds before them."""
    fresh = sorted(set(open_now).difference(seen))
    if fresh:
        raise StaleSignatureError(
            f"{', '.join(fresh)} came after this was decided",
            mend="Look at what is new on these goods, then decide again",
            new_holds=fresh,
            ticket=ticket,
        )


def check_scope(quantity: int, cartons: Collection[str], reason: str) -> None:
    """Raises BadInputError for a negative quantity, both ways of saying which goods, or no reason."""
    if quantity < 0:
        raise BadInputError(f"A decision about {quantity} units", mend="Give at least 1 unit")
    if quantity and cartons:
        raise BadInputError(
            "The decision names both cartons and a quantity",
            mend="Name the cartons, or say how many units, not both",
        )
    if len(cartons) > MOST_CARTONS:
        raise BadInputError(
            f"{len(cartons)} cartons in one decision", mend=f"Name at most {MOST_CARTONS}"
        )
    if not reason.strip():
        raise BadInputError("A decision needs its reason", mend="Write why in a few words")
    if len(reason) > MOST_REASON:
        raise BadInputError("The reason is too long", mend=f"Use at most {MOST_REASON} characters")


def _check_kinds(value: dict[str, Any]) -> None:
    texts = all(isinstance(value[name], str) for name in (*_TEXTS, "seconds"))
    numbers = all(type(value[name]) is int for name in _NUMBERS)
    lists = all(
        isinstance(value[name], list)
        and all(isinstance(item, str) for item in value[name])
        and value[name] == sorted(set(value[name]))
        for name in _LISTS
    )
    known = numbers and value["v"] == _VERSION and min(value["quantity"], value["at_us"]) >= 0
    if not (texts and lists and known):
        raise BadInputError(
            "The statement's fields are not what they should be",
            mend="Sign the statement as the hub gives it out",
        )
