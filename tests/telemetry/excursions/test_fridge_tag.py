"""A Fridge-tag's export is read as the logger wrote it, or refused with the line that is wrong."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.excursions.fridge_tag import read_fridge_tag
from telemetry.excursions.tree import BadExportError

EXPORT = """\
Device: Q-tag Fridge-tag 2
Vers: 0.5
Fw Vers: 4.0p1o
Sensor: 1
Conf:
 Serial: 160400000001
 Temp unit: C
 Alarm:
  0:
   T AL: -0.5, t AL: 60
  1:
   T AL: +8.0, t AL: 600
 Report history length: 60
 Test Res: 1, Test TS: 2025-05-15 15:23
Hist:
 TS Actv: 2026-01-20 11:51
 TS Report Creation: 2026-04-29 16:21
 1:
  Date: 2026-04-29
  Min T: +3.8, TS Min T: 09:49
  Max T: +9.5, TS Max T: 15:49
  Avrg T: +5.4
  Alarm:
   0:
    t Acc: 0
   1:
    t Acc: 74, TS A: 10:05, C A: 1
  Int Sensor timeout:
   t AccST: 5
  Events: 0
 2:
  Date: 2026-04-28
  Min T: -1.0, TS Min T: 02:00
  Max T: +7.5, TS Max T: 15:00
  Avrg T: +4.0
  Alarm:
   0:
    t Acc: 61, TS A: 03:01, C A: 1
   1:
    t Acc: 0
  Int Sensor timeout:
   t AccST: 0
  Events: 0
Cert:
 Vers: 1.0
 Lot: 1792
 Issuer: Berlinger & Co. AG
Sig Cert: 00
Sig: 0b0e
"""


def shown(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_the_loggers_own_minutes_stand_as_they_are() -> None:
    tag = read_fridge_tag(shown(EXPORT))
    assert (tag.serial, tag.firmware) == ("160400000001", "4.0p1o")
    assert [(each.celsius, each.minutes, each.above) for each in tag.limits] == [
        (-0.5, 60, False),
        (8.0, 600, True),
    ]
    assert [day.day for day in tag.days] == [date(2026, 4, 28), date(2026, 4, 29)]
    assert (tag.minutes(0), tag.minutes(1), tag.silent) == (61, 74, 5)
    assert (tag.days_beyond(0), tag.days_beyond(1)) == (1, 1)
    assert tag.days[1].alarms[1].begun == time(10, 5)
    assert (tag.days[0].least, tag.days[0].least_at) == (-1.0, time(2, 0))


def test_fahrenheit_is_celsius_from_here_on() -> None:
    warm = EXPORT.replace("Temp unit: C", "Temp unit: F").replace("T AL: +8.0", "T AL: +46.4")
    warm = warm.replace("T AL: -0.5", "T AL: +31.1")
    for old, new in (("+3.8", "+38.8"), ("+9.5", "+49.1"), ("+5.4", "+41.7"), ("-1.0", "+30.2"),
                     ("+7.5", "+45.5"), ("+4.0", "+39.2")):  # fmt: skip
        warm = warm.replace(f"T: {old}", f"T: {new}")
    tag = read_fridge_tag(shown(warm))
    assert (tag.limits[1].celsius, tag.days[1].most) == (8.0, 9.5)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Device: Q-tag Fridge-tag 2", "Device: Kettle", 1),
        ("   T AL: -0.5, t AL: 60\n", "   T AL: low, t AL: 60\n", 10),
        ("   T AL: +8.0, t AL: 600", "   T AL: -9.0, t AL: 600", 8),
        ("  Date: 2026-04-29", "  Date: 2026-02-30", 19),
        ("  Date: 2026-04-28", "  Date: 2026-04-27", 31),
        ("  Min T: +3.8, TS Min T: 09:49", "  Min T: +3.8", 18),
        ("TS Min T: 09:49", "TS Min T: 25:49", 20),
        ("  Avrg T: +5.4", "  Avrg T: +15.4", 22),
        ("    t Acc: 74, TS", "    t Acc: 1441, TS", 27),
        ("    t Acc: 74, TS", "    t Acc: -4, TS", 27),
        ("  Max T: +9.5, TS", "  Max T: +7.9, TS", 26),
        (" 2:\n", " 3:\n", 31),
        ("   1:\n    t Acc: 0\n", "", 36),
        ("Temp unit: C", "Temp unit: K", 7),
        ("  Events: 0\n 2", "      Events: 0\n 2", 30),
        ("Sig: 0b0e\n", "", 1),
        ("Sensor: 1", "Sensor one", 4),
        ("Sensor: 1", "Sensor: 1\x00", 4),
    ],
)
def test_a_file_that_was_cut_or_edited_is_refused_with_its_line(
    old: str, new: str, line: int
) -> None:
    assert EXPORT.count(old) == 1
    with pytest.raises(BadExportError, match=rf"^Line {line}:") as error:
        read_fridge_tag(shown(EXPORT.replace(old, new)))
    assert error.value.data["line"] == line


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(BadExportError, match="Line 3"):
        read_fridge_tag(b"Device: x\nVers: 1\n\xff\xfe\n")


def test_a_file_of_another_size_is_refused() -> None:
    with pytest.raises(BadExportError, match="bytes"):
        read_fridge_tag(b" " * ((4 << 20) + 1))


@given(st.integers(0, len(EXPORT)), st.text(max_size=8))
def test_any_damage_is_refused_or_what_is_read_holds_together(at: int, put: str) -> None:
    try:
        tag = read_fridge_tag((EXPORT[:at] + put + EXPORT[at:]).encode())
    except BadExportError:
        return
    for day in tag.days:
        assert day.least <= day.mean <= day.most
        assert all(0 <= each.minutes <= 1440 for each in day.alarms.values())


@pytest.mark.data
def test_a_real_export_reports_its_own_alarm_minutes_on_all_sixty_days(data_dir: Path) -> None:
    data = (data_dir / "sensors" / "fridgetag" / "sample-fridge-tag.txt").read_bytes()
    tag = read_fridge_tag(data)
    text = data.decode().replace("\r\n", "\n")
    dates = re.findall(r"\n  Date: (\S+)", text)
    low = [int(each) for each in re.findall(r"\n   0:\n    t Acc: (\d+)", text)]
    high = [int(each) for each in re.findall(r"\n   1:\n    t Acc: (\d+)", text)]
    assert len(dates) == len(low) == len(high) == len(tag.days) == 60
    assert [
        (day.day.isoformat(), day.alarms[0].minutes, day.alarms[1].minutes) for day in tag.days
    ] == list(zip(dates, low, high, strict=True))[::-1]
    assert (tag.minutes(0), tag.minutes(1)) == (sum(low), sum(high))
