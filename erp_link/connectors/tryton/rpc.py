"""Tryton's JSON-RPC: a session by password, calls of model methods, errors told apart.

Tryton answers 200 with an `error` for what a user may mend, with 401 where the session has ended.
A button that opens a wizard returns without an error: who pressed it reads the state again.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from contracts.errors import UnavailableError
from erp_link.connectors.http import Wire, said
from erp_link.connectors.port import ErpRefusedError

SERIES = "8.2"
"""The release that the tests run against; others may do."""
_UNAUTHORIZED = 401
_WARNINGS_AT_MOST = 5

Row = dict[str, Any]


class TrytonRpc:
    """One user's session over one database. Safe to be used by one thread at a time.

    Every method raises UnavailableError where Tryton does not answer or is too busy, and
    ErpRefusedError with Tryton's own words where it says no.
    """

    def __init__(self, wire: Wire, *, database: str, user: str, password: str) -> None:
        self._wire = wire
        self._path = f"/{database}/rpc/"
        self._user = user
        self._password = password
        self._session = ""
        self._ids = itertools.count(1)
        self.user_id = 0
        self.context: Row = {}

    def call(self, method: str, *params: object, **context: object) -> Any:
        """The result of `method`, such as `model.stock.lot.search`; `context` joins the user's."""
        if not self._session:
            self._log_in()
        body = [*map(_encoded, params), self.context | context]
        answer = self._post(method, body)
        if answer.status_code == _UNAUTHORIZED:
            # Sessions end by themselves after a while: once more with a new one.
            self._log_in()
            answer = self._post(method, body)
        return _result(method, answer)

    def search(
        self, model: str, domain: Sequence[object], *, limit: int | None = None
    ) -> list[int]:
        """Numbers of the records that meet `domain`, oldest first."""
        return [
            int(number)
            for number in self.call(
                f"model.{model}.search", list(domain), 0, limit, [["id", "ASC"]]
            )
        ]

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """Records in the order of `ids`."""
        rows = {row["id"]: row for row in self.call(f"model.{model}.read", list(ids), list(fields))}
        return [rows[number] for number in ids]

    def find(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[Row]:
        """Search and read, oldest first."""
        found: list[Row] = self.call(
            f"model.{model}.search_read", list(domain), 0, None, [["id", "ASC"]], list(fields)
        )
        return found

    def create(self, model: str, values: Mapping[str, object]) -> int:
        """The number of the new record."""
        return int(self.call(f"model.{model}.create", [values])[0])

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, object]) -> None:
        self.call(f"model.{model}.write", list(ids), values)

    def delete(self, model: str, ids: Sequence[int]) -> None:
        self.call(f"model.{model}.delete", list(ids))

    def press(self, model: str, button: str, number: int, *, accept: Sequence[str] = ()) -> object:
        """Press a button; what it returns is a wizard's number where one would open.

        `accept` names the warnings (the end of Tryton's name for them) that are meant to come and
        are acknowledged; every other one is refused, in Tryton's words.
        """
        for _ in range(_WARNINGS_AT_MOST):
            try:
                return self.call(f"model.{model}.{button}", [number])
            except TrytonWarningError as warning:
                if not any(warning.name.endswith(name) for name in accept):
                    raise
                self.create(
                    "res.user.warning",
                    {"user": self.user_id, "name": warning.name, "always": False},
                )
        raise ErpRefusedError(
            f"Tryton warns again and again about {button} of {model} {number}",
            mend="Press the button in Tryton and see what it asks",
        )

    def _log_in(self) -> None:
        answer = self._wire.post(
            self._path,
            {
                "id": next(self._ids),
                "method": "common.db.login",
                "params": [self._user, {"password": self._password}, "en"],
            },
        )
        if answer.status_code == _UNAUTHORIZED:
            raise ErpRefusedError(
                f"Tryton does not know the user {self._user} with this password",
                mend="Mend [erp] user, or the password in the file that [erp] secret names",
            )
        self.user_id, token, *_ = _result("login", answer)
        words = f"{self._user}:{self.user_id}:{token}".encode()
        self._session = f"Session {base64.b64encode(words).decode()}"
        self.context = {}
        preferences = _result("login", self._post("model.res.user.get_preferences", [True, {}]))
        self.context = {key: preferences[key] for key in ("company", "language", "employee")
                        if preferences.get(key)}  # fmt: skip

    def _post(self, method: str, params: list[Any]) -> httpx.Response:
        return self._wire.post(
            self._path,
            {"id": next(self._ids), "method": method, "params": params},
            {"Authorization": self._session},
        )


class TrytonWarningError(ErpRefusedError):
    """A question that Tryton asks a person before it goes on."""

    code = "erp_refused"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(
            f"Tryton asks: {message}",
            mend="Answer it in Tryton, then try again here",
            warning=name,
        )
        self.name = name


def _result(method: str, answer: httpx.Response) -> Any:
    said(answer, method)
    body = answer.json(object_hook=_decoded)
    if not isinstance(body, dict):
        # A login answers with its bare result.
        return body
    match body.get("error"):
        case None:
            return body.get("result", body if "id" not in body else None)
        case ["UserWarning", [name, message, *_]]:
            raise TrytonWarningError(name, message)
        case ["UserError", [message, *_]]:
            raise ErpRefusedError(
                f"Tryton refuses {method}: {message}", mend="Mend it in Tryton, then try again"
            )
        case ["ConcurrencyException", *_]:
            raise UnavailableError(
                f"Somebody else changed the record that {method} works on", mend="It is tried again"
            )
        case [text, *_]:
            raise ErpRefusedError(
                f"Tryton failed in {method}: {text}", mend="Look into Tryton's log"
            )
        case other:
            raise ErpRefusedError(f"Tryton failed in {method}: {other}", mend="Look into its log")


def _encoded(value: object) -> object:
    """As Tryton's own JSON: dates and decimals carry their class."""
    match value:
        case date():
            return {
                "__class__": "date", "year": value.year, "month": value.month, "day": value.day,
            }  # fmt: skip
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case Mapping():
            return {key: _encoded(each) for key, each in value.items()}
        case list() | tuple():
            return [_encoded(each) for each in value]
        case _:
            return value


def _decoded(value: Row) -> object:
    match value.get("__class__"):
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "Decimal":
            return Decimal(value["decimal"])
        case _:
            return value
