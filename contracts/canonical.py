"""RFC 8785 canonical JSON: one text for one value, so that it can be hashed and signed.

Objects, lists, strings, integers, true, false and null only. Integers stay within 2**53 and numbers
with a fraction are refused: every JSON library reads what is left in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.errors import BadInputError

_MOST = 2**53


def canonical(value: Mapping[str, Any]) -> bytes:
    """The canonical text of `value` in UTF-8 (RFC 8785, sections 3.2.1 to 3.2.4).

    Raises BadInputError for what has no such text: other types, larger integers, names or strings
    that are not Unicode.
    """
    text = json.dumps(_ordered(value, ""), separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError("A signed text is not valid Unicode", mend="Send UTF-8") from error


def read_canonical(text: str) -> dict[str, Any]:
    """The object that `text` says, if it is its canonical text to the letter.

    Raises BadInputError otherwise: a second spelling of one statement could mean two things.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError("What was signed is not JSON", mend="Sign it again") from error
    if not isinstance(value, dict) or canonical(value) != text.encode(errors="surrogatepass"):
        raise BadInputError(
            "What was signed is not canonical JSON (RFC 8785)",
            mend="Sign the text exactly as it was given out",
        )
    return value


def _ordered(value: Any, where: str) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > _MOST:
                raise BadInputError(f"Signed field {where} is beyond 2**53", mend="Sign it as text")
            return value
        case Mapping():
            # The RFC sorts names by UTF-16 code units.
            names = sorted(value, key=lambda name: _name(name, where).encode("utf-16-be"))
            return {name: _ordered(value[name], f"{where}.{name}") for name in names}
        case list() | tuple():
            return [_ordered(item, f"{where}[]") for item in value]
        case _:
            raise BadInputError(
                f"Signed field {where} is {type(value).__name__}",
                mend="Sign objects, lists, strings and integers only",
            )


def _name(name: object, where: str) -> str:
    if not isinstance(name, str) or not name.isprintable():
        raise BadInputError(f"A signed name in {where or 'the object'} is no plain text")
    try:
        name.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise BadInputError("A signed name is not valid Unicode", mend="Send UTF-8") from error
    return name
