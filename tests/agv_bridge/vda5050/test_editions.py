"""Every message of every edition against its official schema: all valid in, all ours valid out."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from agv_bridge.vda5050 import wire
from agv_bridge.vda5050.codec import Message, decode, encode
from agv_bridge.vda5050.messages import Part
from agv_bridge.vda5050.naming import Edition
from agv_bridge.vda5050.topics import VehicleAddress
from tests.agv_bridge.vda5050.official import EVERY, messages, validator

VERSIONS = {Edition.V2_0: "2.0.0", Edition.V2_1: "2.1.0", Edition.V3_0: "3.0.0"}


def topic_of(edition: Edition, name: str) -> str:
    return VehicleAddress("site", edition.dialect.value, "acme", "a1").topic(name)


def read(edition: Edition, name: str, said: dict[str, object]) -> Message:
    """As it comes from the broker; `said` keeps its own version only where that is a known one."""
    received = decode(topic_of(edition, name), json.dumps(said).encode())
    assert received is not None
    return received.message


def without_nulls(value: object) -> object:
    match value:
        case dict():
            return {key: without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [without_nulls(item) for item in value]
        case _:
            return value


def holds(written: object, said: object) -> bool:
    """Whether all that was said is written; what the schema lets out may stand there besides."""
    match written, said:
        case dict(), dict():
            return all(key in written and holds(written[key], said[key]) for key in said)
        case list(), list():
            return len(written) == len(said) and all(map(holds, written, said))
        case _:
            return written == said


def own_fields(part: object) -> dict[str, object]:
    """What any part put aside as not of the standard."""
    match part:
        case Part():
            found = dict(part.extra)
            for name in part.__struct_fields__:
                if name != "extra":
                    found |= own_fields(getattr(part, name))
            return found
        case tuple():
            return {key: item for one in part for key, item in own_fields(one).items()}
        case _:
            return {}


@pytest.mark.data
@pytest.mark.parametrize(("edition", "name"), EVERY)
def test_what_the_schema_accepts_is_read_whole_and_written_valid(
    data_dir: Path, edition: Edition, name: str
):
    @given(said=messages(data_dir, edition, name, vendor=False))
    @settings(max_examples=25)
    def law(said: dict[str, object]) -> None:
        said["version"] = VERSIONS[edition]
        message = read(edition, name, said)
        assert own_fields(message) == {}
        # The patient way must give what the quick one, taken here, gave.
        assert wire.read(type(message), said, edition, name=name) == message
        assert wire.read_quickly(type(message), copy.deepcopy(said), edition) == message
        written = json.loads(encode(message, edition.dialect.value))
        assert holds(written, without_nulls(said))
        validator(data_dir, edition, name).validate(written)
        assert read(edition, name, written) == message

    law()


@pytest.mark.data
@pytest.mark.parametrize(("edition", "name"), EVERY)
def test_a_vendors_own_fields_survive_the_round_trip(data_dir: Path, edition: Edition, name: str):
    @given(said=messages(data_dir, edition, name, vendor=True))
    @settings(max_examples=12)
    def law(said: dict[str, object]) -> None:
        said["version"] = VERSIONS[edition]
        before = copy.deepcopy(said)
        message = read(edition, name, said)
        assert said == before
        written = json.loads(encode(message, edition.dialect.value))
        assert holds(written, without_nulls(said))

    law()


@pytest.mark.data
@pytest.mark.parametrize("written_as", Edition)
@pytest.mark.parametrize(("edition", "name"), EVERY)
def test_what_one_edition_says_any_other_can_say_again(
    data_dir: Path, edition: Edition, name: str, written_as: Edition
):
    """A gateway between fleets of two editions loses nothing that both have."""

    @given(said=messages(data_dir, edition, name, vendor=False))
    @settings(max_examples=4)
    def law(said: dict[str, object]) -> None:
        said["version"] = VERSIONS[edition]
        message = read(edition, name, said)
        there = wire.write(message, written_as)
        again = wire.read(type(message), there, written_as, name="test")
        assert wire.write(again, written_as) == there

    law()
