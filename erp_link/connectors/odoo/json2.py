"""Odoo's JSON-2 API: `POST /json/2/<model>/<method>` with an API key as bearer.

Arguments go by name, `ids` and `context` beside them; a result comes bare. An error comes with a
4xx or 5xx status and `{"name", "message", ...}`, the name being Odoo's exception. Every call is a
transaction of its own, and no key makes one idempotent. (Odoo 19, External JSON-2 API.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from contracts.errors import UnavailableError
from erp_link.connectors.http import Wire, said
from erp_link.connectors.port import ErpRefusedError

Row = dict[str, Any]
_PASSING = (
    "psycopg2.errors.SerializationFailure",
    "psycopg2.errors.LockNotAvailable",
    "psycopg2.errors.DeadlockDetected",
    "psycopg2.OperationalError",
)


class OdooJson2:
    """Calls of model methods. Raises UnavailableError (again later) and ErpRefusedError with Odoo's
    own words.
    """

    def __init__(self, wire: Wire, *, database: str, key: str) -> None:
        self._wire = wire
        self._headers = {"Authorization": f"bearer {key}"}
        if database:
            self._headers["X-Odoo-Database"] = database

    def call(self, model: str, method: str, **arguments: object) -> Any:
        answer = self._wire.post(f"/json/2/{model}/{method}", arguments, self._headers)
        if not answer.is_success:
            _refuse(answer, f"{model}.{method}")
        return answer.json()

    def find(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
        """Records that meet `domain`, oldest first."""
        found: list[Row] = self.call(
            model, "search_read", domain=list(domain), fields=list(fields), order="id"
        )
        return found

    def read(self, model: str, number: int, fields: Sequence[str]) -> Row:
        found: list[Row] = self.call(model, "read", ids=[number], fields=list(fields))
        return found[0]

    def create(self, model: str, values: Mapping[str, object]) -> int:
        return int(self.call(model, "create", vals_list=[values])[0])

    def press(self, model: str, method: str, number: int, **context: object) -> object:
        """Press a button; what it returns is an action where a wizard would open."""
        return self.call(model, method, ids=[number], context=context)


def _refuse(answer: httpx.Response, what: str) -> None:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "message" not in body:
        said(answer, what)
        return
    name, message = str(body.get("name", "")), str(body["message"])
    if name in _PASSING:
        raise UnavailableError(f"Odoo was busy with {what}: {message}", mend="It is tried again")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR and not name.startswith("builtins."):
        said(answer, what)
    raise ErpRefusedError(
        f"Odoo refuses {what}: {message}",
        mend="Mend it in Odoo, then try again",
        error=name,
        status=answer.status_code,
    )
