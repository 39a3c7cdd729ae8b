"""The quarantine as its page shows it: newest first, with bytes and reason."""

from __future__ import annotations

from appliance.gateway.aside import SHOWN_BYTES, by_address, newest_aside
from telemetry.segments import Quarantined, SegmentWriter


def fill(folder, *groups):
    writer = SegmentWriter(folder)
    for at_us, items in groups:
        writer.quarantine(at_us, items)
    writer.commit()
    writer.close()


def test_the_newest_comes_first_with_what_was_sent(tmp_path):
    fill(
        tmp_path,
        (1, [Quarantined("a/1", b'{"t":', "not_json", "it ends")]),
        (2, [Quarantined("b/2", b"\xff\x00", "unknown_address", "nobody")]),
    )
    newest, older = newest_aside(tmp_path, 10)
    assert (newest.address, newest.hex, newest.text) == ("b/2", "ff 00", "")
    assert (older.at_us, older.text, older.detail) == (1, '{"t":', "it ends")
    assert [each.address for each in newest_aside(tmp_path, 1)] == ["b/2"]
    assert [each.address for each in newest_aside(tmp_path, 9, code="not_json")] == ["a/1"]


def test_a_long_payload_is_shown_by_its_beginning(tmp_path):
    fill(tmp_path, (1, [Quarantined("a", b"x" * 1000, "too_large", "")]))
    (shown,) = newest_aside(tmp_path, 1)
    assert (shown.size, len(shown.text)) == (1000, SHOWN_BYTES)


def test_addresses_nobody_described_are_counted(tmp_path):
    unknown = [Quarantined(f"new/{n % 2}", b"%d" % n, "unknown_address", "") for n in range(5)]
    fill(tmp_path, (1, unknown), (2, [Quarantined("new/1", b"!", "not_json", "")]))
    found = by_address(tmp_path, code="unknown_address")
    assert [(each.address, each.count) for each in found] == [("new/0", 3), ("new/1", 2)]
    assert len(by_address(tmp_path)) == 3


def test_a_gateway_that_set_nothing_aside_has_nothing_to_show(tmp_path):
    assert newest_aside(tmp_path / "none", 10) == []
