"""Frappe's REST API: `/api/resource/<doctype>[/<name>]`, with `token key:secret`.

A document is a draft (docstatus 0), submitted (1) or cancelled (2). An error names its kind in
`exc_type` and its words in `_server_messages`, a list in JSON in JSON; 417 is a validation that
said no, 409 a name that exists. (Frappe Framework documentation, REST API.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from contracts.errors import UnavailableError
from erp_link.connectors.http import Wire, said
from erp_link.connectors.port import ErpRefusedError

Row = dict[str, Any]
DRAFT, SUBMITTED, CANCELLED = 0, 1, 2
_PASSING = frozenset(
    {"TimestampMismatchError", "QueryDeadlockError", "QueryTimeoutError", "DuplicateEntryError",
     "UniqueValidationError",
     "DocumentLockedError", "TooManyRequestsError"}
)  # fmt: skip
"""Gone at the next try: what exists already is found then."""


class FrappeRest:
    """Documents by doctype. Raises UnavailableError (again later), ErpRefusedError with ERPNext's
    own words.
    """

    def __init__(self, wire: Wire, *, key: str, secret: str) -> None:
        self._wire = wire
        self._headers = {"Authorization": f"token {key}:{secret}"}

    def find(self, doctype: str, filters: Sequence[object], fields: Sequence[str]) -> list[Row]:
        """Oldest first."""
        query = {
            "filters": json.dumps(list(filters)),
            "fields": json.dumps(list(fields)),
            "order_by": f"`tab{doctype}`.creation asc",
            "limit_page_length": "0",
        }
        found: list[Row] = self._send("GET", doctype, params=query)
        return found

    def read(self, doctype: str, name: str) -> Row | None:
        """A document with its lines, None where there is none."""
        answer = self._wire.send("GET", _path(doctype, name), headers=self._headers)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: Row = _data(answer, f"{doctype} {name}")
        return found

    def create(self, doctype: str, values: Mapping[str, object]) -> Row:
        made: Row = self._send("POST", doctype, body=dict(values))
        return made

    def change(self, doctype: str, name: str, values: Mapping[str, object]) -> Row:
        changed: Row = self._send("PUT", doctype, name, body=dict(values))
        return changed

    def delete(self, doctype: str, name: str) -> None:
        answer = self._wire.send("DELETE", _path(doctype, name), headers=self._headers)
        if not answer.is_success:
            _data(answer, f"{doctype} {name}")

    def _send(
        self,
        method: str,
        doctype: str,
        name: str = "",
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        answer = self._wire.send(
            method, _path(doctype, name), body=body, params=params, headers=self._headers
        )
        return _data(answer, f"{doctype} {name}".strip())


def _path(doctype: str, name: str = "") -> str:
    path = f"/api/resource/{quote(doctype, safe='')}"
    return f"{path}/{quote(name, safe='')}" if name else path


def _data(answer: httpx.Response, what: str) -> Any:
    if answer.is_success:
        return answer.json()["data"]
    try:
        body = answer.json()
    except ValueError:
        body = None
    kind = str(body.get("exc_type", "")) if isinstance(body, dict) else ""
    if not kind:
        said(answer, what)
    words = _words(body) or kind
    if kind in _PASSING:
        raise UnavailableError(f"ERPNext was busy with {what}: {words}", mend="It is tried again")
    raise ErpRefusedError(
        f"ERPNext refuses {what}: {words}",
        mend="Mend it in ERPNext, then try again",
        error=kind,
        status=answer.status_code,
    )


def _words(body: Row) -> str:
    """What ERPNext would have shown in its own page."""
    try:
        messages = [json.loads(each) for each in json.loads(body.get("_server_messages", "[]"))]
        return "; ".join(str(each.get("message", "")) for each in messages)
    except (ValueError, TypeError, AttributeError):
        return str(body.get("exception", ""))
