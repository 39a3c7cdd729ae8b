"""How much a form may bring, known before a byte of it is read.

The server reads no more of a request than it announced, so its announcement is what to look at.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from contracts.errors import BadInputError

FORM_BYTES: Final = 1 << 20
"""Fields that a person types, with the longest text among them."""
_AROUND: Final = 64 << 10
"""What a form adds to the file in it."""


def check_length(request: Request, most_bytes: int = FORM_BYTES) -> None:
    """Call it before anything looks into the form. Raises BadInputError: more than `most_bytes` are
    announced beside the form's own, or it is not said how many come.
    """
    announced = request.headers.get("content-length", "")
    if not announced.isascii() or not announced.isdigit():
        raise BadInputError(
            "The request does not say how long it is", mend="Send it with a Content-Length"
        )
    if len(announced) > 18 or int(announced) > most_bytes + _AROUND:  # noqa: PLR2004 -- 64 bits
        raise BadInputError(
            f"{announced[:18]} bytes are more than are taken here",
            mend=f"At most {max(most_bytes >> 20, 1)} MB at once: send it in parts",
        )
