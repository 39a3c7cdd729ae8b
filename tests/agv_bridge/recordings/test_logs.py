"""Logs of fleets with dialects of their own become moves and quality results."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agv_bridge.dialects.compiled import load_dialect, read_dialect
from agv_bridge.dialects.file import FOLDER
from agv_bridge.recordings.findings import (
    Failed,
    Finding,
    Mismatch,
    Quality,
    StockMove,
    Stored,
    Unfinished,
    Unplaced,
)
from agv_bridge.recordings.replay import Placer, replay_file
from appliance.cli.agv import agv
from tests.agv_bridge.dialects.test_files import GOOD


def read(path: Path, dialect: str | None) -> tuple[list[Finding], Placer]:
    placer = Placer(load_dialect(Path(dialect)) if dialect else None)
    return list(replay_file(path, placer)), placer


def sample(name: str) -> Path:
    (path,) = FOLDER.glob(f"{name}.sample.*")
    return path


def lines_of(name: str) -> list[bytes]:
    path = sample(name)
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines(keepends=True)


def of(kind: type, found: list[Finding]) -> list:
    return [one for one in found if isinstance(one, kind)]


def test_the_model_factory_moves_checks_and_stores():
    found, placer = read(sample("module-factory"), "module-factory")
    assert [(m.load_id, m.source, m.target, m.vehicle) for m in of(StockMove, found)] == [
        ("carton-1", "STORE-1", "CHECK-1", "modelworks/car-1"),
        ("carton-2", "dock-1", "CHECK-1", "modelworks/car-2"),
        ("carton-1", "CHECK-1", "STORE-1", "modelworks/car-1"),
    ]
    assert [(q.load_id, q.passed, q.detail) for q in of(Quality, found)] == [
        ("carton-1", True, ""),
        ("carton-2", False, "seal is torn"),
    ]
    assert [(s.place, s.retrieved) for s in of(Stored, found)] == [
        ("A-01-1", True),
        ("A-01-2", False),
    ]
    assert [m.load_seen for m in of(Mismatch, found)] == ["tag-77"]
    assert [f.code for f in of(Failed, found)] == ["agv_pick_failed"]
    assert (placer.unplaced, placer.used) == (0, placer.lines)


def test_the_shuttle_log_is_local_time_in_an_old_encoding():
    found, placer = read(sample("shuttle-log"), "shuttle-log")
    first, second = of(StockMove, found)
    assert first.at.isoformat() == "2026-11-24T07:01:10+00:00"
    assert (second.load_id, second.load_seen) == ("carton-2", "carton-9")
    assert [f.detail for f in of(Failed, found)] == ["Lichtschranke verschmutzt"]
    assert [(u.order_id, u.reached) for u in of(Unfinished, found)] == [("4714", "picked")]
    assert placer.unplaced == 0


def test_the_movers_log_joins_pick_and_drop_by_the_load():
    found, placer = read(sample("mover-log"), "mover-log")
    assert [(m.load_id, m.source, m.target) for m in of(StockMove, found)] == [
        ("carton-1", "dock-1", "B-01-1"),
        ("carton-2", "dock-1", "QUARANTINE"),
        ("carton-5", "dock-1", "B-01-2"),
    ]
    assert [q.detail for q in of(Quality, found) if not q.passed] == ["3110 g, wanted 4000 g"]
    assert placer.unplaced == 0


@pytest.mark.parametrize("name", ["shuttle-log", "mover-log", "module-factory"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_doubled_and_shuffled_lines_give_the_same_moves(tmp_path_factory, name: str, data):
    """But for a CSV log's line of names, which stays the first."""
    path, lines = sample(name), lines_of(name)
    head = lines[:1] if ".csv" in path.name else []
    body = lines[len(head) :]
    more = data.draw(st.lists(st.sampled_from(body), max_size=5))
    shuffled = tmp_path_factory.mktemp("log") / "log"
    shuffled.write_bytes(b"".join([*head, *data.draw(st.permutations([*body, *more]))]))
    clean, _ = read(path, name)
    found, placer = read(shuffled, name)

    def moves(findings: list[Finding]) -> list[tuple[str, str, str]]:
        return sorted((m.load_id, m.source, m.target) for m in of(StockMove, findings))

    assert moves(found) == moves(clean)
    assert len(of(Quality, found)) == len(of(Quality, clean))
    assert placer.used + placer.unplaced == placer.lines == len(body) + len(head) + len(more)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["ev", "t", "robot", "tote", "at", "seq", "events", "topic", "payload"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        _JSON.map(lambda value: json.dumps(value).encode()),
        st.sampled_from([b"", b"  ", b"\xff\xfe", b"\x1f\x8b", b'{"t": 1, "ev": "up"}', b'";"']),
        st.sampled_from(
            [
                one
                for name in ("mover-log", "module-factory", "shuttle-log")
                for one in lines_of(name)
            ]
        ),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    lines=_LINES,
    torn=st.integers(0, 20),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    name=st.sampled_from([None, "module-factory", "shuttle-log", "mover-log"]),
)
def test_of_any_file_every_line_is_used_or_unplaced_with_its_reason(
    tmp_path_factory, lines: list[bytes], torn: int, mark: bytes, name: str | None
):
    """Garbage, mixed encodings, a byte order mark, a last line that is cut."""
    whole = mark + b"\n".join(lines)
    path = tmp_path_factory.mktemp("log") / "any"
    path.write_bytes(whole[: max(0, len(whole) - torn)])
    found, placer = read(path, name)
    unplaced = of(Unplaced, found)
    assert placer.used + placer.unplaced == placer.lines
    assert len(unplaced) == placer.unplaced
    assert len({one.line for one in unplaced}) == len(unplaced)


