"""`tallyman telemetry`: a template tried on bytes, listed, checked."""

import json

import pytest
from typer.testing import CliRunner

from appliance.cli.telemetry import telemetry
from contracts.errors import BadInputError
from telemetry.describing.template import BadTemplateError

OWN = """name = "our-fridge"
kind = "freezer"
format = "json"

[[measure]]
quantity = "temperature"
path = "temp"
unit = "Cel"
range = [-40, 30]
"""


def run(*words):
    done = CliRunner().invoke(telemetry, [str(word) for word in words], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_bytes_are_decoded():
    done = run("decode", "--template", "milesight-em300-th", "0x03", "67", "2c", "00", "--json")
    said = json.loads(done.stdout)
    assert said["readings"][0]["values"] == [
        {"quantity": "temperature", "channel": "", "value": 4.4, "unit": "Cel"}
    ]
    assert (said["fields"], said["refused"]) == ({"temperature": 4.4}, None)
    assert "4.4 Cel" in run("decode", "--template", "milesight-em300-th", "03672c00").stdout


def test_what_a_template_refuses_is_a_finding():
    done = run("decode", "--template", "milesight-em300-th", "0367", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["refused"]["code"] == "too_short"
    assert "too_short" in run("decode", "--template", "milesight-em300-th", "0367").stderr


def test_a_file_of_ones_own_and_text(tmp_path):
    file = tmp_path / "our-fridge.toml"
    file.write_text(OWN)
    done = run("decode", "--template", file, "--text", '{"temp":', "3.5}", "--json")
    assert json.loads(done.stdout)["fields"] == {"temperature": 3.5}


def test_parameters_ports_and_envelopes():
    words = (
        "decode",
        "--template",
        "decentlab-dl-pr21",
        "0201670003 4e80 6017 0c7f".replace(" ", ""),
        "--json",
    )
    usual = json.loads(run(*words, "--port", "1").stdout)["fields"]["pressure"]
    other = json.loads(run(*words, "--parameter", "pmin=0", "--parameter", "pmax=1").stdout)
    assert (usual, other["fields"]["pressure"]) == (0.24609375, 0.11328125)
    assert run(*words, "--port", "9").exit_code == 1
    wrapped = '{"fPort":85,"data":"A2cXAQ=="}'
    done = run(
        "decode",
        "--template",
        "milesight-em300-th",
        "--text",
        wrapped,
        "--envelope",
        "chirpstack",
        "--json",
    )
    assert json.loads(done.stdout)["fields"] == {"temperature": 27.9}


def test_bad_words_say_what_to_mend():
    with pytest.raises(BadInputError, match="no template and no file"):
        run("decode", "--template", "no-such", "00")
    with pytest.raises(BadInputError, match="no hexadecimal"):
        run("decode", "--template", "elsys", "0x0")
    with pytest.raises(BadInputError, match="is no parameter"):
        run("decode", "--template", "elsys", "00", "--parameter", "r=x")
    with pytest.raises(BadTemplateError, match="no parameter"):
        run("decode", "--template", "elsys", "00", "--parameter", "r=1")


def test_templates_are_listed():
    rows = [
        json.loads(line)
        for line in run("templates", "--json", "--kind", "smoke").stdout.splitlines()
    ]
    assert {row["name"] for row in rows} == {"json-smoke", "sept-s-tg563a", "yobiiq-sd1001"}
    assert len(run("templates").stdout.splitlines()) >= 115


def test_files_are_checked(tmp_path):
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(OWN)
    bad.write_text(OWN.replace('"Cel"', '"furlong"').replace("our-fridge", "another"))
    assert run("check", good).exit_code == 0
    done = run("check", good, bad)
    assert done.exit_code == 1
    assert "no unit 'furlong'" in done.stderr
    assert "good.toml: ok" in done.stdout
