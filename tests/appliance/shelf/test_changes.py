"""What changed since an answer, laid over that answer, is everything: whatever came between."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from appliance.shelf.stock.changes import Parts

KEYS = [f"{kind}:{n}" for kind in ("product", "hold", "ticket") for n in range(3)]
STATES = st.dictionaries(st.sampled_from(KEYS), st.sampled_from([b"1", b"2", b"3"]))
DAYS = st.lists(st.tuples(STATES, st.sampled_from([b"today", b"tomorrow"])), min_size=1, max_size=9)


@given(DAYS)
def test_a_phone_that_kept_any_answer_ends_with_what_stands_now(
    days: list[tuple[Mapping[str, bytes], bytes]],
) -> None:
    cut, held = Parts(), {}
    for version, (parts, frame) in enumerate(days):
        cut.replace(parts, frame, version)
        held[cut.tag] = dict(parts)
    for tag, had in held.items():
        since = cut.since(tag)
        assert since is not None
        version, change = since
        assert version <= len(days)
        now = had | {key: cut.parts[key] for key in change.parts}
        assert {k: v for k, v in now.items() if k not in change.gone} == cut.parts
        assert not set(change.gone) & cut.parts.keys()


@given(STATES, STATES)
def test_the_same_content_has_the_same_tag_at_whatever_hub(
    one: Mapping[str, bytes], other: Mapping[str, bytes]
) -> None:
    here, there = Parts(), Parts()
    here.replace(other, b"", 7)
    here.replace(one, b"", 8)
    there.replace(dict(one), b"", 8)
    assert here.tag == there.tag
    there.replace(other, b"", 8)
    assert (here.tag == there.tag) == (list(one.items()) == list(other.items()))


def test_an_answer_of_long_ago_is_forgotten_and_told_whole() -> None:
    cut = Parts()
    cut.replace({"hold:1": b"1"}, b"", 1)
    first = cut.tag
    for version in range(2, 1100):
        cut.replace({"hold:1": str(version).encode()}, b"", version)
    assert cut.since(first) is None
    assert cut.since("") is None
