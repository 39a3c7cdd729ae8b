"""Webhooks over HTTP: made, changed and replayed by integrators, read by them and ops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query

from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.ports import Auth
from erp_link.service.exchange.webhooks import Made, Message, Webhook, Webhooks
from erp_link.webhooks.schedule import State

Number = Annotated[int, Path(ge=1, le=2**53)]


@dataclass(frozen=True, slots=True)
class WebhookIn:
    """`topics`: kinds of events (`held`, `released`, `received`, `shipped`, ...), or `*`."""

    url: str
    topics: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class StateIn:
    state: Literal["active", "paused"]


@dataclass(frozen=True, slots=True)
class ReplayIn:
    """Everything after this position is sent again; empty: from the beginning."""

    after: str


@dataclass(frozen=True, slots=True)
class RotateIn:
    """How long the secret before stays valid beside the new one."""

    keep_hours: Annotated[int, Query(ge=0, le=168)] = 24


def add_to(api: APIRouter, desk: Webhooks, auth: Auth) -> None:
    """Add the routes."""
    _add_reading(api, desk, Depends(auth("integrator", "ops")))
    _add_changes(api, desk, Depends(auth("integrator", "ops")))


def _add_reading(api: APIRouter, desk: Webhooks, reader: Any) -> None:
    @api.get("/webhooks", tags=["webhooks"], dependencies=[reader])
    def webhooks() -> list[Webhook]:
        """Every webhook, with how many of its messages wait or were given up."""
        return desk.webhooks()

    @api.get("/webhooks/{webhook_id}", tags=["webhooks"], dependencies=[reader])
    def webhook(webhook_id: Number) -> Webhook:
        """One webhook."""
        return desk.webhook(webhook_id)

    @api.get("/webhooks/{webhook_id}/messages", tags=["webhooks"], dependencies=[reader])
    def messages(webhook_id: Number, page: Paged, state: State | None = None) -> list[Message]:
        """Messages, newest first. `state=dead`: those that were given up."""
        before = int(page.after[0]) if page.after and isinstance(page.after[0], int) else 0
        found = desk.messages(webhook_id, state=state, before=before, limit=page.limit + 1)
        return page.of(found, lambda each: (each.message_id,))


def _add_changes(api: APIRouter, desk: Webhooks, changer: Any) -> None:
    @api.post("/webhooks", tags=["webhooks"], status_code=201)
    def add(body: WebhookIn, key: Key = None, who: Any = changer) -> Made:
        """Tell a URL of events from now on. The secret is given this once."""
        return desk.add(body.url, body.topics, by=who.name, note=body.note, key=key)

    @api.post("/webhooks/{webhook_id}/secret", tags=["webhooks"])
    def rotate(
        webhook_id: Number, body: RotateIn | None = None, key: Key = None, who: Any = changer
    ) -> Made:
        """A new secret; the one before stays valid for a while."""
        keep = timedelta(hours=(body or RotateIn()).keep_hours)
        return desk.rotate(webhook_id, by=who.name, keep=keep, key=key)

    @api.post("/webhooks/{webhook_id}/state", tags=["webhooks"])
    def set_state(
        webhook_id: Number, body: StateIn, key: Key = None, who: Any = changer
    ) -> Webhook | None:
        """Pause, or go on with what happened meanwhile."""
        return desk.set_state(webhook_id, body.state, by=who.name, key=key)

    @api.delete("/webhooks/{webhook_id}", tags=["webhooks"], status_code=204)
    def remove(webhook_id: Number, key: Key = None, who: Any = changer) -> None:
        """Send nothing more to it."""
        desk.set_state(webhook_id, "removed", by=who.name, key=key)

    @api.post("/webhooks/{webhook_id}/replay", tags=["webhooks"])
    def replay(webhook_id: Number, body: ReplayIn, key: Key = None, who: Any = changer) -> Webhook:
        """Send everything after a position again, under the same message ids."""
        return desk.replay(webhook_id, body.after, by=who.name, key=key)

    @api.post(
        "/webhooks/{webhook_id}/messages/{message_id}/retry", tags=["webhooks"], status_code=204
    )
    def retry(webhook_id: Number, message_id: Number, key: Key = None, who: Any = changer) -> None:
        """Try a message that was given up again."""
        desk.retry(webhook_id, message_id, by=who.name, key=key)
