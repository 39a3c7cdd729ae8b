"""What an ERP is asked to do, whichever it is.

No ERP here takes an idempotency key. So every document carries our own reference and is searched
for by it before it is made; each step reads the state first and does what is left (I2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from contracts.asn import Asn
from contracts.errors import TallymanError
from contracts.stock import BatchKey
from erp_link.domain.erp.messages import Message
from erp_link.domain.orders import NewOrder


class ErpRefusedError(TallymanError):
    """The ERP says no, or says what we cannot act on: a person has to mend something."""

    code = "erp_refused"


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """A document in the ERP. `done` is true once it has its effect on the ERP's stock."""

    key: str
    """How the ERP itself finds it again: model and number, doctype and name."""
    number: str
    """What people call it."""
    done: bool
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class StoppedDocument:
    """A shipment that would have left with a held batch. `at_risk`: it stands picked or packed in
    the ERP, and somebody has to bring the goods back; else it was unassigned.
    """

    number: str
    batch: BatchKey
    at_risk: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop met in the ERP; nothing where nothing would have left."""

    documents: tuple[StoppedDocument, ...] = ()


class ErpPort(Protocol):
    """Every method is synchronous, may be repeated at will, and raises UnavailableError (later)
    or ErpRefusedError (a person).
    """

    @property
    def name(self) -> str:
        """The system's name, for people."""
        ...

    def find(self, message: Message) -> list[ErpDocument]:
        """The documents that carry the message's reference, oldest first."""
        ...

    def create(self, message: Message) -> ErpDocument:
        """Make the document, not yet with effect; its reference is in it from the first moment."""
        ...

    def advance(self, message: Message, document: ErpDocument) -> ErpDocument:
        """Drive a document to its effect, from whatever state it is in."""
        ...

    def cancel(self, document: ErpDocument) -> None:
        """Take back a twin that has no effect yet."""
        ...

    def stop(self, message: Message) -> Stopped:
        """Take the message's batches out of every shipment that would leave with them (I1)."""
        ...

    def announced(self) -> Sequence[Asn | ErpRefusedError]:
        """Deliveries that the ERP expects and that name their lots; what cannot be used as it
        stands comes as an error that says why.
        """
        ...

    def ordered(self) -> Sequence[NewOrder | ErpRefusedError]:
        """Customers' orders that wait in the ERP to be shipped; as `announced`."""
        ...

    def close(self) -> None: ...
