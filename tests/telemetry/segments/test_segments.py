"""What was committed is read back, whole and in order, whatever happened to the writer (I2)."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.segments import (
    BadSegmentError,
    Damage,
    DurableMark,
    Group,
    Position,
    Quarantined,
    Retention,
    SegmentFollower,
    SegmentWriter,
    groups,
    read_groups,
    read_quarantine,
    writer,
)
from telemetry.segments.files import HEADER, numbers_in, path_of

Messages = list[tuple[str, bytes]]


def write(folder: Path, *every: Messages, segment_bytes: int = 1 << 20) -> list[Position]:
    out = SegmentWriter(folder, segment_bytes=segment_bytes)
    positions = []
    for number, messages in enumerate(every):
        out.append(1_000 + number, messages)
        positions.append(out.commit())
    out.close()
    return positions


def texts(folder: Path, after: Position | None = None) -> list[bytes]:
    return [payload for group in read_groups(folder, after) for _, payload in group.messages]


def test_groups_come_back_with_their_time_address_and_bytes(tmp_path: Path) -> None:
    positions = write(tmp_path, [("plant/a", b"1"), ("plant/b", b"\0\xff")], [("plant/a", b"")])

    read = list(read_groups(tmp_path))

    assert read == [
        Group(positions[0], 1_000, [("plant/a", b"1"), ("plant/b", b"\0\xff")]),
        Group(positions[1], 1_001, [("plant/a", b"")]),
    ]
    assert list(read_groups(tmp_path, positions[0])) == read[1:]
    assert not list(read_groups(tmp_path, positions[1]))


def test_a_folder_in_which_nobody_wrote_holds_nothing(tmp_path: Path) -> None:
    assert not list(read_groups(tmp_path / "not there"))


def test_several_groups_of_one_commit_are_one_write_and_keep_their_times(tmp_path: Path) -> None:
    out = SegmentWriter(tmp_path)
    out.append(1, [("a", b"1")])
    out.append(2, [("a", b"2")])
    assert not list(read_groups(tmp_path)), "nothing is to be seen before it is synced"
    end = out.commit()
    out.close()

    read = list(read_groups(tmp_path))
    assert [group.received_us for group in read] == [1, 2]
    assert read[-1].position == end


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300)), min_size=1, max_size=20),
        min_size=1,
        max_size=6,
    )
)
def test_pieces_of_one_group_are_the_same_bytes_as_the_whole(pieces: list[Messages]) -> None:
    together = [message for piece in pieces for message in piece]
    joined = groups.frame([groups.encode_items(p) for p in pieces], [len(p) for p in pieces], 7)
    assert joined == groups.frame([groups.encode_items(together)], [len(together)], 7)
    assert groups.decode_messages(joined[groups.HEAD :]) == together


@pytest.mark.parametrize("count", [1, 15, 16, 65_535, 65_536])
def test_a_group_of_any_length_has_the_header_of_its_length(count: int) -> None:
    messages = [("a", b"")] * count
    split = [groups.encode_items(messages[:1]), groups.encode_items(messages[1:])]
    framed = groups.frame(split, [1, count - 1], 0)
    assert groups.decode_messages(framed[groups.HEAD :]) == messages


def test_a_new_segment_is_begun_when_one_is_long_enough(tmp_path: Path) -> None:
    positions = write(tmp_path, *[[("a", b"x" * 60)]] * 5, segment_bytes=150)
    assert [one.segment for one in positions] == [1, 1, 2, 2, 3]
    assert positions == sorted(positions)
    assert len(texts(tmp_path)) == 5
    assert len(texts(tmp_path, positions[2])) == 2


def test_a_torn_tail_is_cut_and_the_writer_goes_on_behind_the_last_whole_group(
    tmp_path: Path,
) -> None:
    positions = write(tmp_path, [("a", b"1")], [("a", b"2")])
    with path_of(tmp_path, 1).open("ab") as file:
        file.write(groups.frame([groups.encode_items([("a", b"3")])], [1], 3)[:-1])

    assert texts(tmp_path) == [b"1", b"2"]
    again = SegmentWriter(tmp_path)
    assert again.position == positions[-1]
    again.append(4, [("a", b"4")])
    again.commit()
    again.close()
    assert texts(tmp_path) == [b"1", b"2", b"4"]


def test_what_a_killed_writer_wrote_but_did_not_mark_is_kept_by_the_next(tmp_path: Path) -> None:
    positions = write(tmp_path, [("a", b"1")], [("a", b"2")])
    with DurableMark(tmp_path, writable=True) as mark:
        mark.set(positions[0])

    assert texts(tmp_path) == [b"1"], "a power cut could still take the second"
    SegmentWriter(tmp_path).close()
    assert texts(tmp_path) == [b"1", b"2"]


def test_a_writer_whose_mark_was_lost_finds_the_end_by_itself(tmp_path: Path) -> None:
    positions = write(tmp_path, [("a", b"1")], [("a", b"2")])
    (tmp_path / "durable").unlink()
    again = SegmentWriter(tmp_path)
    assert again.position == positions[-1]
    again.close()
    assert texts(tmp_path) == [b"1", b"2"]


def test_numbers_never_go_back_whoever_removed_what(tmp_path: Path) -> None:
    positions = write(tmp_path, *[[("a", b"x" * 90)]] * 3, segment_bytes=50)
    path_of(tmp_path, 3).unlink()
    again = SegmentWriter(tmp_path)
    again.append(9, [("a", b"later")])
    assert again.commit() > positions[-1]
    again.close()
    assert texts(tmp_path, positions[-1]) == [b"later"]


def test_a_file_that_somebody_cut_short_is_kept_up_to_its_last_whole_group(
    tmp_path: Path,
) -> None:
    positions = write(tmp_path, [("a", b"1")], [("a", b"2")])
    os.truncate(path_of(tmp_path, 1), positions[1].offset - 1)
    again = SegmentWriter(tmp_path)
    again.append(9, [("a", b"3")])
    again.commit()
    again.close()
    assert texts(tmp_path) == [b"1", b"3"]
    assert texts(tmp_path, positions[1]) == [b"3"]


def test_a_killed_start_that_left_half_a_header_is_begun_anew(tmp_path: Path) -> None:
    write(tmp_path, [("a", b"1")], segment_bytes=1)
    path_of(tmp_path, 2).write_bytes(HEADER[:5])
    again = SegmentWriter(tmp_path)
    again.append(2, [("a", b"2")])
    assert again.commit().segment == 2
    again.close()
    assert texts(tmp_path) == [b"1", b"2"]


def test_a_disk_that_forgets_is_named_and_reading_goes_on_behind_it(tmp_path: Path) -> None:
    positions = write(tmp_path, [("a", b"1")], [("a", b"2")], [("a", b"3")])
    path = path_of(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[positions[0].offset + groups.HEAD + 1] ^= 1
    path.write_bytes(data)

    with pytest.raises(BadSegmentError, match="damaged at byte") as refused:
        list(read_groups(tmp_path))
    assert refused.value.data == {"segment": 1, "offset": positions[0].offset}
    found: list[Damage] = []
    read = [g.messages[0][1] for g in read_groups(tmp_path, on_damage=found.append)]
    assert read == [b"1", b"3"]
    length = positions[1].offset - positions[0].offset
    assert found == [Damage(1, positions[0].offset, length)]


@settings(max_examples=60)
@given(st.binary(max_size=400), st.integers(0, 300))
def test_no_bytes_at_all_make_the_reader_fall(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    write(folder, [("a", b"x" * 90)], [("b", b"y" * 90)])
    path = path_of(folder, 1)
    data = path.read_bytes()
    path.write_bytes(data[:at] + junk + data[at + len(junk) :])
    found: list[Damage] = []
    read = [group.messages for group in read_groups(folder, on_damage=found.append)]
    assert all(messages in ([("a", b"x" * 90)], [("b", b"y" * 90)]) for messages in read)
    assert found or len(read) == 2


class FullDisk:
    """The system calls of a disk that takes so many bytes and then no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.really = os.writev

    def writev(self, handle: int, parts: list[bytes]) -> int:
        data = b"".join(parts)
        if len(data) > self.room:
            if self.room:
                os.write(handle, data[: self.room])
            self.room = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return self.really(handle, parts)


