"""Topics of a dialect: levels are texts, {names} or +, the last may be #. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agv_bridge.dialects.fields import FieldError

_NAME: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """`module/v1/ff/{station}/state`, read once."""

    text: str
    levels: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> TopicPattern:
        """Raises FieldError."""
        levels = tuple(text.split("/"))
        names = [match[1] for level in levels if (match := _NAME.fullmatch(level))]
        wrong = (
            not text
            or len(text) > _LONGEST
            or any(sign.isspace() for sign in text)
            or "#" in levels[:-1]
            or any(level not in {"+", "#"} and set(level) & set("+#") for level in levels)
            or any(set(level) & set("{}") and not _NAME.fullmatch(level) for level in levels)
            or len(names) != len(set(names))
        )
        if wrong:
            raise FieldError(
                f"{text!r} is no topic: no spaces, {{name}} and + for whole levels, # as the last"
            )
        return cls(text, levels)

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return "/".join("+" if _NAME.fullmatch(level) else level for level in self.levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """The named levels of a topic; None where it is another."""
        levels = topic.split("/")
        if self.levels[-1] == "#":
            if len(levels) < len(self.levels) - 1:
                return None
        elif len(levels) != len(self.levels):
            return None
        found: dict[str, str] = {}
        for wanted, level in zip(self.levels, levels, strict=False):
            if wanted == "#":
                break
            if name := _NAME.fullmatch(wanted):
                found[name[1]] = level
            elif wanted not in {"+", level}:
                return None
        return found
