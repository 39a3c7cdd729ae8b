"""A phone asks for what it carries: whole, changed since, unchanged; cut by the roles of its person."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import msgspec
import numpy as np
import pytest
from fastapi import FastAPI

from appliance import problems
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.shelf.stock import book
from appliance.shelf.stock.api import router
from appliance.shelf.stock.opening import OpenStock, open_stock
from contracts.clock import FixedClock
from contracts.errors import BadFrameError
from contracts.reason import Reason
from contracts.shelf import Snapshot
from contracts.stock import BatchKey, HoldKind
from erp_link.domain.products import Product
from erp_link.domain.shelf.lists import ListKind
from erp_link.service.care.reorder import Reorder
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from tests.erp_link.over_http import Client, auth
from tests.erp_link.story import JUICE, WATER
from vision.frames import decode_frame

BASE = "/api/v1/shelf"
PRICES = f"gtin,price,currency,on,source\n{WATER.gtin},1.35,CNY,2026-11-01,PO-7\n"


@dataclass
class Hub:
    core: Core
    opened: OpenStock
    client: Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(
            f"{BASE}/{path}", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    def carried(self, path: str = "snapshot", **headers: str) -> tuple[Snapshot, str]:
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Snapshot), answer.headers["etag"]

    def hold(self, note: str = "dented") -> str:
        reason = Reason("held_by_hand", {"note": note})
        return self.core.add_hold(HoldKind.BATCH, batch=WATER, reason=reason, by="mara").hold_id

    def put(self, path: str, data: bytes, **headers: str) -> httpx.Response:
        return self.client.put(f"{BASE}/{path}", content=data, headers=headers)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "core.db"
    core = Core(f"sqlite:///{path}", clock=FixedClock(datetime(2026, 11, 21, 8, tzinfo=UTC)))
    core.receive(WATER, 10, location="A-01-1", by="op")
    core.receive(JUICE, 6, location="A-01-2", by="op")
    core.close()
    return path


@pytest.fixture
def hub(
    tmp_path: Path, clock: FixedClock, template: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    # On a slow machine the first reading costs enough for a rest, in which no change is looked for.
    monkeypatch.setattr(book, "_REST", 0)
    shutil.copy(template, tmp_path / "core.db")
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    opened = open_stock(Config(), core, Reorder(core), EvidenceStore(tmp_path / "pictures"), clock)
    app = FastAPI()
    problems.install(app)
    app.include_router(router(opened.stock, auth))
    client = Client(app)
    client.headers = {"x-roles": "operator", "accept-encoding": "identity"}
    yield Hub(core, opened, client)
    core.close()


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip;q=0", False), ("gzip;q=0, *;q=0.5", False), ("br, gzip;q=0.1", True), ("*", True)],
)
def test_it_is_packed_for_whoever_takes_it(hub: Hub, accepted: str, *, packed: bool) -> None:
    hub.hold()
    headers = hub.get("snapshot", accept_encoding=accepted).headers
    assert (headers.get("content-encoding") == "gzip") is packed


def test_a_phone_hears_everything_once_and_then_that_nothing_changed(hub: Hub) -> None:
    whole, tag = hub.carried()
    assert (whole.base, whole.roles, len(whole.products)) == (0, ("operator",), 2)
    again = hub.get("snapshot", if_none_match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "private, no-store"


def test_with_what_it_has_it_hears_only_what_changed(hub: Hub) -> None:
    whole, tag = hub.carried()
    hold = hub.hold()
    change, newer = hub.carried(f"snapshot?since={whole.version}", if_none_match=tag)
    assert (change.base, [each.gtin for each in change.products]) == (whole.version, [WATER.gtin])
    assert [each.id for each in change.holds] == [hold]
    assert (len(change.tickets), change.gone) == (1, ())
    assert newer != tag
    assert hub.carried(if_none_match=tag)[0].base == 0, "who does not ask for changes hears all"


def test_a_content_that_the_hub_does_not_know_is_answered_whole(hub: Hub) -> None:
    whole, _ = hub.carried()
    strange, _ = hub.carried(f"snapshot?since={whole.version}", if_none_match='"1-abc-def"')
    assert (strange.base, len(strange.products)) == (0, 2)
    assert hub.carried(f"snapshot?since={whole.version}")[0].base == 0


def test_a_restarted_hub_knows_the_same_content_by_the_same_tag(
    hub: Hub, tmp_path: Path, clock: FixedClock
) -> None:
    _, tag = hub.carried()
    other = open_stock(Config(), hub.core, Reorder(hub.core), EvidenceStore(tmp_path / "p"), clock)
    assert other.stock.book.answer({"operator"}, has=tag.strip('"')).body is None


def test_what_was_followed_change_by_change_is_what_a_fresh_hub_tells(
    hub: Hub, tmp_path: Path, clock: FixedClock
) -> None:
    """The parts that were read again stand where they would, in the words in which they would."""
    third = BatchKey("ACME", "04006381333931", "P-1")
    for act in (
        lambda: hub.core.receive(third, 3, location="A-01-1", by="op"),
        hub.hold,
        lambda: hub.core.reserve("SO-1", JUICE, 2, by="op"),
        lambda: Products(hub.core).describe(Product(JUICE.gtin, "Juice"), by="ops"),
        lambda: hub.opened.stock.lists.take_file(
            ListKind.PRICES, PRICES.encode(), name="p.csv", by="ops"
        ),
        lambda: hub.core.receive(WATER, 1, location="B-01-1", by="op"),
    ):
        act()
        for role in ("operator", "quality"):
            _, tag = hub.carried(x_roles=role)
            fresh = open_stock(
                Config(), hub.core, Reorder(hub.core), EvidenceStore(tmp_path / "p"), clock
            )
            assert fresh.stock.book.answer({role}, has=tag.strip('"')).body is None


def test_prices_are_for_those_whose_role_may_see_them(hub: Hub) -> None:
    taken = hub.client.put(
        f"{BASE}/lists/prices?name=prices.csv", content=PRICES.encode(), headers={"x-roles": "ops"}
    )
    assert taken.json()["rows"] == 1
    plain, tag = hub.carried()
    assert all(each.price is None for each in plain.products)
    full, other = hub.carried(x_roles="quality operator")
    assert [each.price is not None for each in full.products] == [True, False]
    assert other != tag


def test_another_role_is_told_everything_anew(hub: Hub) -> None:
    whole, tag = hub.carried(x_roles="ops")
    cut, newer = hub.carried(f"snapshot?since={whole.version}", if_none_match=tag)
    assert (cut.base, cut.roles) == (0, ("operator",))
    assert newer != tag


def test_it_comes_compressed_to_whoever_reads_that(hub: Hub) -> None:
    plain = hub.get("snapshot")
    packed = hub.opened.stock.book.answer({"operator"}, zips=True)
    assert packed.gzipped
    assert packed.body is not None
    assert json.loads(gzip.decompress(packed.body))["products"] == plain.json()["products"]
    assert hub.opened.stock.book.answer({"operator"}, zips=True).body is packed.body
    sent = hub.get("snapshot", accept_encoding="gzip, br")
    assert sent.headers["content-encoding"] == "gzip"
    assert sent.json()["version"] == plain.json()["version"]


def test_a_new_day_changes_the_tag_and_nothing_else(hub: Hub, clock: FixedClock) -> None:
    whole, tag = hub.carried()
    clock.at = clock.at.replace(day=clock.at.day + 1)
    change, _ = hub.carried(f"snapshot?since={whole.version}", if_none_match=tag)
    assert (change.base, change.products, change.version) == (whole.version, (), whole.version)
    assert change.today > whole.today


def test_it_says_what_to_order_once_that_is_worked_out(hub: Hub) -> None:
    Products(hub.core).describe(
        replace(Product(WATER.gtin, "Still water"), min_stock=50, max_stock=80), by="ops"
    )
    whole, tag = hub.carried()
    assert all(each.reorder is None for each in whole.products)
    hub.opened.hints.refresh()
    change, _ = hub.carried(f"snapshot?since={whole.version}", if_none_match=tag)
    (water,) = change.products
    assert water.reorder is not None
    assert water.reorder.quantity >= 40
    assert water.reorder.reason.code.startswith("reorder_")


def test_after_a_costly_reading_the_hub_rests_before_the_next(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "_SLOW_S", -1.0)
    monkeypatch.setattr(book, "_REST", 1_000_000)
    whole, tag = hub.carried()
    hub.hold()
    path = f"snapshot?since={whole.version}"
    assert hub.get(path, if_none_match=tag).status_code == 304


def test_a_hold_and_a_ticket_are_told_in_the_sites_language_too(hub: Hub) -> None:
    hub.core.add_hold(
        HoldKind.BATCH, batch=WATER, reason=Reason("expiry_pull", {"days": 3}), by="m"
    )
    whole, _ = hub.carried()
    assert whole.holds[0].note
    assert whole.tickets[0].title
    assert whole.tickets[0].reason is not None


def test_nobody_without_a_role_hears_anything(hub: Hub) -> None:
    for path in ("snapshot", "find", f"history/{WATER.gtin}", "lists", "lists/prices"):
        assert hub.get(path, x_roles="device").status_code == 403


def test_what_happened_to_a_product_is_told_newest_first(hub: Hub) -> None:
    hub.hold()
    told = hub.get(f"history/{WATER.gtin}").json()
    assert told["events"][0]["what"] in {"held", "ticket", "blocked"}
    assert told["events"][-1]["what"] == "received"
    assert not told["more"]
    assert hub.get(f"history/{WATER.gtin}?limit=1").json()["more"]
    assert hub.get("history/0000").status_code == 422


def test_reserved_goods_are_a_list_to_find(hub: Hub) -> None:
    assert hub.get("find").json() == []


def jpeg() -> bytes:
    done, data = cv2.imencode(".jpg", np.full((40, 60, 3), 90, np.uint8))
    assert done
    return data.tobytes()


def test_a_photo_is_kept_under_its_hash_and_shown(hub: Hub) -> None:
    data = jpeg()
    name = hashlib.sha256(data).hexdigest()
    for _ in range(2):
        assert hub.put(f"photos/{name}", data).status_code == 204
    shown = hub.get(f"photos/{name}")
    assert (shown.content, shown.headers["content-type"]) == (data, "image/jpeg")
    assert hub.get(f"photos/{'0' * 64}").status_code == 404
    assert hub.get("photos/..").status_code in {404, 422}


@pytest.mark.parametrize("data", [b"", b"GIF89a", jpeg()[:200], jpeg() + b"\xff" * (4 << 20)])
def test_what_is_no_photo_is_refused_and_not_kept(hub: Hub, data: bytes) -> None:
    name = hashlib.sha256(data).hexdigest()
    assert hub.put(f"photos/{name}", data).status_code == 422
    assert hub.get(f"photos/{name}").status_code == 404


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def bare_jpeg(width: int, height: int, bits: int = 8) -> bytes:
    """A whole JPEG as far as it says of itself, and nothing in it that a decoder could decode."""
    frame = bytes([bits]) + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\1\1\x11\0"
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x5a" * 64
    return b"\xff\xd8" + segment(0xC0, frame) + scan + b"\xff\xd9"


def test_a_photo_is_kept_without_being_decoded(hub: Hub) -> None:
    """What a decoder would fall over, or swell up at, does nothing to the hub."""
    data = bare_jpeg(4000, 3000)
    with pytest.raises(BadFrameError):
        decode_frame(data, name="what a decoder makes of it")
    name = hashlib.sha256(data).hexdigest()
    assert hub.put(f"photos/{name}", data).status_code == 204
    assert hub.get(f"photos/{name}").content == data


@pytest.mark.parametrize(("size", "bits"), [((60000, 60000), 8), ((8, 40), 8), ((640, 480), 12)])
def test_a_photo_that_nobody_should_open_is_refused(
    hub: Hub, size: tuple[int, int], bits: int
) -> None:
    data = bare_jpeg(*size, bits)
    refused = hub.put(f"photos/{hashlib.sha256(data).hexdigest()}", data)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_frame")


def test_a_photo_under_a_wrong_name_is_refused(hub: Hub) -> None:
    refused: Any = hub.put(f"photos/{'ab' * 32}", jpeg())
    assert refused.status_code == 422
    assert "SHA-256" in refused.json()["detail"] + refused.json().get("mend", "")


def test_a_list_with_wrong_lines_tells_them_all(hub: Hub) -> None:
    refused = hub.client.put(
        f"{BASE}/lists/prices?name=prices.csv",
        content=b"gtin,price,currency\n1,1,CNY\n2,2,CNY\n",
        headers={"x-roles": "ops"},
    )
    assert refused.status_code == 422
    assert [each["line"] for each in refused.json()["findings"]] == [2, 3]
    assert hub.get("lists/prices", x_roles="ops").text == "gtin,price,currency,on,source,supplier\n"
    assert hub.get("lists/prices").status_code == 403


def test_every_write_is_known_by_its_content_or_by_a_key(hub: Hub) -> None:
    paths = hub.client.get("/openapi.json").json()["paths"]
    without = {
        path
        for path, methods in paths.items()
        for method, route in methods.items()
        if method in {"post", "put", "patch", "delete"}
        and not any(each["name"] == "Idempotency-Key" for each in route.get("parameters", ()))
    }
    assert without == {f"{BASE}/photos/{{sha256}}"}