def test_a_full_disk_takes_nothing_and_the_same_groups_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = SegmentWriter(tmp_path)
    out.append(1, [("a", b"1")])
    out.commit()
    disk = FullDisk(room=10)
    monkeypatch.setattr(writer.os, "writev", disk.writev)
    out.append(2, [("a", b"2")])

    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            out.commit()
        assert texts(tmp_path) == [b"1"]
    assert len(numbers_in(tmp_path)) <= 2, "a full disk is not filled with empty files"

    disk.room = 1 << 20
    out.commit()
    out.close()
    assert texts(tmp_path) == [b"1", b"2"]


def test_what_cannot_be_cut_off_is_not_written_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = SegmentWriter(tmp_path)
    out.append(1, [("a", b"1")])
    out.commit()

    def fails(*_: object) -> int:
        raise OSError(errno.EIO, "broken")

    def written_and_failed(handle: int, parts: list[bytes]) -> int:
        os.write(handle, b"".join(parts))
        return fails()

    out.append(2, [("a", b"2")])
    with monkeypatch.context() as broken:
        broken.setattr(writer.os, "writev", written_and_failed)
        with pytest.raises(OSError, match="broken"):
            out.commit()
    with monkeypatch.context() as broken:
        broken.setattr(writer.os, "ftruncate", fails)
        for _ in range(2):
            with pytest.raises(OSError, match="broken"):
                out.commit()
    assert texts(tmp_path) == [b"1"]
    out.commit()
    out.close()
    assert texts(tmp_path) == [b"1", b"2"]


