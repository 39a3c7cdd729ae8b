"""A set's own words on its page: its card, its bounds, its engines, and where it comes from."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from appliance.web.ota.lineage import HEIGHT, WIDTH, drawing
from appliance.web.ota.records import card_blocks, engines, quality_rows
from ota.registry.records import Lineage, SetRecord
from tests.support.updates import a_set, some_sets


def test_a_card_keeps_its_headings_bold_words_and_code() -> None:
    blocks = card_blocks("# Reader\nshort\n\n**For.** `det.onnx` and <script>")
    assert [block.kind for block in blocks] == ["heading", "text", "text"]
    assert blocks[2].parts == (
        ("strong", "For."),
        ("text", " "),
        ("code", "det.onnx"),
        ("text", " and <script>"),
    )


def test_bounds_are_held_against_the_set_before() -> None:
    base = a_set("label_reader", "1.1.0", "read", "label-reader")
    worse = replace(base, quality=base.quality.replace("88.33", "86.0"))
    held = {row.figure.rsplit(".", 2)[-2]: row for row in quality_rows(worse, base).bounds}
    assert not held["right_percent"].holds, "it may lose 0.5 and lost more"
    assert (held["right_percent"].now, held["right_percent"].before) == (86.0, 88.33)
    assert quality_rows(worse, None).bounds[0].holds, "alone it is above its limit"
    assert [rule.status for rule in quality_rows(base, None).rules] == ["done", "todo"]


def test_a_record_that_is_no_toml_says_so() -> None:
    assert "TOML" in quality_rows(replace(some_sets()[0], quality="[["), None).trouble
    assert quality_rows(replace(some_sets()[0], quality=""), None).bounds == ()


def test_engines_that_are_not_proven_are_named_as_such() -> None:
    record = next(each for each in some_sets() if each.unproven)
    assert [(row.engine, row.is_proven) for row in engines(record)] == [
        ("onnxruntime-cpu", True),
        ("openvino-cpu", False),
    ]


def test_a_set_stands_right_of_the_one_it_was_made_from() -> None:
    picture = drawing("read", some_sets())
    at = {node.record.version: (node.x, node.y) for node in picture.nodes}
    assert at["1.1.0"] == (0, 0)
    assert at["1.2.0"][1] == 0
    assert at["1.2.0"][0] < at["1.2.1"][0] == at["1.3.0"][0]
    assert at["1.2.1"][1] != at["1.3.0"][1], "two that were made from one do not cover each other"
    assert len(picture.edges) == 3


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=10, unique_by=lambda x: x[0])
)
def test_any_lineage_is_drawn_without_two_sets_at_one_place(pairs: list[tuple[int, int]]) -> None:
    def of(number: int, base: int) -> SetRecord:
        record = a_set("set", str(number), "read", "label-reader", days=20 - number)
        return replace(record, digest=f"sha256:{number}", lineage=Lineage(base=f"sha256:{base}"))

    records = [of(number, base) for number, base in pairs]
    picture = drawing("read", records)
    places = [(node.x, node.y) for node in picture.nodes]
    assert len(picture.nodes) == len(records)
    assert len(set(places)) == len(places)
    assert all(x + WIDTH <= picture.width and y + HEIGHT <= picture.height for x, y in places)
