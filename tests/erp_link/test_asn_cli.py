"""`tallyman asn check`: the lines, or what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.asn import asn
from contracts.errors import BadAsnError

GOOD = "gtin,batch,expiry\n06933132577789,8842-740,2030-01-11\n"


def test_a_good_list_is_printed(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(GOOD)
    done = CliRunner().invoke(asn, ["check", str(tmp_path / "d.csv")])
    assert done.exit_code == 0
    assert "8842-740" in done.output
    assert "d: 1 lines" in done.output
    done = CliRunner().invoke(asn, ["check", "--json", str(tmp_path / "d.csv")])
    assert json.loads(done.output)["expiry"] == "2030-01-11"


def test_every_wrong_line_is_printed(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(GOOD + "1,A,2030-01-11\n06933132577789,A,soon\n")
    done = CliRunner().invoke(asn, ["check", str(tmp_path / "d.csv")])
    assert "line 3" in done.output
    assert "line 4" in done.output
    with pytest.raises(BadAsnError):
        raise done.exception or AssertionError("no error")
