"""A person at the shelf, in a real browser before a real hub over real books: look, count, find,
freeze; then without the network, through a kill -9, and back.
"""

from __future__ import annotations

import pytest

from appliance.bench.shelf.house import NAMES, OTHER, PLACE, SHOWN, STOCK, batch_of
from erp_link.service.merge.desk import OfflineLogs

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(600)]

GONE, SOON, RICE, SOY, HONEY = NAMES[0], NAMES[1], NAMES[3], NAMES[4], NAMES[6]
OF_LIST = {"en": f"of {STOCK}", "zh": f"/ {STOCK}"}


def counts(phone, name: str, number: int) -> None:
    """Type a number for one product and take it over."""
    phone.seen(name).dispatch_event("click")
    keys = phone.sheet("number")
    for digit in str(number):
        keys.locator(".key", has_text=digit).first.click()
    phone.do("take")


def freezes(phone, name: str) -> None:
    phone.seen(name).dispatch_event("click")
    sheet = phone.sheet("freeze")
    phone.do("damaged")
    phone.picture("freeze")
    sheet.locator("[data-do=yes]").click()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_look_count_find_and_freeze(hub, serve, phone, language) -> None:
    served = serve(hub.app)
    mei = phone(served.url, "mei", language=language)
    mei.enrol()

    # Look: over each code stands what is known of it; a tap opens the card.
    for name in NAMES[:SHOWN]:
        mei.seen(name, str(STOCK))
    mei.stand_at()
    mei.picture("look")
    mei.tap(SOON)
    card = mei.sheet("card")
    assert SOON in card.inner_text()
    assert batch_of(1).lot in card.inner_text()
    mei.picture("card")
    mei.do("close")

    # Count against the list: codes count themselves where that is wished, then a number is typed.
    mei.enter("count")
    mei.do("scan")
    for name in NAMES[:SHOWN]:
        mei.seen(name, OF_LIST[language])
    mei.do("scan")
    counts(mei, RICE, 22)
    mei.picture("count")
    mei.do("review")
    mei.sheet("count")
    before = mei.writes()
    mei.do("book")
    mei.sent(before)
    assert hub.units(batch_of(3)) == 22
    assert 1 <= hub.units(batch_of(4)) < STOCK

    # Find: what is looked for is lit, all others step back.
    mei.enter("find")
    mei.do("choose")
    mei.sheet("find").locator("input[type=search]").fill(HONEY)
    mei.page.locator("dialog[data-sheet=find] .row-tap", has_text=HONEY).click()
    mei.do("these")
    mei.page.wait_for_function(
        "() => [...globalThis.tallymanShelf.scene.marks.values()].filter((each) => !each.dim).length === 1"
    )
    mei.picture("find")

    # Freeze: from the moment that it is confirmed nothing of the batch may leave.
    mei.enter("freeze")
    before = mei.writes()
    freezes(mei, GONE)
    mei.sent(before)
    (hold,) = hub.core.holds()
    assert hold.batch == batch_of(0)
    assert not hub.core.batch(batch_of(0)).may_leave
    mei.enter("look")
    mei.picture("held")
    assert mei.errors == []


def test_the_phone_goes_on_without_the_network_and_comes_back(hub, serve, phone) -> None:
    served = serve(hub.app)
    mei = phone(served.url)
    mei.enrol()
    mei.stand_at()
    mei.seen(RICE)
    served.stop()

    # In a dead corner: the page opens from the phone, and everything goes on.
    mei.page.reload()
    mei.open()
    mei.enter("count")
    counts(mei, SOY, 20)
    mei.do("review")
    before = mei.writes()
    mei.do("book")
    mei.wrote(before)
    mei.enter("freeze")
    before = mei.writes()
    freezes(mei, GONE)
    mei.wrote(before)
    waiting = mei.unsent()
    assert waiting >= 2
    mei.picture("offline")

    # The battery falls out; what was confirmed is there.
    mei.fall()
    mei.start()
    mei.page.goto(f"{mei.url}/shelf")
    mei.open()
    assert mei.unsent() == waiting
    assert hub.core.holds() == []

    # Meanwhile somebody carried goods away from what was counted; then the network is back.
    hub.core.move(batch_of(4), 5, source=PLACE, target=OTHER, by="ops")
    served.start()
    mei.page.evaluate("() => globalThis.tallymanShelf.keep.sync.now()")
    mei.sent(0)
    (hold,) = hub.core.holds()
    assert hold.batch == batch_of(0)
    (dispute,) = OfflineLogs(hub.core).disputes()
    assert dispute.batch == batch_of(4)

    # The phone says what the hub could not simply book.
    mei.page.wait_for_function("() => globalThis.tallymanShelf.keep.state.troubles.length > 0")
    mei.do("line-state")
    told = mei.sheet("line").inner_text()
    mei.picture("back")
    assert SOY in told
    assert mei.errors == []
