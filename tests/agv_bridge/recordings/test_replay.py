"""`tallyman agv replay`: recorded sessions become moves, and nothing is lost silently."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agv_bridge.bridge.bridge import AgvBridge
from agv_bridge.dialects.compiled import load_dialect
from agv_bridge.recordings.findings import StockMove, Unplaced
from agv_bridge.recordings.replay import Placer, RecordedMessage, replay, replay_file
from agv_bridge.virtual.faults import Faults
from agv_bridge.virtual.vehicle import VirtualAgv
from appliance.cli.agv import agv
from appliance.services.memory_bus import MemoryBroker, MemoryBus
from contracts.clock import FixedClock, SystemClock
from contracts.errors import BadInputError
from contracts.ports import BusMessage
from contracts.stock import TransportState
from tests.agv_bridge.core_in_memory import CoreInMemory


async def record(orders: int = 3) -> list[dict[str, object]]:
    """A session of two vehicles and a bridge, as an MQTT recorder would keep it."""
    broker, core, lines = MemoryBroker(), CoreInMemory(), []
    clock = SystemClock()
    for number in range(orders):
        core.request(f"T{number}", to=f"slot-{number}")

    def note(message: BusMessage) -> None:
        lines.append(
            {
                "topic": message.topic,
                "payload": message.payload.decode(),
                "timestamp": clock.now().isoformat(),
            }
        )

    async def keep(messages):
        async for message in messages:
            note(message)

    async with contextlib.AsyncExitStack() as stack:
        buses = [
            await stack.enter_async_context(MemoryBus(broker, client_id=name))
            for name in ("recorder", "hub", "a1", "a2")
        ]
        messages = await stack.enter_async_context(buses[0].subscribe("#"))
        tasks = [
            asyncio.create_task(coroutine)
            for coroutine in (
                keep(messages),
                AgvBridge(buses[1], core, poll_s=0.01).run(),
                VirtualAgv(buses[2], "a1", step_s=0).run(),
                VirtualAgv(
                    buses[3],
                    "a2",
                    version="3.0.0",
                    step_s=0,
                    faults=Faults(load_alias="rfid-9"),
                ).run(),
            )
        ]
        for number in range(orders):
            await core.until(f"T{number}", TransportState.DROPPED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return lines


@pytest.fixture(scope="module")
def session() -> list[dict[str, object]]:
    return asyncio.run(record())


def write(path: Path, lines: list[object]) -> Path:
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str):
    return CliRunner().invoke(agv, ["replay", *arguments])


@pytest.mark.parametrize("name", ["session.jsonl", "session.jsonl.gz"])
def test_a_recorded_session_gives_its_moves(session, tmp_path: Path, name: str):
    result = run(str(write(tmp_path / name, session)), "--json")
    assert result.exit_code == 0
    records = [json.loads(line) for line in result.stdout.splitlines()]
    moves = [record for record in records if record["kind"] == "move"]
    assert sorted((m["order"], m["from"], m["to"]) for m in moves) == [
        (f"T{number}", "station-1", f"slot-{number}") for number in range(3)
    ]
    assert any(record["kind"] == "mismatch" for record in records)
    summary = records[-1]
    assert (summary["moves"], summary["unplaced"], summary["unfinished"]) == (3, 0, 0)
    assert summary["used"] == summary["lines"] == len(session)


def test_what_cannot_be_placed_is_listed(session, tmp_path: Path):
    at = "2026-11-21T08:00:00Z"
    strange = [
        {"topic": "storage/bay/7", "payload": "{}", "timestamp": at},
        {"topic": "uagv/v2/acme/x/state", "payload": "not json", "timestamp": at},
        {
            "topic": "uagv/v2/acme/x/state",
            "payload": {
                "orderId": "Z1",
                "actionStates": [
                    {"actionId": "q", "actionType": "drop", "actionStatus": "FINISHED"}
                ],
            },
            "timestamp": 1_790_000_000.5,
        },
    ]
    result = run(str(write(tmp_path / "s.jsonl", [*session, *strange])), "--json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    unplaced = [record for record in records if record["kind"] == "unplaced"]
    assert [record["line"] for record in unplaced] == [len(session) + n for n in (1, 2, 3)]
    assert "no order Z1" in unplaced[2]["why"]
    assert records[-1]["used"] + records[-1]["unplaced"] == records[-1]["lines"]


def test_it_also_speaks_in_words(session, tmp_path: Path):
    result = run(str(write(tmp_path / "s.jsonl", session)))
    assert "station-1 -> slot-0" in result.stdout
    assert "moves=3" in result.stdout


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_lost_doubled_and_shuffled_recordings_book_the_same_moves(session, data):
    """One message in five lost, some doubled, all shuffled; the last states and orders remain."""
    kept = [one for one in session if not one["topic"].endswith("/state")]
    states = [one for one in session if one["topic"].endswith("/state")]
    last_of_order = {json.loads(one["payload"])["orderId"]: one for one in states}
    some = data.draw(st.lists(st.sampled_from(states), max_size=len(states)))
    shuffled = data.draw(st.permutations([*kept, *some, *last_of_order.values()]))
    messages = [
        RecordedMessage(n, one["topic"], one["payload"].encode(), SystemClock().now())
        for n, one in enumerate(shuffled, start=1)
    ]
    outcome = replay(messages)
    assert sorted(move.order_id for move in outcome.moves) == ["T0", "T1", "T2"]
    assert outcome.unplaced == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{not json", "agv_line_not_json"),
        ('{"topic": "a", "payload": ""}', "agv_record_field"),
        ('{"topic": 7, "payload": "", "timestamp": 0}', "agv_record_field"),
        ('{"topic": "a", "payload": "", "timestamp": "noon"}', "agv_record_field"),
        ('{"topic": "a", "payload": "", "timestamp": null}', "agv_record_field"),
        ('{"topic": "a", "payload": "", "timestamp": 1e300}', "agv_record_field"),
        ('["a"]', "agv_line_no_object"),
        ("\udcff", "agv_line_not_json"),
        ('{"topic": "uagv/v2/a/b/state", "pay', "agv_line_not_json"),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_still_counts(
    session, tmp_path: Path, line: str, code: str
):
    path = tmp_path / "s.jsonl"
    good = "".join(json.dumps(one) + "\n" for one in session)
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n\n" + good.encode())
    placer = Placer()
    found = list(replay_file(path, placer))
    (unplaced,) = [one for one in found if isinstance(one, Unplaced)]
    assert (unplaced.line, unplaced.reason.code) == (1, code)
    assert len([one for one in found if isinstance(one, StockMove)]) == 3
    assert (placer.lines, placer.used) == (len(session) + 1, len(session))


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("", {}, "agv_topic_unknown"),
        ("uagv/v2/acme/x/state", None, "agv_message_unreadable"),
        ("uagv/v2/acme/x/state", "", "agv_message_unreadable"),
        ("uagv/v2/acme/x/state", [], "agv_message_unreadable"),
    ],
)
@pytest.mark.parametrize("dialect", [None, "module-factory"])
def test_an_empty_message_is_no_line_of_names(
    tmp_path: Path, topic: str, payload: object, code: str, dialect: str | None
):
    line = {"topic": topic, "payload": payload, "timestamp": 0}
    placer = Placer(load_dialect(Path(dialect)) if dialect else None)
    (one,) = replay_file(write(tmp_path / "s.jsonl", [line]), placer)
    assert isinstance(one, Unplaced)
    assert one.reason.code == code


def test_a_folder_is_no_recording(tmp_path: Path):
    with pytest.raises(BadInputError, match="is no file"):
        list(replay_file(tmp_path, Placer()))


def test_a_truncated_recording_gives_what_stands_before_the_tear(session, tmp_path: Path):
    torn = write(tmp_path / "s.jsonl.gz", session)
    torn.write_bytes(torn.read_bytes()[:-20])
    placer = Placer()
    unplaced = [one for one in replay_file(torn, placer) if isinstance(one, Unplaced)]
    assert [one.reason.code for one in unplaced][-1] == "agv_file_torn"
    assert placer.used + len(unplaced) == placer.lines


def test_an_absent_recording_is_named(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"absent\.jsonl cannot be read"):
        list(replay_file(tmp_path / "absent.jsonl", Placer()))


def test_an_order_under_way_at_the_end_is_listed(session, clock: FixedClock):
    until = next(
        n
        for n, one in enumerate(session)
        if one["topic"].endswith("/state") and json.loads(one["payload"])["orderId"]
    )
    messages = [
        RecordedMessage(n, one["topic"], one["payload"].encode(), clock.now())
        for n, one in enumerate(session[: until + 1], start=1)
    ]
    outcome = replay(messages)
    assert outcome.moves == []
    assert any(one.reached == "accepted" for one in outcome.unfinished)
