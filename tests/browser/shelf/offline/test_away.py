"""A phone without the network: what was told to be written is written, whatever falls, and counts once
(I2, I6). Real Chromium, killed by kill -9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.bench.shelf.house import GOODS, PLACE, STOCK, House, batch_of
from appliance.web.shelf import worker
from erp_link.service.merge.desk import OfflineLogs
from tests.browser.conftest import Served
from tests.erp_link.merge.logs import Phone as OtherPhone
from tests.support.shelf_keeping import KeepingPhone as Phone

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_TORN = """([gtin, location]) => void (async () => {
  for (;;) {
    const note = `${window.keep.entries.length}`;
    const entry = await window.keep.write("flagged", { flag: "torn", gtin, location, note });
    console.log(`told ${entry.seq} ${entry.hash}`);
  }
})()"""


def test_killed_in_the_middle_of_writing_nothing_told_is_lost_and_nothing_counts_twice(
    house: House, hub: Served, falling: Callable[[], Phone]
) -> None:
    mei = falling()
    device = mei.enrols()
    mei.goes_on_without_network()
    hub.stop()
    told: dict[int, str] = {}

    def hear(message: Any) -> None:
        words = message.text.split()
        if words[0] == "told":
            told[int(words[1])] = words[2]

    for fall in range(3):
        mei = falling()
        mei.page.on("console", hear)
        mei.opens()
        hashes = (
            "() => Object.fromEntries(window.keep.entries.map((each) => [each.seq, each.hash]))"
        )
        kept = {int(seq): text for seq, text in mei.page.evaluate(hashes).items()}
        assert told.items() <= kept.items()
        assert not mei.state["tampered"]
        if fall < 2:
            mei.page.evaluate(_TORN, [GOODS[0].gtin, PLACE])
            mei.page.wait_for_function(f"() => window.keep.entries.length > {(fall + 1) * 25}")
    _the_page_itself(mei)
    hub.start()
    mei.opens()
    state = mei.syncs()
    assert (state["unsent"], state["codes"], state["line"]) == (0, [], "online")
    standing = OfflineLogs(house.core).standing(device)
    assert (standing.state, standing.waiting, standing.expected) == ("active", 0, len(kept) + 1)
    flags = [ticket.ticket_id for ticket in house.core.tickets()]
    assert len([flag for flag in flags if flag.startswith("FL-")]) == len(kept) - 1


def _the_page_itself(mei: Phone) -> None:
    """It starts without the network, in the language that was chosen last, and shows the stock."""
    mei.page.goto(f"{mei.url}/shelf?lang=zh")
    assert mei.page.evaluate("() => document.documentElement.lang") == "zh-Hans"
    mei.page.wait_for_selector("body:not([data-state=starting])", state="attached")
    mei.page.goto(f"{mei.url}/shelf")
    assert mei.page.evaluate("() => document.documentElement.lang") == "zh-Hans"
    mei.opens()
    state = mei.state
    assert (state["line"], state["listed"], state["version"] > 0) == ("offline", True, True)


def test_a_newer_page_waits_and_takes_over_without_touching_what_was_written(
    phone: Callable[[], Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    mei = phone()
    mei.enrols()
    mei.goes_on_without_network()
    mei.opens()
    mei.counts(3, 20)
    now = worker.manifest()
    monkeypatch.setattr(worker, "manifest", lambda: now | {"version": "newer"})
    mei.page.evaluate(
        """async () => {
          const { registerShell, takeOver } = await import("/static/shelf/keep/line/shell.js");
          let registration = null;
          await new Promise((seen) => {
            void registerShell(seen).then((made) => void (registration = made)?.update());
          });
          window.leaving = () => void takeOver(registration);
        }"""
    )
    with mei.page.expect_navigation():
        mei.page.evaluate("() => window.leaving()")
    kept = mei.page.evaluate("async () => await caches.keys()")
    assert [name for name in kept if name.startswith("tallyman-shelf-")] == ["tallyman-shelf-newer"]
    mei.opens()
    assert mei.state["unsent"] == 2
    assert mei.syncs()["unsent"] == 0


def test_two_tabs_write_one_log(house: House, phone: Callable[[], Phone]) -> None:
    mei = phone()
    device = mei.enrols()
    other = Phone(mei.page.context.new_page(), mei.url).opens()
    many = """(who) => void (window.done = Promise.all(Array.from({ length: 20 }, (_, at) =>
      window.keep.write("flagged", { flag: "torn", gtin: who, note: `${at}` }))))"""
    for each, at in ((mei, 0), (other, 1)):
        each.page.evaluate(many, GOODS[at].gtin)
    for each in (mei, other):
        each.page.evaluate("async () => { await window.done; }")
    for each in (mei, other):
        # Each hears of the other's without being opened anew, and steps over none.
        each.page.wait_for_function("() => window.keep.entries.length >= 41")
        numbers = each.page.evaluate("() => window.keep.entries.map((entry) => entry.seq)")
        assert numbers == list(range(1, 42))
    mei.page.reload()
    mei.opens()
    assert mei.state["entries"] == 41, "and one that tells what the phone knew"
    assert not mei.state["tampered"]
    assert mei.syncs()["unsent"] == 0
    assert OfflineLogs(house.core).standing(device).expected == 42


def test_a_tab_that_slept_turns_nothing_back_that_another_sent_meanwhile(
    phone: Callable[[], Phone],
) -> None:
    slept = phone()
    slept.enrols()
    slept.page.evaluate("() => { window.slept = window.keep.contact; }")
    other = Phone(slept.page.context.new_page(), slept.url).opens()
    other.counts(4, 20)
    assert other.syncs()["unsent"] == 0
    wakes = "async () => { window.keep.contact = window.slept; await window.keep.tick(); }"
    slept.page.evaluate(wakes)
    other.opens()
    assert (other.state["unsent"], other.state["tampered"]) == (0, False)


def test_a_list_that_the_hub_calls_unchanged_is_as_old_as_its_word(
    phone: Callable[[], Phone],
) -> None:
    mei = phone()
    mei.enrols()
    mei.syncs()
    later = "() => { const { clock } = window.keep; window.keep.clock = () => clock() + 600e6; }"
    mei.page.evaluate(later)
    mei.page.evaluate("() => window.keep.tell()")
    assert mei.state["age_us"] > 500e6
    assert mei.syncs()["age_us"] < 500e6


def test_what_was_confirmed_once_is_written_once(phone: Callable[[], Phone]) -> None:
    mei = phone()
    mei.enrols()
    first = mei.counts(4, 20, sheet="one")
    assert mei.counts(4, 20, sheet="one") == first
    assert mei.counts(4, 19, sheet="two") == first + 1


def test_offline_for_too_long_locks_and_a_clock_turned_back_does_not_help(
    phone: Callable[[], Phone],
) -> None:
    mei = phone()
    mei.enrols()
    mei.counts(8, 20)
    mei.leaves()
    late = """async (hours) => {
      const { Keep } = await import("/static/shelf/keep/keep.js");
      window.keep.stop();
      window.keep = await Keep.open({ now: () => (Date.now() + hours * 3600e3) * 1000 });
      await window.keep.tick();
    }"""
    mei.page.evaluate(late, 35)
    assert (mei.state["locked"], mei.state["listed"]) == (False, True)
    mei.page.evaluate(late, 37)
    assert (mei.state["locked"], mei.state["listed"]) == (True, False)
    assert mei.counts(8, 19) == "keep_locked"
    mei.page.evaluate(late, 0)
    assert (mei.state["locked"], mei.state["behind"]) == (True, True)
    mei.returns()
    state = mei.syncs()
    assert (state["locked"], state["listed"], state["behind"]) == (False, True, False)


def test_midnight_comes_offline(phone: Callable[[], Phone]) -> None:
    mei = phone()
    mei.enrols()
    mei.leaves()
    days = "(gtin) => window.keep.stock.product(gtin).days"
    today = mei.page.evaluate(days, GOODS[1].gtin)
    mei.page.evaluate(
        "async () => { const { clock } = window.keep;"
        " window.keep.clock = () => clock() + 24 * 3600e6; await window.keep.tick(); }"
    )
    assert mei.page.evaluate(days, GOODS[1].gtin) == today - 1


def test_who_comes_back_hears_what_became_of_it(house: House, phone: Callable[[], Phone]) -> None:
    mei, li = phone(), OtherPhone("scanner-2", by="Li")
    mei.enrols()
    mei.leaves()
    mei.counts(9, STOCK - 1)
    desk = OfflineLogs(house.core)
    desk.enrol(li.device, li.public_key, roles=["operator"], by="Li")
    li.counts(batch_of(9), STOCK - 2, of=STOCK, location=PLACE)
    desk.upload(li.entries, by="Li")
    mei.returns()
    state = mei.syncs()
    (trouble,) = state["troubles"]
    assert trouble["code"] == "own_conflict_counts_differ"
    assert (trouble["params"]["location"], trouble["params"]["who"]) == (PLACE, "Li")
    desk.recount(batch_of(9), PLACE, STOCK - 1, by="mara")
    assert mei.syncs()["troubles"] == []


def test_a_day_later_the_key_opens_the_session_again(
    house: House, phone: Callable[[], Phone]
) -> None:
    mei = phone()
    mei.enrols()
    mei.counts(10, STOCK - 1)
    mei.page.context.clear_cookies()
    state = mei.syncs()
    assert (state["line"], state["unsent"]) == ("online", 0)
    assert house.units(batch_of(10)) == STOCK - 1
