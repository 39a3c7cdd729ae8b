"""People change who may sign: one after another, each far from the hub, and boxes follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner, Signer

from contracts.clock import SystemClock
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, UnavailableError
from ota.registry.adapters.memory import MemoryMetadata
from ota.registry.in_memory import Keys
from ota.registry.plane.ceremony import (
    Proposal,
    adopt,
    missing,
    propose_lane,
    propose_online,
    propose_people,
    sign,
)
from ota.registry.plane.founding import found
from ota.registry.plane.image_plane import ImagePlane
from tests.ota.registry.test_image_plane import MANIFEST, PATH, Box

CLOCK = SystemClock()


@dataclass
class Site:
    """A plane of three root holders of whom two sign, and a box that trusts it."""

    folder: Path
    keys: Keys = field(default_factory=Keys)
    store: MemoryMetadata = field(default_factory=MemoryMetadata)
    further: list[Signer] = field(default_factory=list)

    def __post_init__(self) -> None:
        root = found(self.store, self.keys.founders(), clock=CLOCK)
        self.plane = ImagePlane(self.store, online=self._online, clock=CLOCK)
        self.box = Box(self.folder / "box", self.store, root)
        self.plane.add("read", PATH, MANIFEST, {}, self.keys.lanes["read"])
        assert self.box.sees() == {}

    def _online(self, key_id: str) -> Signer | None:
        known = {each.public_key.keyid: each for each in self.further}
        return self.keys.online(key_id) or known.get(key_id)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def passed_on(proposal: Proposal) -> Proposal:
    """As it travels from one holder to the next."""
    return Proposal.from_bytes(proposal.to_bytes())


def new_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def key_id(signer: Signer) -> str:
    return signer.public_key.keyid


def test_a_holder_who_left_is_replaced_by_those_who_stay(site: Site) -> None:
    anna, bert, carl = site.keys.people
    dora = new_key()
    proposal = propose_people(site.plane, clock=CLOCK, add=[dora.public_key], remove=[key_id(carl)])
    assert missing(proposal) == {"root": 2, "targets": 2}
    for signer in (anna, bert):
        proposal = passed_on(proposal)
        assert sign(proposal, signer) == ["root", "targets"]
    assert missing(proposal) == {}
    adopt(site.plane, proposal)
    assert site.plane.root().signed.version == 2
    assert site.box.sees() == {}
    # From now on carl's word is nothing, dora's is.
    later = propose_people(site.plane, clock=CLOCK)
    with pytest.raises(ArtefactRefusedError, match="counts for nothing"):
        sign(later, carl)
    for signer in (dora, anna):
        sign(later, signer)
    adopt(site.plane, later)
    assert site.box.sees() == {}


def test_one_signature_of_two_brings_nothing_into_force(site: Site) -> None:
    proposal = propose_people(site.plane, clock=CLOCK)
    sign(proposal, site.keys.people[0])
    sign(proposal, site.keys.people[0])
    assert missing(proposal) == {"root": 1, "targets": 1}
    with pytest.raises(ArtefactRefusedError, match="Signatures are missing"):
        adopt(site.plane, proposal)
    assert site.plane.root().signed.version == 1


def test_newcomers_alone_cannot_take_a_site_over(site: Site) -> None:
    thieves = [new_key(), new_key()]
    proposal = propose_people(
        site.plane,
        clock=CLOCK,
        add=[each.public_key for each in thieves],
        remove=[key_id(each) for each in site.keys.people],
    )
    for each in thieves:
        sign(proposal, each)
    assert missing(proposal) == {"root": 2}
    with pytest.raises(ArtefactRefusedError):
        adopt(site.plane, proposal)


def test_a_publishers_key_is_replaced_and_what_is_published_stays(site: Site) -> None:
    lost, new = site.keys.lanes["read"], new_key()
    proposal = propose_lane(site.plane, "read", new.public_key, clock=CLOCK)
    sign(proposal, site.keys.people[0])
    sign(proposal, site.keys.people[2])
    assert missing(proposal) == {"read": 1}
    assert sign(passed_on(proposal), new) == ["read"]
    sign(proposal, new)
    adopt(site.plane, proposal)
    assert site.box.sees() == {}
    with pytest.raises(ArtefactRefusedError, match="may not sign"):
        site.plane.renew("read", lost)
    site.plane.remove("read", PATH, new)
    assert site.box.sees() is None


def test_after_a_burglary_the_hub_gets_new_keys(site: Site) -> None:
    snapshot, timestamp = new_key(), new_key()
    site.further += [snapshot, timestamp]
    proposal = propose_online(
        site.plane, clock=CLOCK, snapshot=snapshot.public_key, timestamp=timestamp.public_key
    )
    for each in site.keys.people[:2]:
        sign(proposal, each)
    adopt(site.plane, proposal)
    assert site.box.sees() == {}
    assert key_id(site.keys.timestamp) not in site.plane.timestamp().signatures


def test_keys_that_the_hub_does_not_have_are_refused_before_anything_is_written(site: Site) -> None:
    proposal = propose_online(site.plane, clock=CLOCK, snapshot=new_key().public_key)
    for each in site.keys.people[:2]:
        sign(proposal, each)
    with pytest.raises(UnavailableError, match="not here"):
        adopt(site.plane, proposal)
    assert site.plane.root().signed.version == 1
    assert site.box.sees() == {}


def _publish(site: Site) -> None:
    another = PATH.replace("1.0.0", "1.1.0")
    site.plane.add("read", another, MANIFEST, {}, site.keys.lanes["read"])


def _rotate(site: Site) -> None:
    proposal = propose_people(site.plane, clock=CLOCK)
    for each in site.keys.people[:2]:
        sign(proposal, each)
    adopt(site.plane, proposal)


@pytest.mark.parametrize("meanwhile", [_publish, _rotate], ids=["published", "rotated"])
def test_a_proposal_that_was_overtaken_is_refused(
    site: Site, meanwhile: Callable[[Site], None]
) -> None:
    new = new_key()
    proposal = propose_lane(site.plane, "read", new.public_key, clock=CLOCK)
    for each in (*site.keys.people[:2], new):
        sign(proposal, each)
    meanwhile(site)
    with pytest.raises(ConflictError, match="propose it again"):
        adopt(site.plane, proposal)
    assert site.box.sees() == {}


def test_adopting_again_after_a_crash_ends_what_was_begun(site: Site) -> None:
    for stop_at in range(1, 5):
        proposal = propose_people(site.plane, clock=CLOCK)
        for each in site.keys.people[1:]:
            sign(proposal, each)
        count = 0
        whole = MemoryMetadata.write

        class Crashing(MemoryMetadata):
            def write(self, name: str, data: bytes) -> None:
                nonlocal count
                count += 1
                if count == stop_at:  # noqa: B023 -- used up within this turn
                    raise KeyboardInterrupt
                whole(self, name, data)  # noqa: B023 -- the same in every turn

        site.store.__class__ = Crashing
        with pytest.raises(KeyboardInterrupt):
            adopt(site.plane, proposal)
        site.store.__class__ = MemoryMetadata
        adopt(site.plane, passed_on(proposal))
        assert site.box.sees() == {}


def test_another_sites_proposal_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Site(tmp_path / "other")
    proposal = propose_people(other.plane, clock=CLOCK)
    for each in other.keys.people[:2]:
        sign(proposal, each)
    with pytest.raises(ConflictError, match="another site"):
        adopt(site.plane, proposal)


def test_too_few_holders_are_refused_at_once(site: Site) -> None:
    remove = [key_id(each) for each in site.keys.people[:2]]
    with pytest.raises(BadInputError, match="cannot sign"):
        propose_people(site.plane, clock=CLOCK, remove=remove)
    with pytest.raises(BadInputError, match="no root key"):
        propose_people(site.plane, clock=CLOCK, remove=["ab" * 32])


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"before": {}, "files": {}}', b"\xff"])
def test_what_is_no_proposal_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError, match="no proposal"):
        Proposal.from_bytes(data)
