"""The words people see: one catalogue a language, shared by templates and scripts.

A catalogue is a flat JSON object, key to sentence, with `{name}` where a value goes. Both
languages hold the same keys with the same placeholders; a test says so. A reason `Reason(code,
params)` is the sentence `reason.<code>`, so a verdict carries no language of its own (I7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from contracts.errors import TallymanError
from contracts.reason import Reason

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
DEFAULT = "en"
_FOLDER = Path(__file__).parent / "i18n"
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class MissingWordError(TallymanError):
    """A page asked for a sentence the catalogue does not have, or left a value out."""

    code = "missing_word"


class Words:
    """One language. Call it with a key and the sentence's values: `words("carton.of", n=3)`."""

    __slots__ = ("_sentences", "language")

    def __init__(self, language: str, sentences: Mapping[str, str]) -> None:
        self.language = language
        self._sentences = sentences

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence for `key`. Raises MissingWordError for an unknown key or a missing value."""
        sentence = self._sentences.get(key)
        if sentence is None:
            raise MissingWordError(
                f"no sentence {key!r} in {self.language}.json",
                mend="Add the key to both files of appliance/i18n",
                key=key,
            )

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in values:
                raise MissingWordError(
                    f"sentence {key!r} wants a value for {name!r}",
                    mend="Pass it where the sentence is used",
                    key=key,
                )
            return str(values[name])

        return _PLACEHOLDER.sub(value, sentence)

    def sentence(self, key: str) -> str:
        """The sentence with its places unfilled, for a script that fills them."""
        return self._sentences[key]

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    def count(self, noun: str, number: int) -> str:
        """`count.<noun>.one` or `count.<noun>.other` with `{n}`, e.g. "1 carton", "12 cartons"."""
        form = "one" if number == 1 else "other"
        return self(f"count.{noun}.{form}", n=number)

    def term(self, family: str, value: str) -> str:
        """The word for one value of a closed kind (`state.stalled`), or the value itself.

        A device of a later version may report a value this catalogue does not have; the
        operator is better served by the raw word than by an empty page.
        """
        return self._sentences.get(f"{family}.{value}", value)

    def reason(self, reason: Reason) -> str:
        """A reason as a sentence; one unknown here is shown with its code and values."""
        key = f"reason.{reason.code}"
        names = set(_PLACEHOLDER.findall(self._sentences.get(key, "")))
        if key in self._sentences and names <= reason.params.keys():
            return self(key, **reason.params)
        values = ", ".join(f"{name} {value}" for name, value in reason.params.items())
        return self("reason.unknown", code=reason.code, values=values)

    def days_left(self, expiry: date, today: date) -> str:
        """How far an expiry date is away, written out: never a colour alone."""
        left = (expiry - today).days
        if left < 0:
            return self("expiry.gone", days=self.count("days", -left))
        if left == 0:
            return self("expiry.today")
        return self("expiry.left", days=self.count("days", left))

    def as_json(self) -> str:
        """The whole catalogue for scripts, as JSON text."""
        return json.dumps(self._sentences, ensure_ascii=False, sort_keys=True)


def placeholders(sentence: str) -> frozenset[str]:
    """The names of the values a sentence wants."""
    return frozenset(_PLACEHOLDER.findall(sentence))


def read_catalogue(language: str) -> dict[str, str]:
    """The catalogue as stored, key to sentence. Raises MissingWordError for an unknown language."""
    if language not in LANGUAGES:
        raise MissingWordError(
            f"no catalogue for language {language!r}", mend=f"Use one of {', '.join(LANGUAGES)}"
        )
    sentences: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return sentences


@cache
def words(language: str = DEFAULT) -> Words:
    """The words of one language; an unknown language gets the default one."""
    known = language if language in LANGUAGES else DEFAULT
    return Words(known, read_catalogue(known))
