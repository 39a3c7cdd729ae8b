"""Whether a message comes from whom it names. Pure.

The topic says who speaks: a broker with topic rules lets each vehicle publish below its own
manufacturer and serial only. The header of the payload names a vehicle too (VDA 5050, 6.4), and
nobody but the sender vouches for it. Where the two differ, something is set up wrongly or somebody
speaks for another: the message counts for neither.
"""

from __future__ import annotations

from agv_bridge.vda5050.codec import Received
from contracts.reason import Reason

OTHER_NAME = "agv_other_name"
UNREADABLE = "agv_message_unreadable"
NOT_TAKEN = "agv_not_taken"
NOT_ITS_ORDER = "agv_not_its_order"
"""It speaks of an order of ours that was never sent to it."""


def named_otherwise(received: Received) -> Reason | None:
    """Why the message is not taken; None where its header names the topic's vehicle, or nobody."""
    address, message = received.address, received.message
    said = (message.manufacturer or address.manufacturer, message.serial_number or address.serial)
    if said == (address.manufacturer, address.serial):
        return None
    return Reason(OTHER_NAME, {"vehicle": address.vehicle, "named": "/".join(said)[:120]})