def test_garbage_is_listed_and_ends_well(tmp_path: Path):
    path = tmp_path / "any"
    path.write_bytes(b"\xff\xfe\n{\n" + sample("mover-log").read_bytes()[:-20])
    result = CliRunner().invoke(agv, ["replay", str(path), "--dialect", "mover-log"])
    assert result.exit_code == 0
    assert "line 1 unplaced: The line is not JSON" in result.stdout
    assert "lines=10  used=7  unplaced=3" in result.stdout


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def hall(tmp_path: Path, *lines: object, text: str = GOOD) -> tuple[list[Finding], Placer]:
    placer = Placer(read_dialect(text))
    return list(replay_file(write(tmp_path / "log.jsonl", *lines), placer)), placer


def up(moment: float, **more: object) -> dict[str, object]:
    return {"t": moment, "ev": "up", "robot": "m1", "tote": "C1", "at": "dock"} | more


def down(moment: float, **more: object) -> dict[str, object]:
    return up(moment) | {"ev": "down", "at": "A-1"} | more


def test_a_drop_that_nothing_explains_is_unplaced_at_the_end(tmp_path: Path):
    found, placer = hall(tmp_path, down(5), up(9))
    (one,) = of(Unplaced, found)
    assert (one.line, one.reason.code) == (1, "agv_drop_without_pick")
    assert (placer.lines, placer.used, placer.unplaced) == (2, 1, 1)


def test_two_drops_that_wait_are_two_lines(tmp_path: Path):
    found, placer = hall(tmp_path, down(5), down(6, at="A-2"))
    assert sorted(one.line for one in of(Unplaced, found)) == [1, 2]
    assert (placer.lines, placer.used) == (2, 0)


def test_a_second_pick_without_a_drop_says_that_the_first_is_open(tmp_path: Path):
    found, placer = hall(tmp_path, up(1), up(5, at="B-1"), down(6))
    assert [(m.source, m.target) for m in of(StockMove, found)] == [("B-1", "A-1")]
    assert len(of(Unfinished, found)) == 1
    assert placer.used == 3


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (up(1, tote=""), "agv_field_missing"),
        (up(1, tote=None), "agv_field_missing"),
        (up(1, tote="x" * 300), "agv_name_too_long"),
        (up(1, t="noon"), "agv_time_unreadable"),
        (up(1, ev="hums"), "agv_no_event"),
        ([1], "agv_line_no_object"),
    ],
)
def test_a_line_that_lacks_something_says_what(tmp_path: Path, line: object, code: str):
    found, placer = hall(tmp_path, line, up(1), down(2))
    (one,) = of(Unplaced, found)
    assert (one.line, one.reason.code) == (1, code)
    assert (placer.used, len(of(StockMove, found))) == (2, 1)


