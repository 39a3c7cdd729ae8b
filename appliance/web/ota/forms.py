"""What people type into the forms of updates, with what to mend where it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from contracts.errors import BadInputError

LONGEST: Final = 400


async def typed(request: Request) -> Mapping[str, str]:
    """Every field of the form once, trimmed; of a name given twice the last."""
    form = await request.form()
    return {name: str(value).strip()[:LONGEST] for name, value in form.items()}


async def why_of(request: Request) -> str:
    """The reason that a command is given. Raises BadInputError where none is."""
    why = (await typed(request)).get("why", "")
    if not why:
        raise BadInputError(
            "No reason was given", mend="Write why, so that whoever reads the audit knows"
        )
    return why


def whole(text: str, what: str, *, least: int = 0, most: int = 1_000_000) -> int:
    """A whole number within bounds. Raises BadInputError naming `what`."""
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise BadInputError(
            f"{what}: {text[:20]!r} is no whole number from {least} to {most}", mend="Correct it"
        )
    return int(text)
