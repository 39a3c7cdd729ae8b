"""What a fence needs before a gateway lets it watch (I5)."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from appliance.fences.guard import FenceGuard
from appliance.fences.statement import PURPOSE, SignedFence
from appliance.fences.wire import SignedFences
from appliance.teaching.trust import TrustedKeys
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, NotFoundError
from telemetry.watching.formulas.units import ExpressionError
from tests.support.fences import WORDS, Hub, cold_room
from tests.support.signing import Pen

OTHER = "another four good words"


@pytest.fixture
def hub(tmp_path):
    made = Hub(tmp_path / "hub")
    yield made
    made.close()


@pytest.fixture
def gateway(tmp_path):
    """A gateway's guard, made anew as after a restart."""
    folder = tmp_path / "gateway"
    return lambda: FenceGuard(folder, TrustedKeys(folder / "trust"))


def test_a_signed_fence_watches_also_after_a_restart_without_the_hub(hub, gateway):
    guard = gateway()
    hub.puts_in_force(cold_room())
    assert guard.take(hub.office.told())
    assert [each.fence for each in guard.fences()] == ["cold-room"]
    assert not guard.take(hub.office.told())
    assert gateway().fences() == guard.fences()
    assert guard.refused == 0


def test_what_the_disk_does_not_take_is_not_in_force_and_is_taken_later(hub, gateway, monkeypatch):
    guard = gateway()
    hub.puts_in_force(cold_room())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("appliance.fences.guard.write_atomic", full)
        with pytest.raises(OSError, match="No space"):
            guard.take(hub.office.told())
        assert guard.fences() == ()
    assert guard.take(hub.office.told())
    assert gateway().fences() == guard.fences() != ()


def test_a_draft_watches_nothing(hub, gateway):
    hub.office.save(cold_room(), by="mei")
    guard = gateway()
    assert not guard.take(hub.office.told())
    assert guard.fences() == ()


def test_a_later_version_takes_over_and_the_earlier_one_never_comes_back(hub, gateway):
    guard = gateway()
    hub.puts_in_force(cold_room())
    early = hub.office.told()
    guard.take(early)
    hub.puts_in_force(cold_room(above=9.0))
    assert guard.take(hub.office.told())
    assert [(each.version, each.above) for each in guard.fences()] == [(2, 9.0)]
    assert not guard.take(early)
    assert [each.version for each in guard.fences()] == [2]
    assert (guard.refused, guard.troubles[0].code) == (1, "fence_refused")
    assert "no later" in guard.troubles[0].params["why"]


def test_a_fence_ends_by_a_signed_word_and_not_because_the_hub_is_silent(hub, gateway):
    guard = gateway()
    hub.puts_in_force(cold_room())
    guard.take(hub.office.told())
    assert not guard.take(replace_fences(hub.office.told(), ()))
    assert len(guard.fences()) == 1
    hub.signs("cold-room", "retired")
    assert guard.take(hub.office.told())
    assert guard.fences() == ()
    assert gateway().fences() == ()
    hub.puts_in_force(cold_room())
    assert guard.take(hub.office.told())
    assert [each.version for each in guard.fences()] == [3]


@pytest.mark.parametrize(
    "altered",
    [
        lambda one: replace(one, text=one.text.replace('"above":"8"', '"above":"28"')),
        lambda one: replace(one, statement=one.statement.replace('"version":1', '"version":7')),
        lambda one: replace(one, signature=one.signature[::-1]),
        lambda one: replace(one, signature=""),
        lambda one: replace(one, text=one.text + " "),
    ],
)
def test_what_was_altered_on_its_way_is_refused_and_what_was_in_force_stays(hub, gateway, altered):
    guard = gateway()
    hub.puts_in_force(cold_room())
    told = hub.office.told()
    guard.take(replace_fences(told, tuple(map(altered, told.fences))))
    assert guard.fences() == ()
    assert guard.refused == 1
    assert guard.take(told)


