"""Somebody touches a phone's log, puts it back from a copy, loses the phone, or fills it: it is found,
told, and nothing that was written is lost for it (I2, I4, I6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from appliance.bench.shelf.house import STOCK, House, batch_of
from erp_link.service.merge.desk import OfflineLogs
from tests.support.shelf_keeping import OPEN
from tests.support.shelf_keeping import KeepingPhone as Phone

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_TOUCH = """async () => {
  const work = window.keep.store.database.transaction(["log", "meta"], "readwrite");
  const log = work.objectStore("log"), meta = work.objectStore("meta");
  const entries = await log.getAll();"""
_CUT = """const { device, seq, hash } = entries[1];
  await log.delete([device, seq + 1]);
  await meta.put({ device, seq, hash }, "head")"""


@pytest.mark.parametrize(
    ("touch", "code"),
    [
        (
            "await log.put({ ...entries[1], body: { ...entries[1].body, counted: 1 } })",
            "log_changed",
        ),
        ("await log.delete([entries[0].device, entries[0].seq])", "log_gap"),
        ("await log.put({ ...entries[1], signature: entries[0].signature })", "log_unsigned"),
        (_CUT, "log_cut"),
    ],
)
def test_whoever_touches_the_log_is_found_and_work_goes_on_under_a_new_name(
    house: House, phone: Callable[[], Phone], touch: str, code: str
) -> None:
    mei = phone()
    first = mei.enrols()
    mei.leaves()
    for counted in (20, 19):
        mei.counts(5, counted)
    mei.page.evaluate(f"{_TOUCH} {touch}; await work.done; }}")
    mei.returns()
    mei.opens()
    assert (mei.state["tampered"], mei.state["codes"]) == (True, [code])
    assert mei.counts(5, 18) == "keep_retired"
    # A phone enrols no other: its person signs in for that.
    mei.page.context.clear_cookies()
    second = mei.enrols()
    assert second != first
    assert mei.counts(5, 18) > 0
    mei.syncs()
    assert OfflineLogs(house.core).standing(second).waiting == 0


_STORES = '["meta", "log", "list"]'
_COPY = f"""async () => {{
  const {{ database }} = window.keep.store;
  window.copy = {{}};
  for (const name of {_STORES}) {{
    const keys = await database.getAllKeys(name), values = await database.getAll(name);
    window.copy[name] = keys.map((key, at) => [key, values[at]]);
  }}
}}"""
_PUT_BACK = f"""async () => {{
  const work = window.keep.store.database.transaction({_STORES}, "readwrite");
  for (const [name, kept] of Object.entries(window.copy)) {{
    const store = work.objectStore(name);
    store.clear();
    for (const [key, value] of kept) store.keyPath ? store.put(value) : store.put(value, key);
  }}
  await work.done;
}}"""


def test_a_phone_put_back_from_a_copy_is_found(house: House, phone: Callable[[], Phone]) -> None:
    mei = phone()
    device = mei.enrols()
    mei.page.evaluate(_COPY)
    mei.counts(6, 20)
    assert mei.syncs()["unsent"] == 0
    mei.page.evaluate(_PUT_BACK)
    mei.page.evaluate("() => localStorage.clear()")
    mei.opens()
    assert not mei.state["tampered"], "the phone alone cannot know"
    state = mei.syncs()
    assert (state["tampered"], state["codes"]) == (True, ["log_copied"])
    mei.opens()
    assert mei.state["tampered"]
    assert mei.counts(6, 19) == "keep_retired"
    assert OfflineLogs(house.core).standing(device).state == "active", "nothing was written twice"


def test_a_copy_that_wrote_before_it_was_found_is_booked_and_looked_into(
    house: House, phone: Callable[[], Phone]
) -> None:
    mei = phone()
    device = mei.enrols()
    mei.page.evaluate(_COPY)
    mei.counts(11, 20)
    mei.syncs()
    mei.leaves()
    mei.page.evaluate(_PUT_BACK)
    mei.page.evaluate("async () => { localStorage.clear(); await window.keep.load(); }")
    mei.counts(11, 19)
    mei.returns()
    state = mei.syncs()
    assert (state["unsent"], state["tampered"]) == (0, True)
    assert "log_quarantined" in state["codes"]
    assert OfflineLogs(house.core).standing(device).why == "two_histories"


def test_a_revoked_phone_hands_over_what_it_wrote_and_keeps_nothing(
    house: House, phone: Callable[[], Phone]
) -> None:
    mei = phone()
    device = mei.enrols()
    mei.leaves()
    mei.counts(7, 20)
    house.phones.revoke(device, reason="lost", by="mara")
    mei.returns()
    state = mei.syncs()
    assert (state["enrolled"], state["listed"], state["codes"]) == (False, False, ["keep_wiped"])
    left = mei.page.evaluate(
        """async () => {
          const { database } = window.keep.store;
          const counts = await Promise.all([...database.objectStoreNames].map((name) => database.count(name)));
          return [counts.reduce((all, each) => all + each, 0), localStorage.length];
        }"""
    )
    assert left == [1, 0], "but the word that it was wiped"
    assert mei.counts(7, 19) == "keep_not_enrolled"
    assert house.phones.phone(device).state == "wiped"
    assert house.units(batch_of(7)) == STOCK, "last words are kept, and book nothing"


def test_a_full_phone_gives_up_its_list_before_its_log_and_says_when_nothing_goes_any_more(
    phone: Callable[[], Phone],
) -> None:
    mei = phone()
    line = mei.page.context.new_cdp_session(mei.page)
    line.send("Storage.overrideQuotaForOrigin", {"origin": mei.url, "quotaSize": 200_000})
    mei.enrols()
    mei.leaves()
    picture = """async () => {
      const noise = crypto.getRandomValues(new Uint8Array(15000));
      const photo = new Blob([noise], { type: "image/jpeg" });
      try { return (await window.keep.write("flagged", { flag: "photo" }, { photos: [photo] })).seq; }
      catch (error) { return error.code; }
    }"""
    told: list[Any] = []
    while not told or isinstance(told[-1], int):
        told.append(mei.page.evaluate(picture))
        assert len(told) < 50
    assert told[-1] == "keep_full"
    assert mei.state["storage"] == "full"
    mei.page.evaluate(OPEN)
    state = mei.state
    assert (state["listed"], state["tampered"]) == (False, False), "the list went, the log stands"
    assert state["unsent"] == len(told), "those, and what the phone knew before"
    line.send("Storage.overrideQuotaForOrigin", {"origin": mei.url})
    mei.returns()
    state = mei.syncs()
    assert (state["unsent"], state["listed"]) == (0, True)
