"""The one way in which a message reaches an ERP: search, create, look again, advance, confirm (I2).

Whatever was cut off is found by its reference the next time; whatever the ERP did twice is found
before it has a second effect.
"""

from __future__ import annotations

from erp_link.connectors.port import ErpDocument, ErpPort, ErpRefusedError, Stopped
from erp_link.domain.erp.messages import Message, MessageKind


def deliver(port: ErpPort, message: Message) -> ErpDocument | Stopped:
    """What the ERP has now. Raises UnavailableError (again later), ErpRefusedError (a person)."""
    if message.kind is MessageKind.STOP:
        return port.stop(message)
    if message.kind is MessageKind.BY_HAND:
        raise ErpRefusedError(
            f"{message.first.quantity} units of {message.first.batch}: {message.why}. No connector"
            f" books this in {port.name}",
            mend=f"Book it in {port.name} by hand, then say here that it is done",
        )
    found = _living(port, message)
    if not found:
        port.create(message)
        # Once more: a request that was sent or answered twice has made two.
        found = _living(port, message)
        if not found:
            raise ErpRefusedError(
                f"{port.name} made a document for {message.reference} and does not find it again",
                mend=f"Look for {message.reference} in {port.name}; the user there may lack rights",
            )
    kept = _one_of(port, message, found)
    if not kept.done:
        kept = port.advance(message, kept)
    if not kept.done:
        raise ErpRefusedError(
            f"{kept.number} in {port.name} does not come to its end",
            mend=f"Open it in {port.name} and see what it waits for, then try again",
            document=kept.number,
        )
    return kept


def _living(port: ErpPort, message: Message) -> list[ErpDocument]:
    return [document for document in port.find(message) if not document.cancelled]


def _one_of(port: ErpPort, message: Message, found: list[ErpDocument]) -> ErpDocument:
    """The one to go on with; twins without effect are cancelled. Raises ErpRefusedError."""
    settled = [document for document in found if document.done]
    if len(settled) > 1:
        numbers = ", ".join(document.number for document in settled)
        raise ErpRefusedError(
            f"{port.name} booked {message.reference} more than once: {numbers}",
            mend=f"Take all but one back in {port.name}, then try again",
            documents=numbers,
        )
    kept = settled[0] if settled else found[0]
    for twin in found:
        if twin is not kept:
            port.cancel(twin)
    return kept
