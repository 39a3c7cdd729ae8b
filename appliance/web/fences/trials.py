"""The hub asks the gateway to go through its history with a fence that nobody has signed yet."""

from __future__ import annotations

from collections.abc import Callable, Collection

import httpx
import msgspec
from starlette.concurrency import run_in_threadpool

from contracts.errors import BadInputError, NotFoundError, UnavailableError
from contracts.stock import BatchKey
from erp_link.service.core import Core
from erp_link.service.excursions.whereabouts import Whereabouts as CoreWhereabouts
from telemetry.watching.fences import Fence, ScopeKind
from telemetry.watching.places import Whereabouts
from telemetry.watching.trials.api import TRY_PATH, Trial
from telemetry.watching.trials.trying import Tried

_ANSWER_S = 60.0


class GatewayTrials:
    """Implements appliance.web.fences.ports.Trials. Close it at the end."""

    def __init__(self, url: str, core: Core, places: Callable[[], Collection[str]] = tuple) -> None:
        """`places` are those in which sensors stand."""
        self.client = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(_ANSWER_S, connect=1.0), follow_redirects=False
        )
        self._core, self._places = core, places

    async def close(self) -> None:
        await self.client.aclose()

    async def try_out(self, fence: Fence, *, from_us: int, to_us: int) -> Tried:
        where = await run_in_threadpool(self._whereabouts, fence)
        asked = Trial(fence.text(), from_us, to_us, where)
        try:
            answer = await self.client.post(TRY_PATH, content=msgspec.json.encode(asked))
        except httpx.TransportError as error:
            raise UnavailableError(
                "The gateway does not answer, so its history cannot be tried",
                mend="Try a file, or look at the gateway process and at hub.gateway_url",
            ) from error
        return _tried(answer)

    def _whereabouts(self, fence: Fence) -> Whereabouts:
        """Where the goods of this fence lie now."""
        asked, scope = CoreWhereabouts(self._core), fence.scope
        products = {scope.name} if scope.kind is ScopeKind.PRODUCT else set()
        batches = {_batch(scope.name)} if scope.kind is ScopeKind.BATCH else set()
        holding = asked.holding_now(products=products, batches=batches)
        return Whereabouts(asked.zones(self._places()), holding.products, holding.batches)


def _tried(answer: httpx.Response) -> Tried:
    if answer.status_code == httpx.codes.OK:
        try:
            return msgspec.json.decode(answer.content, type=Tried)
        except msgspec.MsgspecError as error:
            raise UnavailableError(
                f"The gateway speaks another version: {error}", mend="Update hub and gateway"
            ) from error
    try:
        told = answer.json()
    except ValueError:
        told = {}
    message, mend = str(told.get("detail", "")), str(told.get("mend", ""))
    if answer.status_code == httpx.codes.NOT_FOUND and message:
        raise NotFoundError(message, mend=mend)
    if answer.is_client_error and message:
        raise BadInputError(message, mend=mend)
    raise UnavailableError(
        message or f"The gateway answered {answer.status_code}",
        mend=mend or "Look at the gateway's log",
    )


def _batch(name: str) -> BatchKey:
    supplier, _, rest = name.partition("/")
    gtin, _, lot = rest.partition("/")
    return BatchKey(supplier, gtin, lot)
