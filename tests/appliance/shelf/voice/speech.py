"""Sound for the voice's tests: WAV files without a mouth."""

from __future__ import annotations

import io
import wave


def wav(seconds: float = 0.5, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    """Silence of so many seconds."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * channels * width))
    return out.getvalue()
