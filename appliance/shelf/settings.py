"""The [shelf] section: what a phone at the shelf may carry, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec


@dataclass(frozen=True, slots=True)
class ShelfConfig:
    offline_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 36
    """So long an enrolled phone may be used without having heard from the hub; then it locks."""
    price_roles: tuple[Literal["viewer", "operator", "quality", "ops", "integrator"], ...] = (
        "ops",
        "quality",
    )
    """Who is told at the shelf what a product cost last."""
    voice: Literal["off", "hub", "browser"] = "off"
    """Push to talk: `hub` listens itself (`voice_engine`), `browser` lets the browser do it, whose
    maker may hear what is said.
    """
    voice_engine: Literal["pocketsphinx", "command"] = "pocketsphinx"
    """What listens on the hub: PocketSphinx (English, the extra `voice`), or `voice_command`."""
    voice_model: str = ""
    """Folder or file of the recogniser's model; empty: the one that PocketSphinx brings."""
    voice_languages: tuple[Literal["en", "zh"], ...] = ("en",)
    """What that model understands."""
    voice_command: tuple[str, ...] = ()
    """Program and arguments that print what a WAV file says, a line a guess; `{wav}`, `{model}` and
    `{language}` are filled in.
    """
    voice_seconds: Annotated[float, msgspec.Meta(ge=1, le=30)] = 10.0
    """So long one may speak at once."""
