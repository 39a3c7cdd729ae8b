"""A dialect's file is taken whole, or refused with file, line and key."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agv_bridge.dialects.compiled import load_dialect, read_dialect
from agv_bridge.dialects.file import FOLDER, BadDialectError, load_file
from agv_bridge.dialects.times import TimeFormat

GOOD = """\
name = "hall"
format = "json"

[time]
field = "{t}"
format = "s"

[[event]]
when = { ev = "up" }
what = "picked"
vehicle = "{robot}"
load = "{tote}"
place = "{at}"

[[event]]
when = { ev = "down" }
what = "dropped"
vehicle = "{robot}"
load = "{tote}"
place = "{at}"
"""


def test_a_good_file_is_taken():
    dialect = read_dialect(GOOD)
    assert (dialect.name, len(dialect.sections)) == ("hall", 2)


@pytest.mark.parametrize(
    ("was", "now", "line", "key"),
    [
        ('vehicle = "{robot}"', 'vehicel = "{robot}"', 8, "event[0]"),
        ('what = "picked"', 'what = "lifted"', 10, "event[0].what"),
        ('load = "{tote}"\nplace', "place", 10, "event[0].what"),
        ('place = "{at}"', 'place = "{at"', 13, "event[0].place"),
        ('when = { ev = "up" }', 'when = { "ev[" = "up" }', 9, "event[0].when"),
        ('format = "s"', 'format = "seconds"', 6, "time.format"),
        ('format = "s"', 'format = "%H:%M"\nzone = "Mars/Base"', 6, "time.format"),
        ('field = "{t}"', 'field = "{t[]}"', 5, "time.field"),
        ('format = "json"', 'format = "xml"', 2, "format"),
        ('[time]\nfield = "{t}"\nformat = "s"\n', "", 2, "format"),
        ('what = "picked"', 'what = "picked"\ntopic = "a/b"', 11, "event[0].topic"),
        ('name = "hall"', 'name = ""', 1, "name"),
        ('name = "hall"', 'name = "hall"\nseparator = "ab"', 2, "separator"),
        ('name = "hall"', 'name = "hall"\nignore = ["a"]', 2, "ignore"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(was: str, now: str, line: int, key: str):
    text = GOOD.replace(was, now, 1)
    assert text != GOOD
    with pytest.raises(BadDialectError) as error:
        read_dialect(text, where="hall.toml")
    assert error.value.data["file"] == "hall.toml"
    assert (error.value.data["line"], error.value.data["key"]) == (line, key)
    assert f"hall.toml, line {line}: {key}" in error.value.message


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('vehicle = "{robot}"', 'vehicel = "{robot}"', "no key `vehicel`; is vehicle meant"),
        ('name = "hall"', 'name = "hall"\nxyz = 1', "no key `xyz`; there are name, format, title"),
        ('what = "picked"', 'what = "lifted"', "'lifted' is not known, but order, picked"),
        ('format = "json"', 'format = "xml"', "'xml' is not known, but mqtt, json, csv"),
        ('name = "hall"\n', "", "`name` is missing"),
    ],
)
def test_who_mistypes_is_told_what_may_stand_there(was: str, now: str, said: str):
    with pytest.raises(BadDialectError) as error:
        read_dialect(GOOD.replace(was, now, 1))
    assert said in error.value.message


def test_a_file_that_is_no_dialect_is_named_in_words(tmp_path: Path):
    (tmp_path / "photo.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadDialectError, match="it is no text in UTF-8"):
        load_file(tmp_path / "photo.toml")
    with pytest.raises(BadDialectError, match="cannot be read: No such file"):
        load_file(tmp_path / "gone.toml")


def test_the_second_table_of_a_kind_is_found():
    text = GOOD.replace('what = "dropped"', 'what = "set down"')
    with pytest.raises(BadDialectError, match=r"line 17: event\[1\]\.what"):
        read_dialect(text)


@pytest.mark.parametrize(
    "text",
    ["", "name =", "a = " + "[" * 5000, 'name = "x"\nformat = "mqtt"', "#" * 100_001],
)
def test_what_is_no_dialect_is_refused(text: str):
    with pytest.raises(BadDialectError):
        read_dialect(text)


@pytest.mark.parametrize(
    "topic", ["", "a b", "a/#/b", "a/x+", "a/{x}y", "{a}/{a}", "a/{x y}", "x" * 201]
)
def test_what_is_no_topic_is_refused(topic: str):
    text = f"""
    name = "m"
    format = "mqtt"
    [[event]]
    topic = "{topic}"
    what = "nothing"
    """
    with pytest.raises(BadDialectError):
        read_dialect(text)


def test_an_absent_file_is_named_with_those_that_ship(tmp_path: Path):
    with pytest.raises(BadDialectError, match="module-factory"):
        load_dialect(tmp_path / "absent.toml")


def test_every_dialect_that_ships_is_named_as_its_file_and_brings_a_sample():
    for file in FOLDER.glob("*.toml"):
        dialect = load_dialect(Path(file.stem))
        assert dialect.name == file.stem
        assert dialect.file.title
        assert list(FOLDER.glob(f"{file.stem}.sample.*"))


def test_the_ten_lines_of_the_guide_are_a_dialect():
    guide = (Path(__file__).parents[3] / "docs/guides/describe-a-fleet.md").read_text("utf-8")
    (first, *_) = re.findall(r"```toml\n(.*?)```", guide, flags=re.DOTALL)
    assert len(read_dialect(first).sections) == 1
    assert len(first.splitlines()) <= 11


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path):
    path = tmp_path / "hall.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_file(path)[1].name == "hall"


@pytest.mark.parametrize(
    ("form", "zone", "text", "utc"),
    [
        ("iso", "Europe/Berlin", "2026-07-01T12:00:00", "2026-07-01T10:00:00+00:00"),
        ("iso", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00+00:00"),
        ("s", "UTC", "1790000000.5", "2026-09-21T14:13:20.500000+00:00"),
        ("ms", "UTC", "1790000000500", "2026-09-21T14:13:20.500000+00:00"),
        ("us", "UTC", "1790000000500000", "2026-09-21T14:13:20.500000+00:00"),
        ("%d.%m.%Y %H:%M", "Asia/Shanghai", "01.02.2026 08:30", "2026-02-01T00:30:00+00:00"),
        ("%d.%m.%Y %H:%M", "Europe/Berlin", "25.10.2026 02:30", "2026-10-25T00:30:00+00:00"),
        ("s", "UTC", "nan", None),
        ("s", "UTC", "1e300", None),
        ("iso", "UTC", "9999-12-31T23:59:59-14:00", None),
        ("%d.%m.%Y", "UTC", "31.02.2026", None),
    ],
)
def test_times_are_read_in_their_zone(form: str, zone: str, text: str, utc: str | None):
    at = TimeFormat.of(form, zone).read(text)
    assert (at.isoformat() if at else None) == utc


SHIPPED = sorted(file.read_text("utf-8") for file in FOLDER.glob("*.toml"))


@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from([GOOD, *SHIPPED]),
    at=st.floats(0, 1),
    cut=st.integers(0, 30),
    put=st.one_of(
        st.text(max_size=10), st.sampled_from(["{", "[]", '"', "[[event]]", "each = 1\n"])
    ),
)
def test_a_file_that_was_damaged_is_read_or_refused(text: str, at: float, cut: int, put: str):
    start = int(at * len(text))
    with contextlib.suppress(BadDialectError):
        dialect = read_dialect(text[:start] + put + text[start + cut :])
        assert dialect.sections
