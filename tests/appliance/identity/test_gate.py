"""What the device port makes of requests that do not come whole."""

import pytest
from fastapi import Request

from appliance.identity.gate import read_body
from contracts.errors import BadInputError


async def test_a_request_that_breaks_off_is_refused_and_no_error_of_ours() -> None:
    parts: list[dict[str, object]] = [
        {"type": "http.request", "body": b"half of", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return parts.pop(0)

    request = Request({"type": "http", "headers": []}, receive)
    with pytest.raises(BadInputError, match="broke off"):
        await read_body(request, 1000)
