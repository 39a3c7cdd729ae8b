"""What a log line carries, whoever wrote it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from appliance.logs import set_up_logs


@pytest.fixture
def logs_as_in_a_role() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_facts_that_a_standard_logger_hands_over_stand_in_the_line(logs_as_in_a_role, capsys):
    set_up_logs()
    logging.getLogger("appliance.uplink").warning("hub_away", extra={"why": "no answer"})
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["why"], line["level"]) == ("hub_away", "no answer", "warning")


class FullDisk:
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_line_that_no_disk_takes_stops_nothing(logs_as_in_a_role, monkeypatch):
    monkeypatch.setattr(sys, "stderr", FullDisk())
    set_up_logs()
    structlog.get_logger().warning("gateway.full")
