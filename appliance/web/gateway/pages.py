"""/sensors/gateway: whether readings come in, how many, what was set aside and why (I2).

The gateway is asked each time; where it does not answer the page says so and keeps asking.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from appliance.gateway.aside import Aside
from appliance.web.app import pages_of
from appliance.web.charts.gateway import PREFIX, Gateway
from appliance.web.gateway.cards import GatewayCard, read_card
from appliance.web.ports import Gate
from contracts.errors import TallymanError, UnavailableError

_ANSWER_S: Final = 3.0
_SHOWN: Final = 50
_CODE: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def gateway_router(gateway: Gateway, gate: Gate) -> APIRouter:
    """The page and the part of it that refreshes. Include it before /sensors/{device}."""
    router = APIRouter(include_in_schema=False)

    async def show(request: Request, template: str) -> Response:
        viewer = await gate.require(request)
        code = request.query_params.get("code", "")[:_CODE]
        card, aside, trouble = await _asked(gateway, code)
        return pages_of(request).render(
            request,
            template,
            card=card,
            aside=aside,
            trouble=trouble,
            code=code,
            moment=moment,
            viewer=viewer,
        )

    @router.get("/sensors/gateway")
    async def page(request: Request) -> Response:
        return await show(request, "gateway.html")

    @router.get("/sensors/gateway/board")
    async def board(request: Request) -> Response:
        return await show(request, "part_gateway.html")

    return router


def moment(at_us: int) -> datetime:
    """A time of the gateway's, aware."""
    return _EPOCH + timedelta(microseconds=at_us)


async def _asked(
    gateway: Gateway, code: str
) -> tuple[GatewayCard | None, tuple[Aside, ...], TallymanError | None]:
    try:
        card = read_card(await gateway.get(f"{PREFIX}/status", within_s=_ANSWER_S))
        query = f"limit={_SHOWN}" + (f"&code={code}" if code.isidentifier() else "")
        raw = await gateway.get(f"{PREFIX}/quarantine?{query}", within_s=_ANSWER_S)
        return card, msgspec.json.decode(raw, type=tuple[Aside, ...]), None
    except msgspec.MsgspecError as error:
        other = UnavailableError(
            f"The gateway speaks another version: {error}", mend="Update hub and gateway"
        )
        return None, (), other
    except TallymanError as error:
        return None, (), error
