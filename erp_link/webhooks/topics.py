"""The kinds of events that a webhook may ask for: everything that the house's history can say."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from contracts.errors import BadInputError

EVERYTHING = "*"
_MOST = 50
TOPICS = frozenset(
    [
        "accepted",
        "adjusted",
        "alarm",
        "announced",
        "blocked",
        "camera",
        "cancelled",
        "captured",
        "confirmed",
        "corrected",
        "counted",
        "decided",
        "device",
        "erp",
        "excursion",
        "expiry",
        "failed",
        "freed",
        "generation",
        "held",
        "inspected",
        "judged",
        "master_data",
        "moved",
        "no_slot",
        "noted",
        "observed",
        "on_the_way",
        "order_cancelled",
        "order_packed",
        "order_picked",
        "order_placed",
        "order_planned",
        "order_planned_again",
        "order_returned",
        "order_shipped",
        "picked",
        "place",
        "product",
        "quota_ended",
        "quota_granted",
        "received",
        "refused",
        "release_offline",
        "released",
        "rejudged",
        "reorder_policy",
        "reservation_released",
        "reserved",
        "restated",
        "sampling",
        "scrapped",
        "sent_back",
        "session",
        "settled",
        "shipped",
        "signed",
        "signing_key",
        "stopping",
        "ticket",
        "transport",
        "unreadable",
        "waits",
        "webhook",
    ]
)


def checked(given: Sequence[str]) -> tuple[str, ...]:
    """The topics, each once. Raises BadInputError for one that no event ever has."""
    topics = tuple(dict.fromkeys(given))
    wrong = [each for each in topics if each != EVERYTHING and each not in TOPICS]
    if not topics or len(topics) > _MOST:
        raise BadInputError(
            "Topics are missing or too many",
            mend="Name kinds of events such as held, released, shipped, or *",
        )
    if wrong:
        near = difflib.get_close_matches(wrong[0], TOPICS, n=1)
        meant = f"Is {near[0]} meant? " if near else ""
        raise BadInputError(
            f"Topics that no event ever has: {', '.join(repr(each[:40]) for each in wrong)}",
            mend=f"{meant}The kinds are: {', '.join(sorted(TOPICS))}, or * for all",
        )
    return topics
