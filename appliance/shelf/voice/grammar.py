"""The closed grammar as a recogniser needs it: JSGF (W3C Note, June 2000), made from the file that
the phone's parser reads too (appliance/web/static/shelf/voice/grammar.json).

A recogniser without a language model gets slow and unsure with every way to say a thing, so it
listens for one or two of each (`hearing` of a language). Only what its dictionary can spell goes in:
a word that is missing there takes its alternative with it, or its optional part, never more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from appliance.shelf.voice.ports import Vocabulary

Known = Callable[[str], str]
"""A word as the dictionary writes it, or empty where it has none."""

_MARK: Final = re.compile(r"<\$?\w+>|[()\[\]|]|[^\s()\[\]|<>]+")
_PARTS: Final = re.compile(r"[^\W\d_]+|[0-9]+")
_HUNDRED: Final = 100
MOST_NAMES: Final = 400
_NOTHING: Final = "<VOID>"


@cache
def read_grammar() -> dict[str, Any]:
    """grammar.json, whole."""
    path = files("appliance.web").joinpath("static", "shelf", "voice", "grammar.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def languages() -> tuple[str, ...]:
    """Those that a grammar to listen for is written in."""
    return tuple(name for name, each in read_grammar()["languages"].items() if "hearing" in each)


def jsgf(language: str, vocabulary: Vocabulary, known: Known) -> str:
    """The grammar of `language` with this site's places and names, as JSGF text.

    Raises KeyError for a language that is none of `languages()`.
    """
    source = read_grammar()["languages"][language]
    hearing = source["hearing"]
    writer = _Writer(known)
    rules = {f"v_{name}": writer.write(text) for name, text in hearing["values"].items()}
    rules |= _numbers(source["numbers"], known)
    rules["v_place"] = _place(source["numbers"], vocabulary.places, known)
    rules["v_product"] = _names(vocabulary.names, known)
    rules["said"] = _any(writer.write(text) for text in hearing["say"])
    lines = [f"{'public ' * (name == 'said')}<{name}> = {text};" for name, text in rules.items()]
    return "\n".join(["#JSGF V1.0;", "grammar shelf;", *lines, ""])


def spoken(word: str, known: Known) -> str:
    """`whats` stands in dictionaries as `what's`."""
    return known(word) or (known(f"{word[:-1]}'{word[-1:]}") if len(word) > 1 else "")


class _Writer:
    """Writes one rule of grammar.json anew without what the dictionary lacks."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._marks: list[str] = []

    def write(self, text: str) -> str:
        self._marks = _MARK.findall(text)[::-1]
        return self._choice() or _NOTHING

    def _choice(self) -> str:
        """Empty where no alternative can be heard; an empty sequence is none."""
        ways = [self._sequence()]
        while self._marks and self._marks[-1] == "|":
            self._marks.pop()
            ways.append(self._sequence())
        return " | ".join(way for way in ways if way)

    def _sequence(self) -> str:
        parts: list[str] = []
        whole = True
        while self._marks and self._marks[-1] not in ("|", ")", "]"):
            part, optional = self._part(self._marks.pop())
            whole = whole and bool(part or optional)
            parts.append(part)
        return " ".join(filter(None, parts)) if whole else ""

    def _part(self, mark: str) -> tuple[str, bool]:
        if mark in ("(", "["):
            inner = self._choice()
            self._marks.pop()
            optional = mark == "["
            closing = "]" if optional else ")"
            return (f"{mark}{inner}{closing}" if inner else "", optional)
        if mark.startswith("<$"):
            return f"<v_{mark[2:-1]}>", False
        if mark.startswith("<"):
            return mark, False
        return spoken(mark, self._known), False


def _any(ways: Iterable[str]) -> str:
    kept = [way for way in dict.fromkeys(ways) if way and way != _NOTHING]
    return " | ".join(kept) or _NOTHING


def _words(words: Iterable[str], known: Known) -> str:
    return _any(spoken(word, known) for word in words)


def _numbers(words: dict[str, Any], known: Known) -> dict[str, str]:
    """1 to 999, as English people say them."""
    digits = _words((word for word, value in words["digits"].items() if value), known)
    hundred = spoken(next(iter(words["scales"])), known)
    return {
        "digit": digits,
        "small": f"<digit> | {_words(words['teens'], known)} | ({_words(words['tens'], known)}) [<digit>]",
        "v_number": f"<small> | <digit> {hundred} [and <small>]",
    }


def _place(words: dict[str, Any], places: Sequence[str], known: Known) -> str:
    """A letter, and the numbers behind it as this site's places have them."""
    parts = [_PARTS.findall(place.lower()) for place in places]
    letters = _any(known(each[0]) for each in sorted(parts) if each and not each[0].isdecimal())
    numbers = sorted({int(part) for each in parts for part in each[1:] if part.isdecimal()})
    said = _any(_said(number, words, known) for number in numbers if number < _HUNDRED)
    if _NOTHING in (letters, said):
        return letters
    depth = max(len(each) for each in parts) - 1
    return f"({letters}){f' [({said})' * depth}{']' * depth}"


def _said(number: int, words: dict[str, Any], known: Known) -> str:
    """A number below 100 in words, empty where one of them is not known."""
    names = {
        value: word for kind in ("digits", "teens", "tens") for word, value in words[kind].items()
    }
    parts = [number] if number in names else [number // 10 * 10, number % 10]
    spelt = [spoken(names[part], known) for part in parts]
    return " ".join(spelt) if all(spelt) else ""


def _names(names: Sequence[str], known: Known) -> str:
    """Names of which every word can be heard; numbers and units behind them are not said."""
    ways: dict[str, None] = {}
    for name in names:
        words = [word for word in _PARTS.findall(name.lower()) if len(word) > 2]  # noqa: PLR2004 -- no `1`, `ml`
        heard = [spoken(word, known) for word in words]
        if heard and all(heard) and not any(word.isdecimal() for word in words):
            ways[" ".join(heard)] = None
    return _any(list(ways)[:MOST_NAMES])
