"""Topic names and filters (4.7). Pure."""

from __future__ import annotations

from collections.abc import Sequence


def is_name(topic: str) -> bool:
    """A topic that can be published to: not empty, no wildcard."""
    return bool(topic) and "+" not in topic and "#" not in topic


def is_filter(text: str) -> bool:
    """`#` only as the last level, `+` only as a whole level."""
    levels = text.split("/")
    if not text or any("#" in level for level in levels[:-1]):
        return False
    return all(level in {"+", "#"} or is_name(level or "-") for level in levels)


def matches(text: str, topic: str) -> bool:
    """Whether a filter covers a topic; a wildcard at the front never covers a `$` topic."""
    if topic.startswith("$") and text[:1] in {"+", "#"}:
        return False
    wanted, levels = text.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in {"+", levels[place]}:
            return False
    return len(wanted) == len(levels)


def may_publish(filters: Sequence[str], topic: str) -> bool:
    return any(matches(one, topic) for one in filters)
