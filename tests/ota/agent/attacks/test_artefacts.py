"""Attacks on the bytes of a set: whatever comes, only what the manifest names gets onto the shelf."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from contracts.ota import BoxStep
from ota.agent import delta
from tests.ota.agent.attacks.conftest import Site
from tests.support.box import is_verified
from tests.support.image_plane import digest_of, set_files


def test_a_swapped_artefact_is_fetched_anew_and_then_refused(site: Site):
    """Another network under the right name, of the right length."""
    newer = site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": b"n" * 9000}))
    name = hashlib.sha256(b"n" * 9000).hexdigest()
    site.repository.artefacts[name] = b"x" * 9000
    site.update(newer)
    assert site.box.said.step is BoxStep.FAILED
    assert site.box.said.trouble[newer].params["why"] == "another hash"
    assert newer not in site.box.said.held
    site.repository.artefacts[name] = b"n" * 9000
    site.update(newer, attempts=1)
    assert site.box.running["read"] == newer


def test_a_swapped_manifest_is_refused(site: Site):
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    evil = site.evil_files["manifest.json"]
    length = len(site.repository.artefacts[newer[7:]])
    site.repository.artefacts[newer[7:]] = evil.ljust(length)[:length]
    site.update(newer)
    assert site.box.said.step is BoxStep.FAILED
    assert site.box.running["read"] == site.good


def test_an_artefact_without_an_end_is_asked_for_its_length_only(site: Site):
    newer = site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": b"n" * 9000}))
    name = hashlib.sha256(b"n" * 9000).hexdigest()
    site.box.hub.meddle = lambda path, data: (
        b"y" * 50_000_000 if path == f"artefacts/{name}" else data
    )
    before = site.box.hub.served_bytes
    site.update(newer)
    assert site.box.said.step is BoxStep.FAILED
    assert site.box.hub.served_bytes - before < 60_000


def test_an_artefact_that_ends_too_soon_is_refused(site: Site):
    newer = site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": b"n" * 9000}))
    site.repository.artefacts[hashlib.sha256(b"n" * 9000).hexdigest()] = b"n" * 4000
    site.update(newer)
    assert site.box.said.trouble[newer].params["why"] == "another length"


def test_an_artefact_fed_in_drips_keeps_the_box_from_nothing(site: Site):
    """Its bytes are kept for when the line is better; polls and reports go on meanwhile."""
    content = Random(3).randbytes(30_000)  # noqa: S311 -- content of a file
    newer = site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": content}))
    hub = site.box.hub
    hub.assign(stage={"read": newer})

    def drip(path: str, data: bytes | None) -> bytes | None:
        hub.piece = 5 if path.startswith("artefacts/") else 1 << 20
        hub.slow_s = 4.0 if path.startswith("artefacts/") else 0.0
        return data

    hub.meddle = drip
    asked = len(hub.asked)
    site.box.run(1200)
    assert site.box.said.trouble[newer].code == "ota_hub_away"
    assert hub.asked[asked:].count("assignment") >= 5
    assert hub.asked[asked:].count("report") >= 5
    hub.meddle, hub.piece, hub.slow_s = (lambda _, data: data), 1 << 20, 0.0
    site.later(newer)


@pytest.mark.parametrize(
    "name", ["../../../../etc/cron.d/evil", "/etc/passwd", "a/../../b", "manifest.json/x", "a\\b"]
)
def test_a_manifest_that_names_a_file_outside_its_folder_is_refused(site: Site, name: str):
    """Well signed, and still: names lead nowhere but into the set's own folder."""
    files = set_files("read", "3.0.0", {name: b"evil" * 30})
    newer = site.repository.publish("read", files)
    site.update(newer)
    assert site.box.said.step is BoxStep.FAILED
    assert site.box.running["read"] == site.good
    assert not site.box.disk.names("etc")


def test_a_delta_that_leads_to_other_bytes_is_thrown_away_and_the_file_fetched_whole(site: Site):
    old = Random(1).randbytes(20_000)  # noqa: S311 -- content of a file
    new = old[:9000] + b"changed" + old[9007:]
    first = site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": old}))
    site.later(first)
    second = site.repository.publish("read", set_files("read", "4.0.0", {"model.onnx": new}))
    evil = delta.make(old, old[:9000] + b"EVIL!!!" + old[9007:])
    assert evil is not None
    from_hash, to_hash = (hashlib.sha256(each).hexdigest() for each in (old, new))
    name = f"{from_hash}-{to_hash}.{evil.kind}"
    ways = f'[{{"old":"{from_hash}","new":"{to_hash}","kind":"{evil.kind}","size_bytes":{len(evil.data)}}}]'
    site.repository.deltas |= {name: evil.data, to_hash: ways.encode()}
    site.later(second)
    assert f"deltas/{name}" in site.box.hub.asked
    assert f"artefacts/{to_hash}" in site.box.hub.asked


def test_an_honest_delta_saves_the_way_of_the_whole_file(site: Site):
    old = Random(1).randbytes(20_000)  # noqa: S311 -- content of a file
    new = old[:9000] + b"changed" + old[9007:]
    site.later(site.repository.publish("read", set_files("read", "3.0.0", {"model.onnx": old})))
    files = set_files("read", "4.0.0", {"model.onnx": new})
    second = site.repository.publish("read", files)
    made = delta.make(old, new)
    assert made is not None
    from_hash, to_hash = (hashlib.sha256(each).hexdigest() for each in (old, new))
    way = f'[{{"old":"{from_hash}","new":"{to_hash}","kind":"{made.kind}","size_bytes":{len(made.data)}}}]'
    site.repository.deltas |= {
        f"{from_hash}-{to_hash}.{made.kind}": made.data,
        to_hash: way.encode(),
    }
    before = site.box.agent.fetched_bytes
    site.later(second)
    assert site.box.agent.fetched_bytes - before == len(made.data) < 1000


def test_a_list_of_deltas_may_be_nonsense(site: Site):
    files = {"model.onnx": b"n" * 9000}
    newer = site.repository.publish("read", set_files("read", "3.0.0", files))
    to_hash = hashlib.sha256(files["model.onnx"]).hexdigest()
    for nonsense in (b"{}", b'[{"old": 3}]', b'[{"old":"a","new":"b","kind":"c","size_bytes":-1}]'):
        site.repository.deltas[to_hash] = nonsense
        site.box.hub.assign(stage={"read": newer})
        site.box.run(130)
    assert newer in site.box.said.staged


def test_a_held_set_that_the_disk_spoilt_is_not_switched_to(site: Site):
    """Bit rot between staging and running: verified once more, and fetched anew."""
    newer = site.repository.publish("read", set_files("read", "3.0.0"))
    site.box.hub.assign(stage={"read": newer})
    site.box.run(130)
    place = f"held/{newer[7:]}/model.onnx"
    data = bytearray(site.box.disk.read(place))
    data[10] ^= 1
    site.box.disk.truncate(place)
    site.box.disk.append(place, bytes(data))
    site.box.hub.assign(run={"read": newer})
    site.box.run(300)
    assert site.box.running["read"] == newer
    assert is_verified(site.box.disk, newer)


def test_a_set_that_the_director_names_and_nobody_published_is_not_even_asked_for(site: Site):
    evil = digest_of(site.evil_files)
    for data in site.evil_files.values():
        site.repository.artefacts[hashlib.sha256(data).hexdigest()] = data
    site.update(evil)
    site.runs_on("ota_not_in_image_plane", "assignment")
    assert f"artefacts/{evil[7:]}" not in site.box.hub.asked
