"""Any recogniser that is a program: it is given a WAV file and prints what it says.

The site chooses it and its model, so a Chinese one is as good as an English one. It runs once for
each sentence, in a process group of its own that ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import wave
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.shelf.voice.ports import Vocabulary, VoiceBusyError, VoiceEngineError
from appliance.shelf.voice.sound import RATE, WIDTH

_MOST_TEXTS: Final = 5
_MOST_BYTES: Final = 1 << 16
_LONGEST: Final = 400


class CommandEngine:
    """Implements ports.Engine. `{wav}`, `{model}` and `{language}` in `command` are filled in."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        model: str = "",
        languages: Sequence[str] = ("en",),
        patience_s: float = 20.0,
        at_once: int = 2,
    ) -> None:
        self._command = tuple(command)
        self._model = model
        self._languages = tuple(languages)
        self._patience_s = patience_s
        self._left = at_once

    @property
    def languages(self) -> tuple[str, ...]:
        """See ports.Engine."""
        return self._languages

    async def hear(self, samples: bytes, language: str, vocabulary: Vocabulary) -> list[str]:
        """See ports.Engine. The program knows nothing of `vocabulary`."""
        del vocabulary
        if self._left == 0:
            raise VoiceBusyError("Too many people speak at once", mend="Say it again in a moment")
        self._left -= 1
        try:
            with tempfile.TemporaryDirectory(prefix="tallyman-voice-") as folder:
                path = Path(folder) / "said.wav"
                await asyncio.to_thread(_write, path, samples)
                return _texts(await self._run(path, language))
        finally:
            self._left += 1

    async def close(self) -> None:
        """See ports.Engine: nothing runs between two sentences."""

    async def _run(self, path: Path, language: str) -> bytes:
        values = {"wav": str(path), "model": self._model, "language": language}
        arguments = [_filled(each, values) for each in self._command]
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise VoiceEngineError(
                f"{arguments[0]} cannot be started: {error.strerror}",
                mend="Look at [shelf] voice_command",
            ) from error
        try:
            async with asyncio.timeout(self._patience_s):
                said = await _read(process)
                code = await process.wait()
        except TimeoutError as error:
            raise VoiceEngineError(
                f"{arguments[0]} took longer than {self._patience_s:g} s",
                mend="Give the hub a smaller model",
            ) from error
        finally:
            await _end(process)
        if code != 0:
            raise VoiceEngineError(
                f"{arguments[0]} ended with code {code}", mend="Look at [shelf] voice_command"
            )
        return said


def _write(path: Path, samples: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(WIDTH)
        file.setframerate(RATE)
        file.writeframes(samples)


def _filled(argument: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        argument = argument.replace("{" + name + "}", value)
    return argument


def _texts(said: bytes) -> list[str]:
    lines = (line.strip()[:_LONGEST] for line in said.decode("utf-8", "replace").splitlines())
    return list(dict.fromkeys(filter(None, lines)))[:_MOST_TEXTS]


async def _read(process: Process) -> bytes:
    """What it prints, and no more than a talkative program should."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    said = b""
    while len(said) < _MOST_BYTES and (more := await process.stdout.read(_MOST_BYTES)):
        said += more
    return said


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()
