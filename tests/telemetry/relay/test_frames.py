"""Front and back understand each other however their bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.relay.frames import Frames, Kind, RelayError, frame

SAID = st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.binary()))


@given(SAID, st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_whole_however_they_are_cut(said, cuts):
    data, frames, heard, at = b"".join(frame(*each) for each in said), Frames(), [], 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        heard += frames.feed(data[at : at + step])
        at += step
    assert heard == said


@given(st.binary(max_size=80))
def test_bytes_of_nobody_are_refused_or_waited_for(data):
    try:
        assert all(isinstance(kind, Kind) for kind, _, _ in Frames().feed(data))
    except RelayError:
        return


def test_a_body_that_nobody_would_send_is_not_waited_for():
    with pytest.raises(RelayError, match="4000000000"):
        list(
            Frames().feed((4_000_000_000).to_bytes(4, "little") + bytes([Kind.MESSAGES]) + bytes(8))
        )