def test_a_quarantine_keeps_why_and_is_apart_from_readings(tmp_path: Path) -> None:
    out = SegmentWriter(tmp_path)
    item = Quarantined("plant/a", b"\xff", "not_json", "byte 0")
    out.quarantine(5, [item])
    end = out.commit()
    out.close()
    assert list(read_quarantine(tmp_path)) == [(end, 5, [item])]
    assert not list(read_groups(tmp_path))


def test_nothing_is_removed_that_somebody_holds_or_that_is_written(tmp_path: Path) -> None:
    write(tmp_path, *[[("a", b"x" * 60)]] * 6, segment_bytes=100)
    retention = Retention(tmp_path)
    retention.hold("tailer", Position(3, 40))
    retention.hold("gateway", Position(5, 24))

    assert retention.remove_before(99) > 0
    assert numbers_in(tmp_path)[0] == 3
    assert retention.held() == {"tailer": Position(3, 40), "gateway": Position(5, 24)}

    retention.release("tailer")
    retention.release("gateway")
    retention.remove_before(99)
    last = numbers_in(tmp_path)
    assert len(last) == 1
    assert len(texts(tmp_path)) == 1
    assert texts(tmp_path, Position(1, 30)) == texts(tmp_path), "what is gone is passed over"


def test_a_quarantine_keeps_its_newest(tmp_path: Path) -> None:
    write(tmp_path, *[[("a", b"%04d" % n + b"x" * 60)] for n in range(6)], segment_bytes=100)
    size = path_of(tmp_path, 1).stat().st_size
    Retention(tmp_path).keep_newest(2 * size)
    assert [text[:4] for text in texts(tmp_path)] == [b"0004", b"0005"]


async def test_a_follower_hears_what_is_written_later(tmp_path: Path) -> None:
    out = SegmentWriter(tmp_path, segment_bytes=100)
    heard: list[bytes] = []
    three = asyncio.Event()

    async def follow() -> None:
        async for group in SegmentFollower(tmp_path).groups():
            heard.extend(payload for _, payload in group.messages)
            if len(heard) == 3:
                three.set()

    task = asyncio.create_task(follow())
    for number in (b"1", b"2", b"3"):
        out.append(1, [("a", number + b"x" * 90)])
        await asyncio.to_thread(out.commit)
    await asyncio.wait_for(three.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    out.close()
    assert [text[:1] for text in heard] == [b"1", b"2", b"3"]


_WRITER = """
import sys
from pathlib import Path
from telemetry.segments import SegmentWriter
out = SegmentWriter(Path(sys.argv[1]), segment_bytes=20_000)
number = int(sys.argv[2])
while True:
    out.append(number, [("a", b"%08d" % n) for n in range(number, number + 50)])
    out.commit()
    number += 50
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_what_a_writer_said_to_be_on_disk_survives_its_kill(tmp_path: Path) -> None:
    said = 0
    for lines in (3, 40, 11):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(said)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[3],
        )
        assert process.stdout is not None
        for _ in range(lines):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        said = int(rest.split()[-1]) if rest.endswith(b"\n") else said

        SegmentWriter(tmp_path).close()
        kept = {int(text) for text in texts(tmp_path)}
        assert set(range(said)) <= kept
