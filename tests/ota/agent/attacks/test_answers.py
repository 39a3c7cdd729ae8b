"""What a hub says unsigned, or whoever answers in its name, stops no agent and floods no hub."""

from __future__ import annotations

import hashlib
import json
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.errors import ArtefactRefusedError
from ota.agent import delta
from ota.agent.settings import Trust
from ota.director.dsse import Director, verify
from tests.ota.agent.attacks.conftest import Site
from tests.ota.director.test_assignments import ASSIGNED
from tests.support.image_plane import set_files

OLD = Random(1).randbytes(20_000)  # noqa: S311 -- content of a file
NEW = OLD[:9000] + b"changed" + OLD[9007:]
FROM, TO = (hashlib.sha256(each).hexdigest() for each in (OLD, NEW))


def offered(site: Site, kind: str) -> str:
    """A set one of whose files may come as a difference of this kind; its digest."""
    site.later(site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": OLD})))
    made = delta.make(OLD, NEW)
    assert made is not None
    way = {"old": FROM, "new": TO, "kind": kind, "size_bytes": len(made.data)}
    site.repository.deltas |= {f"{FROM}-{TO}.{kind}": made.data, TO: json.dumps([way]).encode()}
    return site.repository.publish("read", set_files("read", "4.0.0", {"model.onnx": NEW}))


@pytest.mark.parametrize("kind", ["x/../../../../active.json", "..", "a\\b", "unheard-of", ""])
def test_a_difference_of_an_evil_kind_leads_nowhere_and_costs_nothing(site: Site, kind: str):
    """Its name would become a file's; an agent that fell over it would fall each time it starts."""
    site.later(offered(site, kind))
    assert f"artefacts/{TO}" in site.box.hub.asked
    assert not any(each.startswith(f"deltas/{FROM}-") for each in site.box.hub.asked)


def test_no_difference_is_undone_that_does_not_fit_in_memory(site: Site, monkeypatch):
    digest = offered(site, "patch")
    monkeypatch.setattr(delta, "LARGEST_BYTES", len(OLD) - 1)
    site.later(digest)
    assert f"artefacts/{TO}" in site.box.hub.asked


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_an_assignment_in_another_encoding_is_refused_like_any_nonsense(encoding: str):
    """Python reads such JSON; what is then kept as text would end the agent."""
    key = Ed25519PrivateKey.generate()
    envelope = Director(key).sign(ASSIGNED)
    assert verify(envelope, [key.public_key()]).assignment == ASSIGNED
    with pytest.raises(ArtefactRefusedError, match="no DSSE envelope"):
        verify(envelope.decode().encode(encoding), [key.public_key()])


def test_whoever_wakes_a_box_all_the_time_makes_it_no_flood(site: Site):
    box = site.box
    before, began = box.hub.asked.count("assignment"), box.time.passed
    for _ in range(500):
        box.agent.wake()
        box.agent.step()
        box.time.sleep(0.02)
    passed = box.time.passed - began
    assert box.hub.asked.count("assignment") - before <= passed + 2


def test_a_box_that_trusts_another_director_asks_again_for_what_it_no_longer_believes(site: Site):
    """The tag of an assignment that counts no more would be answered by nothing new, for days."""
    other = Ed25519PrivateKey.generate()
    public = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    site.box.start(trust=Trust(site.repository.first_root, {"director": public}))
    site.box.run(400)
    site.runs_on("ota_assignment_unsigned", "assignment")
    site.box.hub.director = Director(other)
    site.later(site.repository.publish("read", set_files("read", "3.0.0")))