def test_a_line_that_is_too_long_costs_itself_alone(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("agv_bridge.recordings.lines.MOST_BYTES", 200)
    found, placer = hall(tmp_path, up(1), up(1, note="x" * 1000), down(2))
    (one,) = of(Unplaced, found)
    assert (one.line, one.reason.code) == (2, "agv_line_too_long")
    assert len(of(StockMove, found)) == 1
    assert placer.lines == 3


def test_only_so_many_journeys_are_kept_in_mind_and_the_oldest_are_told(tmp_path: Path):
    placer = Placer(read_dialect(GOOD), most=10)
    lines = [up(n, tote=f"C{n}") for n in range(100)] + [
        down(200, tote=f"C{n}") for n in range(100)
    ]
    found = list(replay_file(write(tmp_path / "log.jsonl", *lines), placer))
    assert len(of(StockMove, found)) == 10
    assert len(of(Unfinished, found)) == 90
    assert len(of(Unplaced, found)) == placer.unplaced == 90
    assert placer.lines == placer.used + placer.unplaced == 200


def test_a_csv_row_with_too_many_cells_or_a_quotation_mark_is_named(tmp_path: Path):
    rows = [line.rstrip() for line in lines_of("shuttle-log")]
    path = tmp_path / "log.csv"
    path.write_bytes(b"\n".join([rows[0], b"a;b", b'24.11.2026;"x;1;1;FAHRT;;;;', *rows[1:]]))
    found, _ = read(path, "shuttle-log")
    assert [(one.line, one.reason.code) for one in of(Unplaced, found)] == [
        (2, "agv_row_columns"),
        (3, "agv_row_unreadable"),
    ]
    assert len(of(StockMove, found)) == 2


def test_a_csv_log_without_a_line_of_names_is_described_by_its_columns(tmp_path: Path):
    text = """
    name = "bare"
    format = "csv"
    columns = ["t", "ev", "load", "a", "b"]
    [time]
    field = "{t}"
    format = "s"
    [[event]]
    when = { ev = 1 }
    what = "moved"
    vehicle = "belt"
    load = "{load}"
    from = "{a}"
    to = "{b}"
    """
    path = tmp_path / "log.csv"
    path.write_text("10,1,C1,dock,A-1\n", encoding="utf-8")
    placer = Placer(read_dialect(text))
    (move,) = replay_file(path, placer)
    assert isinstance(move, StockMove)
    assert (move.vehicle, move.load_id, move.source, move.target) == ("belt", "C1", "dock", "A-1")


def test_check_tells_what_each_section_found(tmp_path: Path):
    path = sample("mover-log")
    result = CliRunner().invoke(agv, ["check", "mover-log", str(path), "--json"])
    assert result.exit_code == 0
    records = [json.loads(line) for line in result.stdout.splitlines()]
    picked = records[0]
    assert (picked["what"], picked["found"], picked["first_line"]) == ("picked", 3, 1)
    assert "load=carton-1" in picked["example"]
    assert records[-1] == {"kind": "summary", "lines": 8, "used": 8, "unplaced": 0}


def test_check_ends_with_1_and_says_why_where_lines_are_not_known(tmp_path: Path):
    path = write(tmp_path / "log.jsonl", {"t": 1, "events": [{"ev": "hums"}]}, {"t": 1})
    result = CliRunner().invoke(agv, ["check", "mover-log", str(path), "--json"])
    assert result.exit_code == 1
    (why,) = [r for r in map(json.loads, result.stdout.splitlines()) if r["kind"] == "unplaced"]
    assert (why["code"], why["found"], why["first_lines"]) == ("agv_no_event", 2, [1, 2])


def test_check_without_a_file_reads_the_dialect_alone(tmp_path: Path):
    good = tmp_path / "hall.toml"
    good.write_text(GOOD, encoding="utf-8")
    assert CliRunner().invoke(agv, ["check", str(good)]).exit_code == 0
    good.write_text(GOOD.replace("picked", "lifted"), encoding="utf-8")
    refused = CliRunner().invoke(agv, ["check", str(good)])
    assert "hall.toml, line 10: event[0].what" in str(refused.exception)


def test_a_load_read_as_another_than_was_picked_is_a_mismatch(tmp_path: Path):
    text = GOOD.replace('load = "{tote}"', 'load = "{tote}"\norder = "{job}"')
    found, _ = hall(tmp_path, up(1, job="J1"), down(2, job="J1", tote="C9"), text=text)
    (move,) = of(StockMove, found)
    assert (move.load_id, move.load_seen, move.mismatch) == ("C1", "C9", True)
    assert [one.load_seen for one in of(Mismatch, found)] == ["C9"]


def peak(path: Path, dialect: str) -> int:
    tracemalloc.start()
    placer = Placer(load_dialect(Path(dialect)))
    for _ in replay_file(path, placer):
        pass
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return top


def test_a_file_ten_times_as_long_needs_no_more_memory(tmp_path: Path):
    states = [
        line for line in sample("module-factory").read_bytes().splitlines() if b"state" in line
    ]
    short, long = tmp_path / "short", tmp_path / "long"
    short.write_bytes(b"\n".join(states * 2))
    long.write_bytes(b"\n".join(states * 20))
    peak(short, "module-factory")
    assert peak(long, "module-factory") - peak(short, "module-factory") < 50_000
    assert long.stat().st_size > 100_000
