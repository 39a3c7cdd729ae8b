"""Messages that are taken together come to the same as one after the other, whatever they are."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.describing.catalogue import catalogue_of
from telemetry.ingest.counts import Counts
from telemetry.ingest.sieve import Sieve
from telemetry.watching.engine import Engine
from telemetry.watching.fences import Fence

START_US = 1_795_000_000_000_000
PROBE = """\
name = "probe"
kind = "temperature"
title = { en = "Probe", zh = "探头" }
topic = "probes/{device}"
format = "json"
sequence = { path = "seq" }
time = { path = "time", unit = "ms" }
[[measure]]
quantity = "temperature"
path = "t"
unit = "[degF]"
range = [-400, 400]
[[measure]]
quantity = "humidity"
path = "h"
unit = "%RH"
range = [0, 100]
optional = true
[quality]
source = "Our own"
vectors = "none"
"""
DOOR = """\
name = "door"
kind = "door"
title = { en = "Door", zh = "门" }
topic = "doors/{device}"
format = "json"
sequence = { path = "n" }
[[measure]]
quantity = "door_open"
path = "open"
unit = "state"
range = [0, 1]
[quality]
source = "Our own"
vectors = "none"
"""
BOOK = json.dumps(
    {
        "family": [
            {"topic": "probes/{device}", "template": "probe", "place": "COLD-1", "most": 50},
            {"topic": "other/{device}", "template": "probe", "place": "COLD-1", "most": 50},
            {"topic": "doors/{device}", "template": "door", "place": "COLD-1", "most": 50},
        ]
    }
).encode()
FENCES = (
    Fence("warm", 1, "Too warm", "temperature", "Cel", above=8.0, hysteresis=0.5),
    Fence("slow", 1, "Warm for long", "temperature", "Cel", above=6.0, for_s=2, clear_for_s=1),
    Fence("rising", 1, "Rising", "temperature", "Cel", rise=3.0, within_s=3),
    Fence("damp", 1, "Too damp", "humidity", "%RH", above=70.0, hysteresis=5.0),
    Fence("silent", 1, "Silent", "temperature", "Cel", missing_s=2),
)
QUIET = (FENCES[0], FENCES[3])
"""Those that need not see every value."""
ASKING = Fence(
    "open",
    1,
    "Warm behind an open door",
    "temperature",
    "Cel",
    expression="temperature > 5.0 && door_open > 0.5",
)


@dataclass(frozen=True)
class Said:
    """One message, as it departs from what is usual."""

    device: str
    step: int = 1
    celsius: float = 4.0
    humidity: float | None = 50.0
    ahead_ms: int = 0
    wrong: str = ""


class House:
    """The same stream through one sieve."""

    def __init__(self, fences: tuple[Fence, ...], worth: int) -> None:
        catalogue = catalogue_of(BOOK, (PROBE, DOOR))
        self.engine = Engine(fences, book=catalogue.series, now_us=START_US)
        self.counts = Counts()
        self.sieve = Sieve(catalogue, self.engine, self.counts, worth=worth)
        self.told: list[tuple[object, ...]] = []

    def take(self, messages: list[tuple[str, bytes]], at_us: int) -> tuple[object, object]:
        self.engine.tick(at_us)
        fresh, refused = self.sieve.sift(messages, at_us)
        self.told += sorted(map(astuple, self.engine.take_changes()), key=repr)
        return list(fresh), refused

    @property
    def known(self) -> dict[object, list[int]]:
        self.sieve._ledger.sort_in()
        return {key: sorted(each.marks) for key, each in self.sieve._memories.items()}

    @property
    def remembered(self) -> tuple[object, ...]:
        engine, ledger = self.engine, self.sieve._ledger
        latest = [repr(each) for each in engine.latest]
        return latest, engine.latest_us, ledger.due, ledger.newest_us, self.counts


def packet(said: Said, sequences: dict[str, int], at_us: int) -> tuple[str, bytes]:
    sequence = sequences[said.device] = sequences.get(said.device, 0) + said.step
    kind, _, name = said.device.partition("/")
    if kind == "doors":
        body: dict[str, object] = {"n": sequence, "open": int(said.celsius > 5)}
    else:
        body = {
            "seq": sequence,
            "time": at_us // 1000 - 500 + said.ahead_ms + sequence // 3 % 100,
            "t": round(said.celsius * 1.8 + 32, 2),
        }
        if said.humidity is not None:
            body["h"] = said.humidity
    text = json.dumps(body)
    wrongs = {
        "": text,
        "pretty": json.dumps(body, indent=1) + "\n",
        "half": text[:-1],
        "rest": "}",
        "list": '{"a":[' + text,
        "two": text + text,
        "lines": text + "\n" + text,
        "no number": text.replace('"seq"', '"sequel"').replace('"n"', '"m"'),
        "garbage": "\udcff",
    }
    address = "nobody/knows" if said.wrong == "unknown" else f"{kind}/{name}"
    return address, wrongs.get(said.wrong, text).encode(errors="surrogateescape")


DEVICES = st.sampled_from(["probes/a", "probes/b", "probes/c", "other/a", "doors/d", "doors/e"])
USUAL = st.builds(Said, DEVICES, celsius=st.floats(2, 5.5).map(lambda c: round(c, 1)))
UNUSUAL = st.builds(
    Said,
    DEVICES,
    step=st.sampled_from([1, 1, 1, 0, 2, -3, -100, 2**33, 2**62]),
    celsius=st.floats(-20, 30).map(lambda c: round(c, 1)),
    humidity=st.sampled_from([50.0, 72.0, None, 120.0]),
    ahead_ms=st.sampled_from([0, 0, 0, -2_000, 400, 900, -90_000, 10**7]),
    wrong=st.sampled_from(
        ["", "", "", "pretty", "half", "rest", "list", "two", "lines", "no number", "garbage",
         "unknown"]
    ),
)  # fmt: skip
STREAMS = st.lists(st.lists(USUAL | USUAL | USUAL | UNUSUAL, max_size=14), max_size=9)


@pytest.mark.parametrize("fences", [FENCES, (*FENCES, ASKING)], ids=["alone", "asking"])
@settings(max_examples=60, deadline=None)
@given(stream=STREAMS, cut=st.integers(1, 5))
def test_together_or_one_by_one_is_the_same(
    fences: tuple[Fence, ...], stream: list[list[Said]], cut: int
) -> None:
    alone, together = House(fences, worth=10**9), House(fences, worth=1)
    in_pieces = House(fences, worth=1)
    sequences: dict[str, int] = {}
    at_us = START_US
    for said in stream:
        at_us += 700_000
        messages = [packet(each, sequences, at_us) for each in said]
        if not messages:
            continue
        assert together.take(messages, at_us) == alone.take(messages, at_us)
        for start in range(0, len(messages), cut):
            in_pieces.take(messages[start : start + cut], at_us)
    alone.sieve.tidy(1_000, 0.0)
    for house in (together, in_pieces):
        house.sieve.tidy(1_000, 0.0)
        assert sorted(house.told, key=repr) == sorted(alone.told, key=repr)
        assert house.remembered == alone.remembered
        assert house.known == alone.known
    assert together.engine.save() == alone.engine.save()


def test_a_steady_stream_is_taken_together() -> None:
    """Or the test above would compare one loop with itself."""
    house = House(QUIET, worth=1)
    sequences: dict[str, int] = {}
    for turn in range(3):
        at_us = START_US + turn * 500_000
        said = [Said(device) for device in ("probes/a", "doors/d", "probes/b") for _ in range(4)]
        messages = [packet(each, sequences, at_us) for each in said]
        left, _ = house.sieve._together.take(messages, at_us)
        if turn:
            assert not left.any()
        house.sieve._one_by_one(
            [each for each, late in zip(messages, left, strict=True) if late], at_us, again=False
        )
    assert sum(map(len, house.known.values())) == 36


def test_one_sender_of_garbage_does_not_hold_up_the_others_for_long() -> None:
    house = House(QUIET, worth=1)
    sequences: dict[str, int] = {}

    def turn(number: int) -> int:
        at_us = START_US + number * 500_000
        said = [Said("probes/a"), Said("probes/bad", wrong="half"), Said("probes/b")]
        messages = [packet(each, sequences, at_us) for each in said]
        fresh, refused = house.take(messages, at_us)
        assert (len(fresh), len(refused)) == (2, 1)
        left, _ = house.sieve._together.take(messages, at_us)
        return int(left.sum())

    assert [turn(number) for number in range(3)] == [3, 3, 3], "here each is known already"
    assert house.sieve._together.places["probes/bad"] < 0
    assert house.sieve._together.places["probes/a"] >= 0
    house.sieve.tidy(1_000, 0.0)
    assert house.sieve._together.places["probes/bad"] >= 0, "it may have come to reason"
