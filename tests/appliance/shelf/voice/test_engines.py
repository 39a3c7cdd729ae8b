"""Recognisers that are processes: they answer, or give up in words, and leave nothing running."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.shelf.settings import ShelfConfig
from appliance.shelf.voice.command import CommandEngine
from appliance.shelf.voice.opening import Named, open_engine, watch
from appliance.shelf.voice.pocket import PocketSphinx
from appliance.shelf.voice.ports import Vocabulary, VoiceBusyError, VoiceEngineError
from contracts.errors import BadInputError
from contracts.shelf import ExpiryLimits, ShelfProduct, Snapshot

SILENCE = bytes(16_000)
SITE = Vocabulary(("A-01-1", "B-12-3"), ("Whole Milk",))
HELLO = "import sys, wave; w = wave.open(sys.argv[1]); "


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text, "{wav}", "{model}", "{language}")


def child(*lines: str) -> tuple[str, ...]:
    """A recogniser that is ready, and then does as the lines say."""
    return (
        sys.executable,
        "-u",
        "-c",
        "\n".join(["print('ready')", "import sys, os, time", *lines]),
    )


ECHO = (
    "for line in sys.stdin.buffer:",
    "  size = int(line.rsplit(b':', 1)[1].rstrip(b'}\\n'))",
    "  sys.stdin.buffer.read(size)",
    """  print('{"texts": ["next", "%d", "%d"]}' % (size, os.getpid()))""",
)


@pytest.fixture
async def pocket() -> AsyncIterator[PocketSphinx]:
    made = PocketSphinx()
    yield made
    await made.close()


async def test_the_english_recogniser_listens_for_this_site_and_for_another(
    pocket: PocketSphinx,
) -> None:
    first = await pocket.hear(SILENCE, "en", SITE)
    again = await pocket.hear(SILENCE, "en", SITE)
    other = await pocket.hear(SILENCE, "en", Vocabulary(("C-01",), ()))
    for texts in (first, again, other):
        assert len(texts) <= 1


async def test_one_process_hears_one_person_after_the_other() -> None:
    engine = PocketSphinx(child=child(*ECHO))
    try:
        heard = await asyncio.gather(*(engine.hear(bytes(n), "en", SITE) for n in (2, 4, 6)))
        assert [texts[1] for texts in heard] == ["2", "4", "6"]
        assert len({texts[2] for texts in heard}) == 1
    finally:
        await engine.close()


async def test_too_many_at_once_are_told_so_and_the_others_are_heard() -> None:
    engine = PocketSphinx(child=child(*ECHO), waiting=1)
    try:
        heard = await asyncio.gather(
            *(engine.hear(SILENCE, "en", SITE) for _ in range(3)), return_exceptions=True
        )
        assert [isinstance(each, VoiceBusyError) for each in heard] == [False, False, True]
    finally:
        await engine.close()


@pytest.mark.parametrize(
    "lines",
    [
        ("sys.exit(3)",),
        ("sys.stdin.buffer.readline()", "print('nonsense')", "sys.stdin.read()"),
        ("sys.stdin.buffer.readline()", "os.abort()"),
    ],
)
async def test_a_recogniser_that_dies_or_babbles_is_told_and_begun_anew(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    once = tmp_path / "once"
    broken = (f"if not os.path.exists({str(once)!r}):", f"  open({str(once)!r}, 'w').close()")
    engine = PocketSphinx(child=child(*broken, *("  " + line for line in lines), *ECHO))
    try:
        with pytest.raises(VoiceEngineError, match="gave no answer"):
            await engine.hear(SILENCE, "en", SITE)
        assert (await engine.hear(SILENCE, "en", SITE))[0] == "next"
    finally:
        await engine.close()


async def test_a_recogniser_that_hangs_is_ended() -> None:
    engine = PocketSphinx(child=child("time.sleep(600)"), patience_s=0.3)
    with pytest.raises(VoiceEngineError, match="TimeoutError"):
        await engine.hear(SILENCE, "en", SITE)


async def test_what_the_hub_started_ends_with_the_hub(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    engine = PocketSphinx(child=child(f"open({str(pid)!r}, 'w').write(str(os.getpid()))", *ECHO))
    await engine.hear(SILENCE, "en", SITE)
    job = asyncio.create_task(watch(engine))
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    with pytest.raises(ProcessLookupError):
        os.kill(int(await asyncio.to_thread(pid.read_text)), 0)


async def test_a_program_of_the_site_is_given_the_sound_and_prints_its_guesses() -> None:
    said = (
        HELLO + "print(w.getframerate(), w.getnchannels(), w.getnframes(), *sys.argv[2:]);"
        " print('查看A区'); print(); print('查看A区')"
    )
    engine = CommandEngine(program(said), model="/models/zh", languages=("zh",))
    assert engine.languages == ("zh",)
    heard = await engine.hear(SILENCE, "zh", SITE)
    assert heard == ["16000 1 8000 /models/zh zh", "查看A区"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys; sys.exit(2)", "ended with code 2"),
        ("import time; time.sleep(600)", "took longer than 0.5 s"),
    ],
)
async def test_a_program_that_fails_or_hangs_is_told(text: str, why: str) -> None:
    engine = CommandEngine(program(text), patience_s=0.5 if "sleep" in text else 20)
    with pytest.raises(VoiceEngineError, match=why):
        await engine.hear(SILENCE, "en", SITE)


async def test_a_program_that_is_not_there_is_told_with_the_setting() -> None:
    with pytest.raises(VoiceEngineError, match="cannot be started") as told:
        await CommandEngine(("/no/such/program", "{wav}")).hear(SILENCE, "en", SITE)
    assert "voice_command" in told.value.mend


async def test_what_was_said_lies_on_no_disk_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (path,) = await CommandEngine(program("import sys; print(sys.argv[1])")).hear(
        SILENCE, "en", SITE
    )
    assert path.startswith(str(tmp_path))
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


def test_settings_that_name_no_recogniser_are_refused_when_the_hub_starts() -> None:
    assert open_engine(ShelfConfig()) is None
    assert open_engine(ShelfConfig(voice="browser")) is None
    assert isinstance(open_engine(ShelfConfig(voice="hub")), PocketSphinx)
    with pytest.raises(BadInputError, match="is given no"):
        open_engine(ShelfConfig(voice="hub", voice_engine="command", voice_command=("listen",)))
    command = ShelfConfig(
        voice="hub",
        voice_engine="command",
        voice_command=("listen", "{wav}"),
        voice_languages=("zh",),
    )
    made = open_engine(command)
    assert made is not None
    assert made.languages == ("zh",)


def test_what_can_be_named_is_read_anew_after_a_minute() -> None:
    limits = ExpiryLimits(30, 15, 3)
    goods = [ShelfProduct("04006381333931", "Milk")]
    now = [0.0]
    read = Named(
        lambda: Snapshot(
            1, 0, "2026-11-22", "UTC", "Dock", limits, products=tuple(goods), locations=("A-01-1",)
        ),
        seconds=lambda: now[0],
    )
    assert read() == Vocabulary(("A-01-1",), ("Milk",))
    goods.append(ShelfProduct("05000159407236", "Chocolate"))
    assert read().names == ("Milk",)
    now[0] = 61
    assert read().names == ("Milk", "Chocolate")
