"""What a box believes of its hub: signed words for itself alone, never old ones, never of sets that
the registry did not sign. Each attack has its own test (docs/adr/0033).
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ArtefactRefusedError
from contracts.ota import LANES, Assignment, Shadow
from ota.director.accept import Accepted, Floors, ImagePlane, Refused, accept
from ota.director.dsse import MOST_BYTES, Director, SignedAssignment, read_own, verify
from ota.director.issuing import FURTHEST, Number, Words, is_due, make_out, next_number

KEY = Ed25519PrivateKey.generate()
OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64
NOW = 1_700_000_000_000_000
ASSIGNED = Assignment(
    "edge-01", "dock-1", 3, 17, 5, NOW + 1_000_000, stage={"read": NEW}, keep=(OLD,)
)
IMAGES = ImagePlane(5, {"read": (NEW,)})


def signed(assignment: Assignment = ASSIGNED) -> SignedAssignment:
    return verify(Director(KEY).sign(assignment), [KEY.public_key()])


def decided(
    assignment: Assignment = ASSIGNED, floors: Floors | None = None, **facts: object
) -> Accepted | Refused:
    given_facts = {"device": "edge-01", "images": IMAGES, "now_us": NOW, **facts}
    return accept(signed(assignment), floors=floors or Floors(), **given_facts)


def refused(verdict: Accepted | Refused) -> str:
    assert isinstance(verdict, Refused), verdict
    return verdict.reason.code


def test_a_signed_assignment_says_what_was_signed() -> None:
    assert signed().assignment == ASSIGNED
    assert read_own(Director(KEY).sign(ASSIGNED)) == ASSIGNED


def test_an_assignment_is_small() -> None:
    assert len(Director(KEY).sign(ASSIGNED)) < 1200


def test_a_foreign_key_signs_nothing_here() -> None:
    with pytest.raises(ArtefactRefusedError, match="signed"):
        verify(Director(Ed25519PrivateKey.generate()).sign(ASSIGNED), [KEY.public_key()])


def test_a_changed_word_breaks_the_signature() -> None:
    envelope = json.loads(Director(KEY).sign(ASSIGNED))
    payload = base64.b64decode(envelope["payload"]).replace(b"edge-01", b"edge-02")
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(ArtefactRefusedError, match="signed"):
        verify(json.dumps(envelope).encode(), [KEY.public_key()])


def test_what_the_key_signed_for_another_purpose_is_no_assignment() -> None:
    envelope = json.loads(Director(KEY).sign(ASSIGNED))
    envelope["payloadType"] = "application/vnd.tallyman.something+json"
    with pytest.raises(ArtefactRefusedError, match="holds"):
        verify(json.dumps(envelope).encode(), [KEY.public_key()])


@pytest.mark.parametrize(
    "envelope", [b"", b"[]", b"{}", b'{"payload": 1}', b"\xff", b"x" * (MOST_BYTES + 1)]
)
def test_what_is_no_envelope_is_refused(envelope: bytes) -> None:
    with pytest.raises(ArtefactRefusedError):
        verify(envelope, [KEY.public_key()])


@given(st.binary(max_size=300))
def test_no_bytes_but_the_directors_pass(envelope: bytes) -> None:
    with pytest.raises(ArtefactRefusedError):
        verify(envelope, [KEY.public_key()])


def test_without_any_trusted_key_nothing_passes() -> None:
    with pytest.raises(ArtefactRefusedError):
        verify(Director(KEY).sign(ASSIGNED), [])


def test_a_good_assignment_raises_the_floors() -> None:
    verdict = decided(floors=Floors(3, 16, "", 4, NOW - 5))
    assert isinstance(verdict, Accepted)
    assert verdict.floors == Floors(3, 17, signed().payload, 5, NOW)
    assert not verdict.again


def test_another_devices_assignment_is_refused() -> None:
    assert refused(decided(device="edge-02")) == "ota_other_device"


def test_an_old_assignment_sent_again_is_refused() -> None:
    assert refused(decided(floors=Floors(3, 18))) == "ota_old_sequence"


def test_an_old_epoch_sent_again_is_refused_whatever_its_sequence() -> None:
    assert refused(decided(replace(ASSIGNED, sequence=900), Floors(4, 1))) == "ota_old_epoch"


def test_a_new_epoch_may_begin_its_sequence_anew() -> None:
    assert isinstance(decided(replace(ASSIGNED, epoch=4, sequence=1), Floors(3, 900)), Accepted)


def test_the_same_assignment_again_changes_nothing() -> None:
    first = decided()
    assert isinstance(first, Accepted)
    again = decided(floors=first.floors)
    assert isinstance(again, Accepted)
    assert again.again
    assert again.floors == first.floors


def test_one_number_for_two_texts_is_refused() -> None:
    first = decided()
    assert isinstance(first, Accepted)
    other = replace(ASSIGNED, stage={})
    assert refused(decided(other, first.floors)) == "ota_other_content"


def test_an_expired_assignment_begins_nothing() -> None:
    assert refused(decided(now_us=NOW + 2_000_000)) == "ota_assignment_expired"


def test_a_clock_set_back_does_not_revive_it() -> None:
    floors = Floors(time_us=NOW + 2_000_000)
    assert refused(decided(floors=floors, now_us=NOW - 10**12)) == "ota_assignment_expired"


def test_an_older_snapshot_than_the_director_knows_is_refused() -> None:
    old = ImagePlane(4, {"read": (NEW,)})
    assert refused(decided(images=old)) == "ota_snapshot_below"


def test_an_older_snapshot_than_this_box_knows_is_refused() -> None:
    assert refused(decided(floors=Floors(snapshot=6))) == "ota_snapshot_below"


def test_the_director_alone_brings_nothing_onto_a_box() -> None:
    assert refused(decided(images=ImagePlane(5))) == "ota_not_in_image_plane"


@pytest.mark.parametrize("lane", [lane for lane in LANES if lane != "read"])
def test_a_set_that_is_signed_for_one_lane_does_not_run_in_another(lane: str) -> None:
    wrong = replace(ASSIGNED, stage={}, run={lane: NEW})
    assert refused(decided(wrong)) == "ota_not_in_image_plane"


def test_a_shadow_is_asked_for_by_both_planes_too() -> None:
    shadow = replace(ASSIGNED, stage={}, shadow=(Shadow("r", "read", "sha256:" + "b" * 64),))
    assert refused(decided(shadow)) == "ota_not_in_image_plane"


def test_an_unknown_lane_is_refused() -> None:
    assert refused(decided(replace(ASSIGNED, run={"launch": NEW}))) == "ota_unknown_lane"


def test_the_way_back_is_open_though_the_registry_names_the_set_no_more() -> None:
    back = replace(ASSIGNED, stage={}, run={"read": OLD}, stop=True)
    assert refused(decided(back)) == "ota_not_in_image_plane"
    assert isinstance(decided(back, own=(OLD,)), Accepted)


WORDS = Words("edge-01", "dock-1", {"read": NEW}, {}, (), (), "r", stop=False)
NOTHING = Words("edge-01", "dock-1", {}, {}, (), (), "", stop=False)


def due(words: Words = WORDS, **facts: object) -> bool:
    known = {
        "same": True,
        "last": Number(1, 4),
        "said": Number(1, 4),
        "epoch": 1,
        "now_us": NOW,
        "renew_us": NOW + 1,
    }
    return is_due(words, **{**known, **facts})


def test_an_assignment_is_made_out_when_its_words_change_and_at_half_of_its_time() -> None:
    assert not due()
    assert due(same=False)
    assert due(renew_us=NOW)
    assert due(epoch=2)
    assert not due(NOTHING, last=None, said=Number(0, 0), same=False)
    assert due(last=None, said=Number(0, 0), same=False)


def test_a_hub_restored_from_a_backup_goes_beyond_what_its_boxes_have_seen() -> None:
    assert due(said=Number(1, 9))
    assert next_number(last=Number(1, 4), said=Number(1, 9), epoch=1) == Number(2, 1)
    assert next_number(last=None, said=Number(5, 9), epoch=1) == Number(6, 1)


def test_a_box_that_talks_nonsense_does_not_use_up_the_numbers() -> None:
    wild = Number(FURTHEST, 1)
    assert not due(said=wild)
    assert next_number(last=Number(1, 4), said=wild, epoch=1) == Number(1, 5)


@given(
    st.builds(Number, st.integers(0, 50), st.integers(0, 50)),
    st.builds(Number, st.integers(0, 50), st.integers(0, 50)),
    st.integers(1, 50),
)
def test_a_number_is_always_beyond_all_that_were_ever_seen(
    last: Number, said: Number, epoch: int
) -> None:
    made = next_number(last=last, said=said, epoch=epoch)
    assert (made.epoch, made.sequence) > (last.epoch, last.sequence)
    assert (made.epoch, made.sequence) > (said.epoch, said.sequence)


def test_an_assignment_lives_so_many_days_and_is_renewed_at_half() -> None:
    made, renew_us = make_out(replace(WORDS, snapshot=8), Number(2, 3), now_us=NOW, days=10)
    assert (made.epoch, made.sequence, made.least_snapshot) == (2, 3, 8)
    assert made.not_after_us - NOW == 2 * (renew_us - NOW) == 10 * 86_400_000_000
