"""The guide "describe your sensor in ten lines" does what it says."""

import re
from pathlib import Path

from telemetry.describing.arithmetic import FUNCTIONS
from telemetry.describing.compiled import compile_template, try_out
from telemetry.describing.template import Kind, Measure, read_template
from tests.telemetry.describing.site import template

GUIDE = Path(__file__).parents[3] / "docs/guides/describe-a-sensor.md"


def examples():
    return re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


def test_ten_lines_describe_a_fridge():
    text = examples()[0]
    assert len([line for line in text.splitlines() if line.strip()]) <= 10
    out = try_out(read_template(text), b'{"temp": 3.5}')
    assert [(c.quantity, v) for c, v in zip(out.columns, out.readings[0][2], strict=True)] == [
        ("temperature", 3.5)
    ]


def test_the_example_of_bytes_is_a_template():
    compile_template(template(examples()[1]))


def test_the_guide_names_every_word_of_a_measure_and_every_function():
    text = GUIDE.read_text("utf-8")
    for word in Measure.__struct_fields__:
        assert f"`{word}`" in text or f"`{word} =" in text or f"{word} = true" in text, word
    for name in FUNCTIONS:
        assert re.search(rf"\b{name}\b", text), name


def test_kinds_have_words_in_both_languages():
    from appliance.words import words

    for kind in Kind:
        for language in ("en", "zh"):
            assert words(language)(f"sensor_kind.{kind.value}")


def test_every_refusal_has_words_in_both_languages():
    from appliance.words import words

    found = set()
    for file in (Path(__file__).parents[3] / "telemetry/describing").rglob("*.py"):
        found |= set(re.findall(r'Refused\(\s*"([a-z_]+)"', file.read_text("utf-8")))
    assert len(found) > 15
    for code in found:
        for language in ("en", "zh"):
            assert f"refused.{code}" in words(language), code
