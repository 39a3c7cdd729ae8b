"""Whole shifts of offline work, made up: three devices, each told now and then where the others are,
one of which may have been copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from contracts.device_log import (
    GENESIS,
    Adjusted,
    Counted,
    Fact,
    Flagged,
    Held,
    LogEntry,
    Moved,
    Observed,
    Received,
    Shipped,
    TicketOpened,
)
from contracts.stock import HoldKind, UsageDecision
from erp_link.domain.merge.entries import Cell
from erp_link.domain.merge.fold import Facts, Merged, merge
from erp_link.domain.merge.quotas import Grant
from erp_link.domain.merge.releases import ReleaseRule
from erp_link.domain.merge.union import Union, Written, unite
from erp_link.domain.quality.policy import DecisionPolicy
from tests.erp_link.merge.logs import AT_US, Phone, written_of
from tests.erp_link.story import JUICE, WATER

SHELF = "A-01-1"
OTHER = "A-01-2"
ROLES = {
    "lead": frozenset({"quality"}),
    "phone-1": frozenset({"operator"}),
    "phone-2": frozenset({"operator"}),
}
OWNERS = {"lead": "Wang", "phone-1": "Mei", "phone-2": "Li"}
TWO_PEOPLE = DecisionPolicy(two_people=frozenset({UsageDecision.RELEASE}))
"""With it Li's phone is quality's too."""
LATER = 10**6
"""A position of the core after everything that it did before: nothing crosses a count."""
STOCK = {Cell(WATER, SHELF): 10, Cell(JUICE, SHELF): 6}
GRANTS = {
    "Q-1": Grant("phone-1", WATER, 6, AT_US + 10**12),
    "Q-2": Grant("phone-2", JUICE, 3, AT_US + 10**12),
}


@dataclass
class World:
    """The devices, and every entry that any of them wrote."""

    phones: tuple[Phone, ...]
    log: list[tuple[LogEntry, Fact]]
    policy: DecisionPolicy = field(default_factory=DecisionPolicy)

    def roles(self, device: str) -> frozenset[str]:
        return roles_under(self.policy)[device]

    def merged(self) -> Merged:
        """What the pure merge makes of all of it."""
        return merged(self.written(), policy=self.policy)

    def written(self) -> list[Written]:
        return [written_of(entry, fact) for entry, fact in self.log]


def phones() -> tuple[Phone, Phone, Phone]:
    return Phone("phone-1"), Phone("phone-2", by="Li"), Phone("lead", by="Wang")


def roles_under(policy: DecisionPolicy) -> dict[str, frozenset[str]]:
    return ROLES | ({"phone-2": frozenset({"quality"})} if policy.two_people else {})


def merged(*logs: list[Written], policy: DecisionPolicy | None = None) -> Merged:
    """The pure merge over this stock, these quotas and roles."""
    union = unite(each for log in logs for each in log)
    return merge(union.entries, facts(union, policy or DecisionPolicy()))


def facts(union: Union, policy: DecisionPolicy) -> Facts:
    return Facts(
        on_hand=STOCK,
        grants=GRANTS,
        roles=roles_under(policy),
        owners=OWNERS,
        rule=ReleaseRule.of(policy),
        suspect_from=union.suspect_from,
    )


_batches = st.sampled_from([WATER, JUICE])
_places = st.sampled_from([SHELF, OTHER])
_amounts = st.integers(1, 5)
PLAIN: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Counted, _batches, _places, counted=st.integers(0, 12), expected=st.integers(0, 12)),
    st.builds(Adjusted, _batches, _places, st.sampled_from([-3, -1, 2]), st.just("seen")),
    st.builds(Moved, _batches, _amounts, st.just(SHELF), st.just(OTHER)),
    st.builds(Received, _batches, _amounts, _places, st.sampled_from(["", "2031-01-31"])),
    st.builds(Shipped, _batches, _amounts, st.sampled_from(["Q-1", "Q-2"]), location=_places),
    st.builds(Held, st.just(HoldKind.BATCH), st.just("wet"), _batches),
    st.builds(Held, st.just(HoldKind.SUPPLIER), st.just("recall"), supplier=st.just("ACME")),
    st.builds(Observed, _batches, st.sampled_from(["2031-06-30", "2031-02-28"])),
    st.builds(Flagged, st.just("price"), _places),
    st.builds(TicketOpened, st.just("look here"), _batches),
)


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 14) -> World:
    """A shift of up to `most` entries and, now and then, one of a copied device."""
    team = phones()
    policy = draw(st.sampled_from([DecisionPolicy(), TWO_PEOPLE]))
    releasing = ("lead", "phone-2") if policy.two_people else ("lead",)
    for _ in range(draw(st.integers(1, most))):
        phone = draw(st.sampled_from(team))
        if not phone.log or draw(st.integers(0, 4)) == 0:
            seen = {other.device: len(other.log) for other in team if draw(st.booleans())}
            phone.is_told(seen, LATER)
        elif phone.device in releasing and draw(st.booleans()):
            holds = [p.hold_id(e) for p in team for e, f in p.log if isinstance(f, Held)]
            phone.releases(*(holds[: draw(st.integers(1, 3))] or ["H-of-the-core"]))
        else:
            phone.writes(draw(PLAIN))
    log = [each for phone in team for each in phone.log]
    copied = draw(st.sampled_from(team))
    if draw(st.booleans()) and copied.log:
        # The same key at work on a second device, from somewhere in the log on.
        at = draw(st.integers(1, len(copied.log)))
        fact = draw(PLAIN)
        previous = copied.log[at - 2][0].hash if at > 1 else GENESIS
        log.append((copied.makes(fact, at, previous), fact))
    return World(team, log, policy)
