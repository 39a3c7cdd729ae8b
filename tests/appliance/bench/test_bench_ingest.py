"""`tallyman bench ingest` in short: real processes, every part that needs nothing from outside."""

import json
import subprocess
import sys

import pytest

from appliance.bench.ingest.processes import cpu_s, started
from appliance.bench.ingest.stream import messages
from contracts.errors import UnavailableError


def bench(*arguments):
    command = [sys.executable, "-m", "appliance", "bench", "ingest", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_what_is_acknowledged_lies_on_the_disk_and_alarms_are_told_of():
    found = bench("--part", "direct", "--part", "alarm", "--seconds", "1", "--rounds", "1")
    assert found["direct"]["acknowledged"] > 0
    ways = [found["direct"], found["direct_with_processes"]]
    assert [way["lost"] for way in ways] == [0, 0]
    assert found["durable_rate_per_s"] == max(way["durable_rate_per_s"] for way in ways)
    assert found["alarm"]["alarms"] > 0


def test_a_thousand_probes_with_certificates_are_as_safe():
    found = bench("--part", "tls", "--tls-connections", "50", "--seconds", "1", "--rounds", "1")
    assert found["tls"]["tls"]
    assert found["tls"]["lost"] == 0


@pytest.mark.mosquitto
def test_behind_a_broker_every_reading_comes_through():
    found = bench("--part", "broker", "--part", "peers", "--count", "4000", "--rounds", "1")
    assert found["broker"]["rate_per_s"] > 0
    assert found["peers"]["aiomqtt"]["cpu_us_per_message"] > 0
    assert "peers.sh" in found["peers"]["node_red"]["left_out"]


def test_coap_is_answered_by_ours_and_by_the_peer():
    found = bench("--part", "coap", "--part", "decode", "--seconds", "1", "--rounds", "1")
    assert found["coap"]["requests_per_s"] > 0
    assert found["coap"]["aiocoap_requests_per_s"] > 0
    assert found["decode_and_rules_us"] > 0


def test_history_is_made_and_asked():
    found = bench("--part", "history", "--days", "1", "--sensors", "2", "--count", "4000")
    assert found["history"]["readings"] == 2 * 86_400
    assert found["history"]["questions_ms"]["1d"]["p50"] > 0
    assert found["history"]["tailed_cpu_us_per_message"] > 0


def test_the_stream_is_the_same_for_everybody():
    assert list(messages(100, seed=1)) == list(messages(100, seed=1))
    assert {topic for topic, _ in messages(100, seed=1, sensors=10)} == {
        f"sensors/cold-{n:04d}/reading" for n in range(10)
    }


def test_a_child_that_says_nothing_is_told_of_with_what_it_said(tmp_path):
    with (
        started([sys.executable, "-c", "print('not this')"], tmp_path, "child") as child,
        pytest.raises(UnavailableError, match="not this"),
    ):
        child.wait_for("ready")


def test_processor_time_grows_with_work():
    import os

    before = cpu_s(os.getpid())
    while cpu_s(os.getpid()) == before:
        sum(range(10_000))
    assert cpu_s(os.getpid()) > before
