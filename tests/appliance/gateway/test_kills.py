"""Real processes are killed, frozen and filled up while sensors speak: nothing that was acknowledged
is lost, nothing counts twice (I2). The long form is `make campaign-ingest`.
"""

from __future__ import annotations

import pytest

from appliance.bench.ingest.kills.campaign import AT_THE_DOORS, WEIGHTS, Campaign
from appliance.bench.ingest.kills.judge import judge, judge_history
from appliance.bench.ingest.kills.papers import cold_room, payload, write_papers
from appliance.bench.ingest.kills.senders import Account
from appliance.layout import Layout
from telemetry.segments import SegmentWriter


@pytest.mark.timeout(500)
async def test_whatever_is_killed_every_reading_is_on_disk_once_and_every_alarm_told_once(tmp_path):
    campaign = Campaign(Layout(tmp_path), seed=7)
    try:
        await campaign.begin()
        for what in WEIGHTS:
            await campaign.harm(what)
        verdict = await campaign.end()
    finally:
        await campaign.stop()
    assert verdict.faults == []
    assert verdict.acknowledged == verdict.sent > 0
    assert verdict.alarms > 0


@pytest.mark.timeout(500)
async def test_an_endpoint_process_that_is_killed_takes_nothing_with_it(tmp_path):
    campaign = Campaign(Layout(tmp_path), seed=8, endpoints=2)
    harms = [*AT_THE_DOORS, "endpoint", "gateway", "full disk", "endpoint"]
    try:
        await campaign.begin()
        assert len(campaign.plant.endpoint_pids()) == 2
        for what in harms:
            await campaign.harm(what)
        verdict = await campaign.end()
    finally:
        await campaign.stop()
    assert verdict.faults == []
    assert verdict.acknowledged == verdict.sent > 0
    assert verdict.alarms > 0
    assert campaign.done.total() == len(harms)


def kept(layout: Layout, *numbers: int, device: str = "probe-1") -> None:
    layout.segments.mkdir(parents=True)
    writer = SegmentWriter(layout.segments)
    for number in numbers:
        writer.append(1, [(f"sensors/{device}/climate", payload(number, 1))])
    writer.commit()
    writer.close()


def test_the_judge_sees_what_was_lost_and_what_came_twice(tmp_path):
    layout = Layout(tmp_path)
    account = Account("probe-1", 0)
    for _ in range(3):
        account.next()
    account.acked[:] = b"\x01\x01\x00"
    kept(layout, 0, 0, 2)
    verdict = judge(layout, [account], alarms=False)
    assert (verdict.lost, verdict.twice, verdict.stored) == (1, 1, 2)
    assert not verdict.holds
    assert "probe-1 1 was acknowledged and is not on disk" in verdict.faults


def test_the_judge_counts_the_history(tmp_path):
    layout = Layout(tmp_path)
    kept(layout, 0, 1)
    account = Account("probe-1", 0)
    verdict = judge(layout, [account], alarms=False)
    judge_history(verdict, 4)
    assert verdict.holds
    judge_history(verdict, 6)
    assert not verdict.holds


def test_papers_are_believed_without_a_hub(tmp_path):
    layout = Layout(tmp_path)
    write_papers(layout, ("probe-1",), coap=("probe-4",), fences=(cold_room(),))
    assert (layout.gateway / "bundle.json").exists()
    assert (layout.gateway / "fences" / "fences.json").exists()
