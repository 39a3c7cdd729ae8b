"""The recogniser that the site's settings ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from appliance.shelf.settings import ShelfConfig
from appliance.shelf.voice.command import CommandEngine
from appliance.shelf.voice.pocket import PocketSphinx
from appliance.shelf.voice.ports import Engine, Vocabulary
from contracts.errors import BadInputError
from contracts.shelf import Snapshot

_KEPT_S: Final = 60.0


class Named:
    """What can be named at this site, from what phones carry; read anew after a minute at most."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._snapshot = snapshot
        self._seconds = seconds
        self._kept: tuple[float, Vocabulary] | None = None

    def __call__(self) -> Vocabulary:
        """Raises UnavailableError where the books cannot be read."""
        now = self._seconds()
        if self._kept is None or now - self._kept[0] > _KEPT_S:
            taken = self._snapshot()
            names = dict.fromkeys(each.name for each in taken.products)
            self._kept = (now, Vocabulary(taken.locations, tuple(names)))
        return self._kept[1]


def open_engine(shelf: ShelfConfig) -> Engine | None:
    """None: the hub does not listen. Nothing is started before somebody speaks.

    Raises BadInputError for settings that name no recogniser that could be used.
    """
    if shelf.voice != "hub":
        return None
    if shelf.voice_engine == "command":
        if not any("{wav}" in argument for argument in shelf.voice_command[1:]):
            raise BadInputError(
                "[shelf] voice_engine is command, and voice_command is given no {wav}",
                mend='Set voice_command = ["PROGRAM", "{wav}"]',
            )
        return CommandEngine(
            shelf.voice_command, model=shelf.voice_model, languages=shelf.voice_languages
        )
    if find_spec("pocketsphinx") is None:
        raise BadInputError(
            "[shelf] voice_engine is pocketsphinx, which is not installed here",
            mend="Install tallyman[voice], or set [shelf] voice = 'off'",
        )
    return PocketSphinx(shelf.voice_model)


async def watch(engine: Engine) -> None:
    """Runs beside the hub and ends what the engine started when the hub does."""
    try:
        await asyncio.Event().wait()
    finally:
        await engine.close()
