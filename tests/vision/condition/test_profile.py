"""A file that is not whole is refused."""

from __future__ import annotations

import pytest

from contracts.errors import ArtefactRefusedError, BadInputError
from tests.vision.condition.conftest import PRINTED, good
from vision.condition.profile import ConditionProfile


def test_no_flipped_bit_changes_what_is_compared(inspector) -> None:
    """Some bits of an archive mean nothing (dates); all others are refused."""
    made = inspector.enrol(good(PRINTED, 1), product="ACME")
    data = made.to_bytes()
    refused = 0

    for place in range(1000, len(data), len(data) // 20):
        bad = bytearray(data)
        bad[place] ^= 4
        try:
            read = ConditionProfile.from_bytes(bytes(bad), name="acme")
        except ArtefactRefusedError:
            refused += 1
        else:
            assert ConditionProfile.of("ACME", read.sides) == made

    assert refused >= 18


@pytest.mark.parametrize("data", [b"", b"PK", b"\x00" * 100])
def test_what_is_no_profile_is_refused(data) -> None:
    with pytest.raises(ArtefactRefusedError, match="not a condition profile"):
        ConditionProfile.from_bytes(data, name="acme")


def test_a_missing_file_says_how_to_make_one(tmp_path) -> None:
    with pytest.raises(BadInputError, match="condition enrol"):
        ConditionProfile.load(tmp_path / "none")


def test_a_carton_has_at_most_six_sides(printed) -> None:
    with pytest.raises(BadInputError, match="1 to 6 sides"):
        ConditionProfile.of("ACME", printed.sides * 7)
