"""Payloads in blocks come out whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.coap.blocks import Assembly, Block, BlockRefusedError, block_of
from telemetry.coap.message import Code


@given(st.binary(min_size=1, max_size=700), st.integers(0, 3))
def test_a_payload_in_blocks_is_the_payload(payload: bytes, exponent: int) -> None:
    assembly, size = Assembly(most_payload=1000), 1 << (exponent + 4)
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    whole = None
    for number, part in enumerate(parts):
        assert whole is None
        block = Block(number, number + 1 < len(parts), exponent)
        whole = assembly.add("a", block_of(block.to_bytes()), part, 0)
    assert whole == payload
    assert (len(assembly), assembly.used_bytes) == (0, 0)


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([(Block(1, True, 0), b"x" * 16)], Code.INCOMPLETE),
        ([(Block(0, True, 0), b"x" * 16), (Block(2, True, 0), b"x" * 16)], Code.INCOMPLETE),
        ([(Block(0, True, 0), b"x" * 15)], Code.BAD_REQUEST),
        ([(Block(0, False, 0), b"x" * 17)], Code.BAD_REQUEST),
        ([(Block(n, True, 0), b"x" * 16) for n in range(5)], Code.TOO_LARGE),
    ],
)
def test_what_does_not_fit_is_refused_and_forgotten(
    blocks: list[tuple[Block, bytes]], code: Code
) -> None:
    assembly = Assembly(most_payload=64)
    *before, (last, part) = blocks
    for block, payload in before:
        assembly.add("a", block, payload, 0)
    with pytest.raises(BlockRefusedError) as refused:
        assembly.add("a", last, part, 0)
    assert refused.value.code == code
    assert assembly.used_bytes == 0


def test_room_is_bounded_and_comes_back_with_time() -> None:
    assembly = Assembly(most_payload=64, most_transfers=2)
    first = Block(0, True, 0)
    for name in ("a", "b"):
        assembly.add(name, first, b"x" * 16, 0)
    with pytest.raises(BlockRefusedError) as refused:
        assembly.add("c", first, b"x" * 16, 1)
    assert refused.value.code == Code.UNAVAILABLE
    assert assembly.add("c", first, b"x" * 16, 300) is None
    assert len(assembly) == 1


def test_bytes_are_bounded_too() -> None:
    assembly = Assembly(most_payload=64, most_bytes=40)
    assembly.add("a", Block(0, True, 0), b"x" * 16, 0)
    assembly.add("b", Block(0, True, 0), b"x" * 16, 0)
    with pytest.raises(BlockRefusedError, match="no room"):
        assembly.add("b", Block(1, True, 0), b"x" * 16, 0)


@pytest.mark.parametrize("value", [b"\x07", b"\x00\x00\x00\x00"])
def test_a_block_option_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(BlockRefusedError):
        block_of(value)
