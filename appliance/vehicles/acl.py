"""The same rules for a site that runs Mosquitto itself: its `acl_file` and its `password_file`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from appliance.services.nats import ROLES, TopicRule
from appliance.vehicles.registry import Enrolled


def acl_text(enrolled: Iterable[Enrolled], *, roles: Mapping[str, TopicRule] = ROLES) -> str:
    """`acl_file`: our own roles, then everybody who is enrolled and not revoked."""
    lines = [
        "# Who may say and hear what. Made by `tallyman agv acl`; make it anew after a change."
    ]
    for role, rule in roles.items():
        lines += _user(role, rule)
    for one in enrolled:
        if not one.is_revoked:
            lines += _user(one.name, one.rule)
    return "\n".join([*lines, ""])


def password_lines(enrolled: Iterable[Enrolled]) -> str:
    """Lines for `password_file`. Those of our roles are the site's own to make."""
    return "".join(f"{one.name}:{one.pbkdf2}\n" for one in enrolled if not one.is_revoked)


def _user(name: str, rule: TopicRule) -> list[str]:
    both = [topic for topic in rule.publish if topic in rule.subscribe]
    return [
        "",
        f"user {name}",
        *(f"topic readwrite {topic}" for topic in both),
        *(f"topic write {topic}" for topic in rule.publish if topic not in both),
        *(f"topic read {topic}" for topic in rule.subscribe if topic not in both),
    ]
