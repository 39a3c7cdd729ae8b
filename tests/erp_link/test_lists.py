"""Lists over HTTP: a page at a time, and nothing sent again that has not changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from contracts.clock import FixedClock
from contracts.errors import TallymanError
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind
from erp_link.api import router
from erp_link.service.core import Core
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import WATER


@pytest.fixture
def core(tmp_path: Path, clock: FixedClock) -> Iterator[Core]:
    made = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    yield made
    made.close()


@pytest.fixture
def client(core: Core) -> Client:
    app = FastAPI()
    app.include_router(router(lambda: core, auth))

    @app.exception_handler(TallymanError)
    def problem(request: Request, error: TallymanError) -> JSONResponse:
        return JSONResponse({"code": error.code, "mend": error.mend}, status_code=400)

    return Client(app)


def next_of(response: httpx.Response) -> str | None:
    found = re.match(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
    return found and found.group(1)


def fill(core: Core, how_many: int) -> list[str]:
    lots = [f"L-{n:02d}" for n in range(how_many)]
    for lot in lots:
        core.receive(BatchKey("ACME", WATER.gtin, lot), 2, location="A-01-1", by="op")
    return lots


def test_every_batch_comes_once_page_after_page(core: Core, client: Client) -> None:
    lots, seen = fill(core, 7), []
    url: str | None = "/api/v1/batches?limit=3"
    pages = 0
    while url:
        response = client.get(url)
        seen += [each["key"]["lot"] for each in response.json()]
        url = next_of(response)
        pages += 1
    assert (seen, pages) == (lots, 3)


@pytest.mark.parametrize("path", ["/api/v1/holds", "/api/v1/tickets"])
def test_holds_and_tickets_come_once_the_newest_first(
    core: Core, client: Client, path: str
) -> None:
    for lot in fill(core, 5):
        batch, smell = BatchKey("ACME", WATER.gtin, lot), Reason("held_by_hand", {"note": "smell"})
        core.add_hold(HoldKind.BATCH, batch=batch, reason=smell, by="op")
    whole = client.get(path).json()
    seen: list[object] = []
    url: str | None = f"{path}?limit=2"
    while url:
        response = client.get(url)
        seen += response.json()
        url = next_of(response)
    assert seen == whole
    assert client.get(f"{path}?after=WyJub29uIiwieCJd").json()["code"] == "bad_input"


def test_what_stands_where_comes_once(core: Core, client: Client) -> None:
    fill(core, 5)
    core.move(BatchKey("ACME", WATER.gtin, "L-02"), 1, source="A-01-1", target="A-01-2", by="op")
    whole, seen = client.get("/api/v1/stock").json(), []
    url: str | None = "/api/v1/stock?limit=2"
    while url:
        response = client.get(url)
        seen += response.json()
        url = next_of(response)
    assert (len(whole), seen) == (6, whole)


def test_the_last_page_names_no_next(core: Core, client: Client) -> None:
    fill(core, 3)
    assert next_of(client.get("/api/v1/batches?limit=3")) is None
    assert next_of(client.get("/api/v1/stock?limit=2")) is not None


def test_a_cursor_of_another_list_is_refused(core: Core, client: Client) -> None:
    fill(core, 3)
    of_stock = next_of(client.get("/api/v1/stock?limit=1"))
    assert of_stock is not None
    for wrong in (of_stock.replace("/stock", "/batches"), "/api/v1/batches?after=%C3%BCber"):
        answer = client.get(wrong)
        assert answer.json()["code"] == "bad_input"
        assert "Link header" in answer.json()["mend"]
    assert client.get("/api/v1/batches?limit=0").status_code in (400, 422)


def test_one_batch_says_whether_it_may_leave(core: Core, client: Client) -> None:
    fill(core, 2)
    asked = {"supplier": "ACME", "gtin": WATER.gtin, "lot": "L-01"}
    assert client.get("/api/v1/batches/one", params=asked).json()["may_leave"] is True
    asked["lot"] = "unheard"
    assert client.get("/api/v1/batches/one", params=asked).json()["code"] == "not_found"


def test_what_has_not_changed_is_not_sent_again(core: Core, client: Client) -> None:
    fill(core, 1)
    first = client.get("/api/v1/batches")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/api/v1/batches", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    fill(core, 2)
    changed = client.get("/api/v1/batches", headers=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
