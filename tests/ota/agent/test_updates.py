"""One box from assignment to judging: the ordinary ways, and the ways back."""

from __future__ import annotations

import pytest

from contracts.ota import BoxStep, Shadow
from contracts.reason import Reason
from ota.agent.agent import AgentSettings
from tests.support.box import INSTALLED_DIGESTS, Box
from tests.support.image_plane import set_files

READER = INSTALLED_DIGESTS["read"]


@pytest.fixture
def box() -> Box:
    made = Box()
    made.run(10)
    return made


def publish(box: Box, version: str = "2.0.0", lane: str = "read", **more: object) -> str:
    return box.repository.publish(lane, set_files(lane, version, **more))


def update(box: Box, digest: str, lane: str = "read", **words: object) -> None:
    """Stage and then run, as the director does."""
    box.hub.assign(stage={lane: digest}, **words)
    box.run(100)
    box.hub.assign(run={lane: digest}, **words)
    box.run(100)


def test_without_an_assignment_the_installation_runs_and_is_reported(box: Box):
    assert box.running == INSTALLED_DIGESTS
    box.run(400)
    assert box.said.step is BoxStep.IDLE
    assert box.said.running == INSTALLED_DIGESTS
    assert box.said.trouble == {}


def test_a_staged_set_is_fetched_and_proven_and_does_not_run_yet(box: Box):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    assert box.said.step is BoxStep.STAGED
    assert box.said.staged == (digest,)
    assert box.prover.proved == [digest]
    assert box.running["read"] == READER


def test_told_to_run_it_the_box_switches_serves_its_probation_and_settles(box: Box):
    digest = publish(box)
    update(box, digest)
    assert box.running["read"] == digest
    box.run(100)
    assert box.said.step is BoxStep.IDLE
    assert box.said.running["read"] == digest
    assert box.edge.ran == [READER, INSTALLED_DIGESTS["inspect"], digest]
    assert BoxStep.PROBATION in box.steps()
    assert box.steps()[-3:] == [BoxStep.STAGED, BoxStep.PROBATION, BoxStep.IDLE]


def test_a_poll_without_news_is_answered_by_the_etag_alone(box: Box):
    digest = publish(box)
    update(box, digest)
    served = box.hub.served_bytes
    polls = box.hub.asked.count("assignment")
    box.run(3600)
    assert box.hub.served_bytes == served
    assert 40 < box.hub.asked.count("assignment") - polls < 90


def test_a_set_that_raises_on_cartons_is_left_by_the_box_itself(box: Box):
    digest = publish(box)
    box.edge.raises.add(digest)
    update(box, digest)
    assert box.running["read"] == READER
    assert box.said.step is BoxStep.RETURNED
    assert box.said.trouble[digest].code == "ota_probation_errors"
    box.run(2000)
    assert box.edge.ran.count(digest) == 1


def test_a_set_that_is_late_on_most_cartons_is_left(box: Box):
    digest = publish(box)
    box.edge.late.add(digest)
    update(box, digest)
    assert box.running["read"] == READER
    assert box.said.trouble[digest].code == "ota_probation_late"


def test_a_machine_that_was_late_before_sends_no_set_back_for_it(box: Box):
    digest = publish(box)
    box.edge.late |= {READER, digest}
    update(box, digest)
    box.run(100)
    assert box.running["read"] == digest
    assert box.said.step is BoxStep.IDLE


def test_a_set_that_the_edge_cannot_load_is_left(box: Box):
    digest = publish(box)
    box.edge.refuses.add(digest)
    update(box, digest)
    box.run(100)
    assert box.running["read"] == READER
    assert box.said.trouble[digest] == Reason(
        "ota_edge_refused", {"why": "set_refused", "lane": "read"}
    )


def test_an_edge_that_dies_of_loading_a_set_finds_the_previous_one_at_its_next_start(box: Box):
    digest = publish(box)
    box.edge.dies_of.add(digest)
    update(box, digest)
    assert box.edge.off
    box.run(400)
    box.edge.off = False
    box.run(20)
    assert box.running["read"] == READER
    assert box.said.trouble[digest].code == "ota_edge_stuck"


def test_an_edge_that_is_switched_off_is_no_fault_of_the_set(box: Box):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.edge.off = True
    box.hub.assign(run={"read": digest})
    box.run(5000)
    assert box.agent.active.digest("read") == digest
    assert box.said.trouble["edge"].code == "ota_edge_silent"
    box.edge.off = False
    box.run(200)
    assert box.running["read"] == digest
    assert box.said.step is BoxStep.IDLE


def test_a_second_try_needs_a_person_who_asks_for_it(box: Box):
    digest = publish(box)
    box.edge.raises.add(digest)
    update(box, digest)
    box.edge.raises.clear()
    box.hub.assign(run={"read": digest}, keep=(READER,))
    box.run(300)
    assert box.running["read"] == READER
    box.hub.assign(run={"read": digest}, attempts=1)
    box.run(300)
    assert box.running["read"] == digest
    assert box.said.trouble == {}


def test_a_set_that_fails_its_golden_frames_never_runs(box: Box):
    digest = publish(box)
    box.prover.wrong[digest] = Reason("ota_golden_differs", {"frames": 3})
    update(box, digest)
    assert box.said.step is BoxStep.FAILED
    assert box.said.trouble[digest].code == "ota_golden_differs"
    assert digest not in box.edge.ran
    assert box.running["read"] == READER


