"""Fields of a form as values; what cannot be read says which field and how to write it."""

from __future__ import annotations

from starlette.datastructures import FormData

from contracts.errors import BadInputError

_DIGITS = 12


def text(form: FormData, name: str) -> str:
    """A field's text without blanks around it."""
    return str(form.get(name, "")).strip()


def whole(form: FormData, name: str, *, default: int = 0) -> int:
    """A whole number from 0 on; `default` for an empty field. Raises BadInputError."""
    written = text(form, name)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()) or len(written) > _DIGITS:
        raise BadInputError(
            f"{written!r} in the field {name} is no whole number from 0 on",
            mend="Write digits only, without separators",
        )
    return int(written)


def units(written: str) -> dict[str, int]:
    """`case 24, pallet 960` as base units in one of each. Raises BadInputError."""
    found: dict[str, int] = {}
    for part in written.replace(";", ",").split(","):
        words = part.replace("=", " ").split()
        if not words:
            continue
        if len(words) < 2 or not (words[-1].isascii() and words[-1].isdigit()):  # noqa: PLR2004 -- a name and a number
            raise BadInputError(
                f"{part.strip()!r} is no unit with its number",
                mend="Write each as name and base units, for example: case 24, pallet 960",
            )
        name = " ".join(words[:-1])
        if name in found:
            raise BadInputError(f"The unit {name} stands there twice", mend="Keep one of them")
        found[name] = int(words[-1])
    return found
