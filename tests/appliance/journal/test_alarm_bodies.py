"""A gateway's alarms are journal entries: signed, in order, back as they were written (I2, I4)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.identity.device import DeviceIdentity
from appliance.journal.codec import decode_body, encode_body
from appliance.journal.journal import Journal
from appliance.journal.verify import verify_journal
from contracts.errors import BadInputError
from contracts.telemetry import (
    AlarmChange,
    AlarmChanged,
    AlarmEffect,
    Calibration,
    SeriesKey,
    TracePoint,
)

FREEZER_WARM = AlarmChanged(
    alarm_id="a" * 64,
    number=2,
    change=AlarmChange.CONTINUES,
    fence="freezer-1",
    fence_version=3,
    fence_sha256="f" * 64,
    kind="above",
    severity="critical",
    effect=AlarmEffect.EXCURSION,
    series=SeriesKey("probe-7", "temperature", "air"),
    unit="Cel",
    site="nanjing",
    place="FREEZER-1",
    since_us=1_763_800_000_000_000,
    at_us=1_763_800_600_000_000,
    value=-9.5,
    limit=-15.0,
    worst=-8.25,
    trace=(TracePoint(1_763_800_020_000_000, -10.0, -9.5, -9.75, 60),),
    calibration=Calibration("CNAS-2026-118", "2026-02-01", "2027-02-01", 0.2),
    batch="acme/09521234543213/L7",
)

_words = st.text(max_size=12)
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_times = st.integers(0, 2**53)


@given(
    st.builds(
        AlarmChanged,
        alarm_id=_words,
        fence=_words,
        number=st.integers(1, 2**31),
        value=st.none() | _numbers,
        limit=st.none() | _numbers,
        worst=st.none() | _numbers,
        trace=st.lists(
            st.builds(
                TracePoint, at_us=_times, least=_numbers, most=_numbers, mean=_numbers,
                count=st.integers(0, 2**31),
            ),
            max_size=3,
        ).map(tuple),
    )
)  # fmt: skip
def test_any_change_comes_back_as_it_was_written(changed):
    kind, text = encode_body(changed)
    assert kind == "alarm_changed"
    assert decode_body(kind, text) == changed


async def test_a_gateways_alarm_is_a_signed_entry_of_its_journal(tmp_path: Path, clock):
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "gateway-01")
    with Journal.open(tmp_path / "journal.db", identity=identity, clock=clock) as journal:
        entry = await journal.append(FREEZER_WARM)
    assert decode_body(entry.kind, entry.body) == FREEZER_WARM
    assert verify_journal(tmp_path / "journal.db").holds


@pytest.mark.parametrize("broken", ["value", "limit", "worst"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_signed_as_readings_that_are_missing(broken, number):
    with pytest.raises(BadInputError, match=broken):
        encode_body(dataclasses.replace(FREEZER_WARM, **{broken: number}))


def test_a_minute_that_is_no_number_is_not_signed():
    bad = TracePoint(0, float("nan"), 1.0, 1.0, 1)
    with pytest.raises(BadInputError, match="does not decode"):
        encode_body(dataclasses.replace(FREEZER_WARM, trace=(bad,)))