def test_the_director_takes_a_set_back_to_what_ran_before(box: Box):
    first, second = publish(box, "2.0.0"), publish(box, "3.0.0")
    update(box, first)
    box.run(200)
    update(box, second)
    box.run(200)
    assert box.running["read"] == second
    box.hub.assign(run={"read": first})
    box.run(100)
    assert box.running["read"] == first
    box.hub.assign(run={"read": ""})
    box.run(100)
    assert box.running["read"] == READER


def test_an_emergency_stop_brings_back_the_set_before_this_rollout(box: Box):
    digest, other = publish(box), publish(box, "2.0.0", "inspect")
    update(box, other, "inspect", rollout="r0")
    box.run(100)
    update(box, digest, rollout="r1")
    assert box.running == {"read": digest, "inspect": other}
    box.hub.assign(stop=True, rollout="r1")
    box.run(70)
    assert box.running == {"read": READER, "inspect": other}
    assert box.agent.active.why.code == "ota_stopped"


def test_a_stop_fetches_and_proves_nothing(box: Box):
    digest = publish(box)
    box.hub.assign(stop=True, stage={"read": digest})
    box.run(200)
    assert box.prover.proved == []
    assert f"artefacts/{digest[7:]}" not in box.hub.asked


def test_two_lanes_go_over_together_or_not_at_all(box: Box):
    reader, inspector = publish(box), publish(box, "2.0.0", "inspect")
    box.hub.assign(stage={"read": reader, "inspect": inspector})
    box.run(100)
    change = box.agent.active.change
    box.hub.assign(run={"read": reader, "inspect": inspector})
    box.run(70)
    assert box.running == {"read": reader, "inspect": inspector}
    assert box.agent.active.change == change + 1


def test_a_candidate_runs_beside_and_its_tallies_are_reported(box: Box):
    digest = publish(box)
    beside = Shadow("r1", "read", digest)
    box.hub.assign(stage={"read": digest}, shadow=(beside,))
    box.run(200)
    assert box.agent.active.shadow == (beside,)
    assert box.said.shadow[0].signals["harm"].frames == 10
    assert box.running["read"] == READER
    box.hub.assign(run={"read": digest}, shadow=(Shadow("r1", "read", READER),))
    box.run(200)
    assert box.agent.active.shadow[0].model_set == READER


def test_files_that_are_here_already_are_not_fetched_again(box: Box):
    old = {"model.onnx": b"w" * 9000, "words.txt": b"a" * 5000}
    first = publish(box, "2.0.0", files=old)
    update(box, first)
    box.run(100)
    before = box.agent.fetched_bytes
    second = publish(box, "3.0.0", files={**old, "words.txt": b"b" * 5000})
    update(box, second)
    assert box.running["read"] == second
    assert box.agent.fetched_bytes - before == 5000


def test_the_disk_keeps_what_runs_ran_or_is_pinned_and_lets_the_rest_go(box: Box):
    big = AgentSettings(poll_s=60, probation_cartons=20, probation_s=30, reserve_mb=1, budget_mb=5)
    box.settings = big
    box.start()
    made = [
        publish(box, f"{n}.0.0", files={"model.onnx": bytes([n]) * 1_000_000}) for n in range(2, 9)
    ]
    box.edge.open_pins = (made[0],)
    for digest in made[:3]:
        update(box, digest)
        box.run(200)
    box.hub.assign(run={"read": made[2]}, keep=(made[1],))
    box.run(100)
    for digest in made[3:]:
        update(box, digest, keep=(made[1],))
        box.run(200)
        held = set(box.said.held)
        assert made[0] in held
        assert box.agent.active.lanes["read"].model_set in held
        assert box.agent.active.lanes["read"].previous in {*held, ""}
        assert len(held) <= 5
        assert box.running["read"] == digest


def test_without_room_the_set_is_refused_and_said_so(box: Box):
    box.disk.capacity = 3_000_000
    digest = publish(box, files={"model.onnx": bytes(5_000_000)})
    update(box, digest)
    assert box.said.step is BoxStep.FAILED
    assert box.said.trouble[digest].code == "ota_no_room"
    assert box.running["read"] == READER


def test_a_hub_that_is_away_is_asked_less_often_and_nothing_else_changes(box: Box):
    box.hub.away = True
    box.run(7200)
    assert box.running == INSTALLED_DIGESTS
    box.hub.away = False
    before = len(box.hub.asked)
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(1200)
    assert box.said.staged == (digest,)
    assert len(box.hub.asked) > before


def test_a_wake_up_is_as_good_as_the_next_poll(box: Box):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.agent.wake()
    box.run(1)
    assert box.said.staged == (digest,)


def test_a_set_whose_lane_is_another_is_refused(box: Box):
    digest = box.repository.publish("inspect", set_files("read", "7.0.0"))
    box.hub.assign(stage={"inspect": digest})
    box.run(200)
    assert box.said.step is BoxStep.FAILED
    assert box.said.trouble[digest].params["why"] == "for the lane read"


def test_an_update_of_the_software_proves_what_is_staged_once_more(box: Box):
    digest = publish(box)
    box.hub.assign(stage={"read": digest})
    box.run(100)
    box.start(version="0.9.0")
    box.run(100)
    assert box.prover.proved == [digest, digest]
    assert box.said.step is BoxStep.STAGED


def test_a_set_that_no_station_loads_lies_ready_and_needs_no_probation(box: Box):
    digest = publish(box, lane="rules")
    update(box, digest, "rules")
    assert box.said.running["rules"] == digest
    assert box.said.step is BoxStep.IDLE
    assert box.said.trouble == {}
