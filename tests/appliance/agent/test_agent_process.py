"""`tallyman agent` as a process, against a hub's real routes behind TLS."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.agent.run import installed_sets
from appliance.layout import Layout
from contracts.ota import BoxStep
from ota.agent.files import RealFiles
from ota.agent.handover import read_active
from tests.appliance.agent.conftest import AgentProcess, EdgeBeside, OtaHub, newer_reader


def test_a_box_refuses_a_wrong_set_and_takes_a_right_one_whenever_it_is_killed(
    hub: OtaHub, url: str, data: Path, tmp_path: Path
) -> None:
    installed, _ = installed_sets()
    edge = EdgeBeside(data, installed["read"])
    agent = AgentProcess(data, url)
    try:
        with edge.beside():
            hub.until(lambda said: said.running == {"read": installed["read"]})
            bad = hub.publish(newer_reader(tmp_path / "bad", "9.0.0", spoil=True))
            hub.roll_out(bad)
            said = hub.until(lambda said: said.step is BoxStep.FAILED)
            assert said.trouble[bad].code.startswith("ota_golden_")
            assert said.running == {"read": installed["read"]}

            good = hub.publish(newer_reader(tmp_path / "good", "9.0.1"))
            hub.until(lambda _: hub.may_begin())
            hub.roll_out(good)
            told = said.sequence
            hub.until(lambda said: said.sequence > told and good not in said.staged)
            agent.kill()
            agent.start()
            hub.until(lambda said: said.running == {"read": good})
            agent.kill()
            killed_us = time.time_ns() // 1000
            agent.start()
            said = hub.until(
                lambda said: (
                    said.at_us > killed_us
                    and said.running == {"read": good}
                    and said.step is BoxStep.IDLE
                )
            )
            assert good in said.staged
            assert bad not in said.trouble
        assert agent.stop() == 0
    finally:
        agent.kill()
    assert read_active(RealFiles(Layout(data).sets)).digest("read") == good
