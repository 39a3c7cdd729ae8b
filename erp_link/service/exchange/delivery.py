"""Sends the webhook messages that are due: each webhook's in their order, webhooks side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from contracts.errors import TallymanError
from erp_link.service.exchange.messages import Due, claim, give_back, tried
from erp_link.service.exchange.webhooks import Webhooks
from erp_link.service.store import Store
from erp_link.webhooks.addresses import Addresses, Resolve
from erp_link.webhooks.schedule import Answer
from erp_link.webhooks.sender import Sender
from erp_link.webhooks.signing import headers

_BY = "webhooks"


class Delivery:
    """`resolve` stands for the machine's own name resolution in tests."""

    def __init__(
        self,
        store: Store,
        webhooks: Webhooks,
        *,
        addresses: Addresses,
        sender: Sender,
        resolve: Resolve | None = None,
    ) -> None:
        self._store = store
        self._webhooks = webhooks
        self._addresses = addresses
        self._sender = sender
        self._resolve = resolve

    async def send_due(self, *, limit: int = 100) -> int:
        """Try what is due once; how many messages that were."""
        due = await asyncio.to_thread(self._store.write, partial(claim, limit=limit), by=_BY)
        ordered = sorted(due, key=lambda each: (each.webhook_id, each.message_id))
        groups = [list(group) for _, group in groupby(ordered, key=lambda each: each.webhook_id)]
        await asyncio.gather(*(self._in_order(group) for group in groups))
        return len(due)

    async def _in_order(self, messages: Sequence[Due]) -> None:
        """Until nobody answers; then the rest waits as long as the message that met silence."""
        for at, due in enumerate(messages):
            answer = await self._try(due)
            follows = await asyncio.to_thread(
                self._store.write, partial(tried, due=due, answer=answer), by=_BY
            )
            if (answer.is_silence and follows is not None) or answer.is_gone:
                rest = [each.message_id for each in messages[at + 1 :]]
                again = follows or self._store.clock.now()
                await asyncio.to_thread(
                    self._store.write,
                    partial(give_back, message_ids=rest, at=again),
                    by=_BY,
                )
                return

    async def _try(self, due: Due) -> Answer:
        now = self._store.clock.now()
        try:
            target = await asyncio.to_thread(self._addresses.target, due.url, self._resolve)
            keys = await asyncio.to_thread(
                self._store.read, lambda c: self._webhooks.secrets_of(c, due.webhook_id, now)
            )
            signed = headers(due.name, now, due.body, keys)
        except TallymanError as refused:
            return Answer(None, str(refused))
        return await self._sender.post(target, signed, due.body)