def test_a_key_that_the_lead_did_not_let_sign_puts_nothing_in_force(hub, gateway):
    eve = Pen("eve")
    hub.people.register(eve)
    hub.office.save(cold_room(), by="eve")
    with pytest.raises(ConflictError, match="not let this key"):
        hub.signs("cold-room", pen=eve)
    text = hub.office.statement(
        "cold-room", "active", signer="mei", key=hub.mei.key_id, reason="looked"
    )
    with pytest.raises(ArtefactRefusedError, match="does not hold"):
        hub.office.activate(text, eve.sign(PURPOSE + text.encode()), by="mei")
    # A hub that was taken over signs with a key of its own: the gateway never heard of it.
    forged = SignedFence(cold_room().text(), text, eve.sign(PURPOSE + text.encode()))
    guard = gateway()
    guard.take(replace_fences(hub.office.told(), (forged,)))
    assert (guard.fences(), guard.refused) == ((), 1)


def test_a_lead_whom_nobody_vouched_for_delegates_nobody(hub, gateway, tmp_path):
    guard = gateway()
    hub.puts_in_force(cold_room())
    guard.take(hub.office.told())
    other = Hub(tmp_path / "other", passphrase=OTHER)
    other.puts_in_force(cold_room())
    other.puts_in_force(cold_room(above=30.0))
    assert not guard.take(other.office.told())
    assert [each.above for each in guard.fences()] == [8.0]
    assert guard.refused > 0
    other.close()


def test_who_loses_the_key_signs_no_more_but_what_was_signed_goes_on(hub, gateway):
    guard = gateway()
    hub.puts_in_force(cold_room())
    guard.take(hub.office.told())
    hub.office.withdraw(hub.mei.key_id)
    hub.office.save(cold_room(above=9.0), by="mei")
    with pytest.raises(ConflictError, match="not let this key"):
        hub.signs("cold-room")
    guard.take(hub.office.told())
    assert [each.above for each in guard.fences()] == [8.0]
    with pytest.raises(NotFoundError):
        hub.office.withdraw(hub.mei.key_id)


def test_another_lead_key_lets_people_sign_anew(hub, gateway):
    guard = gateway()
    hub.puts_in_force(cold_room())
    guard.take(hub.office.told())
    hub.lead.replace_key(WORDS, OTHER, holder="Lin")
    assert hub.office.may_sign("mei") == frozenset()
    hub.office.delegate("mei", hub.mei.key_id, by="Lin", passphrase=OTHER)
    hub.puts_in_force(cold_room(above=9.0))
    guard.take(hub.office.told())
    assert [each.version for each in guard.fences()] == [2]


def test_a_statement_is_about_what_the_signer_saw_and_of_now(hub):
    hub.office.save(cold_room(), by="mei")
    text = hub.office.statement(
        "cold-room", "active", signer="mei", key=hub.mei.key_id, reason="looked"
    )
    hub.office.save(cold_room(above=12.0), by="ben")
    with pytest.raises((ConflictError, ArtefactRefusedError)):
        hub.office.activate(text, hub.mei.sign(PURPOSE + text.encode()), by="mei")
    text = hub.office.statement(
        "cold-room", "active", signer="mei", key=hub.mei.key_id, reason="looked"
    )
    hub.clock.at += timedelta(hours=1)
    with pytest.raises(ConflictError, match="too long ago"):
        hub.office.activate(text, hub.mei.sign(PURPOSE + text.encode()), by="mei")


def test_what_cannot_watch_is_refused_where_it_is_saved(hub):
    with pytest.raises(BadInputError, match="lower limit"):
        hub.office.save(cold_room(below=9.0), by="mei")
    with pytest.raises(ExpressionError, match="no quantity"):
        hub.office.save(cold_room(expression="temprature > 8"), by="mei")
    assert hub.office.stories() == []


def test_every_version_is_kept_with_who_saved_and_signed_it(hub):
    hub.puts_in_force(cold_room())
    hub.office.save(cold_room(above=9.0), by="ben")
    hub.office.save(cold_room(above=9.5), by="ben")
    story = hub.office.story("cold-room")
    assert [(each.fence.version, each.fence.above, each.state) for each in story.versions] == [
        (2, 9.5, "draft"),
        (1, 8.0, "active"),
    ]
    hub.office.drop_draft("cold-room")
    assert hub.office.story("cold-room").draft is None


def test_a_damaged_file_says_how_to_mend_it(hub, gateway, tmp_path):
    hub.puts_in_force(cold_room())
    gateway().take(hub.office.told())
    (tmp_path / "gateway" / "fences.json").write_bytes(b"{")
    with pytest.raises(BadInputError, match="Remove it"):
        gateway()


def replace_fences(told, fences):
    return msgspec.structs.replace(told, fences=fences) if isinstance(told, SignedFences) else told
