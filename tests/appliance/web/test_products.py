"""The product pages: what they show at each step, who may do what, and what refusals say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from appliance.enrolling.draft import Phase
from appliance.enrolling.ports import SeenCarton
from appliance.web.ports import Viewer
from appliance.words import LANGUAGES
from contracts.reason import Reason
from contracts.verdict import Decision
from tests.support.enrolling import AT, GTIN, Remembering, Shop, Station, cup, jpeg, real_inspector
from tests.support.pages import CSRF

HOME = "/station/products"
PRODUCT = f"{HOME}/{GTIN}"
FORM = {"csrf_token": CSRF}


@pytest.fixture(scope="module")
def inspector() -> Remembering:
    return real_inspector()


@pytest.fixture
def shop(tmp_path: Path, inspector: Remembering, clock) -> Iterator[Shop]:
    station = Station(tmp_path, inspector, clock)
    yield Shop.open(station)
    station.journal.close()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=shop.house.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://edge.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def files(*pictures: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (name, data, "image/jpeg")) for name, data in pictures]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_step_has_its_page_in_both_languages(shop, client, language) -> None:
    station, asked = shop.station, {"accept-language": language}
    station.announced = [(GTIN, "Cup 0.3 l")]
    empty = await client.get(HOME, headers=asked)
    assert 'class="empty"' in empty.text
    assert "Cup 0.3 l" in empty.text, "what is announced is offered"

    begun = await client.post(HOME, data={**FORM, "gtin": "4006381333931"})
    assert begun.headers["location"] == PRODUCT
    assert 'class="empty"' in (await client.get(PRODUCT, headers=asked)).text

    station.collect(2)
    assert 'action="/station/products/04006381333931/enrol"' in (await client.get(PRODUCT)).text
    await client.post(f"{PRODUCT}/enrol", data=FORM)
    station.drifted = (Reason("view_darker", {"percent": 12}),)
    for path in (HOME, PRODUCT, f"{PRODUCT}/part"):
        answer = await client.get(path, headers=asked)
        assert answer.status_code == 200
        assert "<progress" in answer.text
        assert "badge-review" in answer.text
    station.drafts.change(
        GTIN, lambda draft: replace(draft, phase=Phase.QUICK, trouble=Reason("enrol_cut_off"))
    )
    assert f'action="{PRODUCT}/learn"' in (await client.get(PRODUCT, headers=asked)).text
    station.drafts.change(GTIN, lambda draft: replace(draft, phase=Phase.DONE))
    assert f'action="{PRODUCT}/stop"' not in (await client.get(PRODUCT, headers=asked)).text


async def test_a_refused_file_costs_no_other_and_says_why(shop, client) -> None:
    shop.station.enrolling.begin(GTIN, "Cup")
    sent = files(
        ("good.jpg", jpeg(cup(1))),
        ("list.csv", b"gtin,batch"),
        ("again.jpg", jpeg(cup(1), quality=60)),
        ("phone.jpg", jpeg(cup(2, side=256))),
    )
    answer = await client.post(
        f"{PRODUCT}/pictures", data=FORM, files=sent, headers={"accept-language": "zh"}
    )
    assert answer.status_code == 422
    for told in ("list.csv", "这不是 JPEG、PNG 或 BMP 图片", "256 x 256", "与第 1 件相同"):
        assert told in answer.text
    draft = shop.station.draft()
    assert [(picture.name, picture.item) for picture in draft.pictures] == [
        ("good.jpg", 1),
        ("again.jpg", 1),
    ]


async def test_our_script_is_told_file_by_file(shop, client) -> None:
    shop.station.enrolling.begin(GTIN, "Cup")
    send = {"data": FORM, "headers": {"accept": "application/json"}}
    url = f"{PRODUCT}/pictures"
    assert (await client.post(url, files=files(("a.jpg", jpeg(cup(1)))), **send)).json() == [
        {"name": "a.jpg", "item": 1}
    ]
    refused = (await client.post(url, files=files(("b.txt", b"no")), **send)).json()
    assert refused == [
        {"name": "b.txt", "item": None, "refused": "This is no JPEG, PNG or BMP picture."}
    ]
    nothing = await client.post(url, **send)
    assert nothing.status_code == 422
    assert nothing.json()["mend"]


async def test_pictures_of_one_item_are_one_item(shop, client) -> None:
    shop.station.enrolling.begin(GTIN, "Cup")
    one_item = {**FORM, "again": "1"}
    sent = files(*((f"{seed}.jpg", jpeg(cup(seed))) for seed in range(3)))
    await client.post(f"{PRODUCT}/pictures", data=one_item, files=sent)
    await client.post(
        f"{PRODUCT}/pictures",
        data={**one_item, "joins": "1"},
        files=files(("3.jpg", jpeg(cup(3)))),
    )
    await client.post(f"{PRODUCT}/pictures", data=one_item, files=files(("4.jpg", jpeg(cup(4)))))
    assert [picture.item for picture in shop.station.draft().pictures] == [1, 1, 1, 1, 2]


async def test_the_camera_and_cartons_that_went_by_give_pictures(shop, client) -> None:
    station = shop.station
    station.enrolling.begin(GTIN, "Cup")
    away = await client.post(f"{PRODUCT}/shots", data=FORM)
    assert (away.status_code, "no picture now" in away.text) == (503, True)
    station.shown = jpeg(cup(1))
    await client.post(f"{PRODUCT}/shots", data=FORM)
    station.shown = jpeg(cup(2))
    part = await client.post(
        f"{PRODUCT}/shots", data={**FORM, "again": "1"}, headers={"hx-request": "true"}
    )
    assert 'hx-swap-oob="true"' in part.text
    sha256 = station.evidence.put(jpeg(cup(3)))
    station.passed = [SeenCarton("C-3", sha256, AT, Decision.HOLD, "inspect")]
    page = await client.get(PRODUCT)
    assert f'value="{sha256}"' in page.text
    assert "checked" not in page.text, "a person looks at each"
    await client.post(f"{PRODUCT}/cartons", data={**FORM, "carton": sha256})
    assert [picture.item for picture in station.draft().pictures] == [1, 1, 2]
    shown = await client.get(f"{PRODUCT}/pictures/{sha256}.jpg")
    assert shown.headers["content-type"] == "image/jpeg"
    await client.post(f"{PRODUCT}/pictures/{sha256}/remove", data=FORM)
    assert (await client.get(f"{PRODUCT}/pictures/{sha256}.jpg")).status_code == 404
    assert station.draft().items == (1,)


async def test_only_operators_and_quality_enrol(shop, client) -> None:
    shop.station.collect(1)
    shop.house.gate.who = Viewer("vera", frozenset({"viewer"}), CSRF)
    page = await client.get(PRODUCT)
    assert page.status_code == 200
    assert "<form" not in page.text.partition("<main")[2]
    for path in ("enrol", "shots", "cartons", "pictures", "learn", "stop", "discard"):
        assert (await client.post(f"{PRODUCT}/{path}", data=FORM)).status_code == 403
    assert (await client.post(HOME, data={**FORM, "gtin": GTIN})).status_code == 403
    shop.house.gate.who = None
    assert (await client.get(HOME)).headers["location"].startswith("/sign-in?")


async def test_a_form_of_another_session_changes_nothing(shop, client) -> None:
    shop.station.collect(1)
    for path in ("enrol", "shots", "learn", "stop", "discard", "pictures"):
        answer = await client.post(f"{PRODUCT}/{path}", data={"csrf_token": "x"})
        assert answer.status_code == 403, path
    assert shop.station.draft().phase is Phase.COLLECTING


@pytest.mark.parametrize("path", [f"{HOME}/06901234567892", f"{HOME}/06901234567892/part"])
async def test_an_unknown_product_says_where_to_begin(client, path) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "Products" in answer.text


@pytest.mark.parametrize("gtin", ["x", "4006381333932", "%00", "1" * 500])
async def test_what_is_no_gtin_is_refused(client, gtin) -> None:
    assert (await client.get(f"{HOME}/{gtin}")).status_code == 422
    assert (await client.post(HOME, data={**FORM, "gtin": gtin})).status_code == 422


async def test_products_are_found_by_name_and_number(shop, client) -> None:
    shop.station.collect(1)
    for query, found in (("cup", True), ("400638", True), ("tea", False)):
        text = (await client.get(f"{HOME}?q={query}")).text
        assert (f'href="{PRODUCT}"' in text) is found
