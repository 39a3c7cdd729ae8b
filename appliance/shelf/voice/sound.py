"""Speech as it comes in: one short WAV file, checked before anything listens to it."""

from __future__ import annotations

import io
import wave
from typing import Final

from contracts.errors import BadInputError

RATE: Final = 16_000
"""Samples a second."""
WIDTH: Final = 2
"""Bytes of a sample."""
_HEADER: Final = 4096
_MEND: Final = "Send PCM of 16 bits, 16 kHz and one channel in a WAV file"


def most_bytes(seconds: float) -> int:
    """A WAV file of so many seconds is at most so long, its header included."""
    return _HEADER + int(seconds * RATE) * WIDTH


def samples_of(data: bytes, *, most_seconds: float) -> bytes:
    """The samples of a WAV file: 16 bits little endian, 16 kHz, one channel.

    Raises BadInputError for anything else, and for more than `most_seconds`.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            samples: bytes = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        # The library says RuntimeError of a part that is longer than its file.
        raise BadInputError(f"This is no WAV file of PCM samples: {error}", mend=_MEND) from error
    if shape != (RATE, 1, WIDTH):
        rate, channels, width = shape
        raise BadInputError(
            f"The sound has {rate} Hz, {channels} channels and {8 * width} bits", mend=_MEND
        )
    if len(samples) > most_seconds * RATE * WIDTH:
        raise BadInputError(
            f"The sound is {len(samples) / RATE / WIDTH:.1f} s long, at most {most_seconds:g} s"
            " are listened to",
            mend="Say one sentence at a time",
        )
    return samples[: len(samples) // WIDTH * WIDTH]
