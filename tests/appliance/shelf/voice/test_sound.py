"""Only one short WAV file of the agreed kind is listened to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.shelf.voice.sound import most_bytes, samples_of
from contracts.errors import BadInputError
from tests.appliance.shelf.voice.speech import wav


def test_a_sentence_is_taken_whole() -> None:
    assert len(samples_of(wav(1.5), most_seconds=10)) == 48_000


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (wav(rate=48_000), "48000 Hz, 1 channels and 16 bits"),
        (wav(channels=2), "16000 Hz, 2 channels"),
        (wav(width=1), "8 bits"),
        (b"", "no WAV file"),
        (b"RIFF", "no WAV file"),
        (b"\x1aE\xdf\xa3webm", "no WAV file"),
        (wav(11), "11.0 s long, at most 10 s"),
    ],
)
def test_anything_else_is_refused_with_what_to_send(sound: bytes, why: str) -> None:
    with pytest.raises(BadInputError, match=why) as refused:
        samples_of(sound, most_seconds=10)
    assert refused.value.mend


@given(st.binary(max_size=200), st.integers(0, 60))
def test_no_damaged_file_does_more_than_be_refused(noise: bytes, at: int) -> None:
    damaged = bytearray(wav(0.01))
    damaged[at : at + len(noise)] = noise
    try:
        samples = samples_of(bytes(damaged), most_seconds=1)
    except BadInputError:
        return
    assert len(samples) % 2 == 0


def test_the_longest_sentence_fits_into_what_is_read() -> None:
    assert len(wav(10)) <= most_bytes(10) <= len(wav(10)) + 8192
