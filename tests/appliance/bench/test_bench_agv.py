"""`tallyman bench agv` in short: real processes on a real broker; the peer where it is installed."""

import json
import subprocess
import sys

from tests.support.another_vehicle import installed


def bench(*arguments):
    command = [sys.executable, "-m", "appliance", "bench", "agv", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_every_part_has_figures_and_loses_no_order():
    found = bench(
        *("--vehicles", "50", "--rate", "50", "--seconds", "1", "--peers", str(installed())),
        *("--working", "4", "--orders", "4", "--put-aways", "6"),
    )
    load = found["load"]
    assert (load["orders"], load["put_away"]) == (4, 4)
    assert (load["unreadable"], load["refused"]) == (0, 0)
    assert load["bridge_cpu_percent_of_a_core"] > 0
    assert load["order_to_vehicle_p95_ms"] > 0
    assert found["rate"]["put_aways"] == 6
    assert {"2.0.0", "2.1.0", "3.0.0"} == set(found["codec"])
    assert found["peers"]["vda_5050_lib"]["cpu_us_per_state"] > 0
