"""A phone without the network whose browser is killed again and again, and what is left of its log.

A real hub enrols the phone and is stopped. The page writes entries for as long as it lives; each that
it was told stands on the disk is noted here. After a kill -9 the page opens without the network: its
log must hold every noted entry, unbroken. In the end the hub is back, and its books hold each once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from appliance.bench.facts import percentile
from appliance.bench.shelf.chromium import Chromium
from appliance.bench.shelf.house import GOODS, PASSWORD, PLACE, open_house
from appliance.bench.shelf.stage import served
from contracts.errors import UnavailableError

_ENROL = """async () => {
  const { Keep } = await import("/static/shelf/keep/keep.js");
  const keep = await Keep.open();
  await keep.enrol({ name: "bench", role: "operator" });
  keep.start();
  await navigator.serviceWorker.ready;
  await keep.sync.now();
  return keep.phone.device;
}"""
_WRITE = """async ([goods, place, first]) => {
  const { Keep } = await import("/static/shelf/keep/keep.js");
  const keep = await Keep.open();
  await keep.checked;
  globalThis.written = 0;
  for (let at = first; ; at += 1) {
    const gtin = goods[at % goods.length], lot = `L26${String(at % goods.length).padStart(2, "0")}`;
    const batch = { supplier: "ACME", gtin, lot };
    const entry = at % 4
      ? await keep.write("counted", { batch, location: place, counted: 20 + (at % 5) })
      : await keep.write("flagged", { flag: "torn_label", location: place, gtin, note: `label ${at}` });
    console.log(`told ${entry.seq} ${entry.hash}`);
    globalThis.written = entry.seq;
  }
}"""
_START = (
    f"(asked) => {{ ({_WRITE})(asked).catch((why) => {{ globalThis.ended = String(why); }}); }}"
)
_REACHED = "(goal) => globalThis.written >= goal || globalThis.ended !== undefined"
_LOOK = """async () => {
  const [{ Keep }, { faultIn }] = await Promise.all(
    [import("/static/shelf/keep/keep.js"), import("/static/shelf/keep/log.js")]);
  const keep = await Keep.open();
  await keep.checked;
  const head = await keep.store.head();
  const entries = await keep.store.entries(keep.phone.device);
  const fault = await faultIn(entries, head);
  return { fault, tampered: keep.state.tampered, said: keep.state.line,
    hashes: Object.fromEntries(entries.map((each) => [each.seq, each.hash])), count: entries.length };
}"""
_SPOIL = """async () => {
  const { Keep } = await import("/static/shelf/keep/keep.js");
  const keep = await Keep.open();
  const work = keep.store.database.transaction("log", "readwrite");
  const cursor = await work.store.openCursor();
  await cursor.update({ ...cursor.value, by: "somebody else" });
  await work.done;
}"""
_FLUSH = """async (entries) => {
  const { Keep } = await import("/static/shelf/keep/keep.js");
  const keep = await Keep.open();
  await keep.checked;
  // Twenty milliseconds an entry were measured: what is not sent in thrice as long is not sent.
  const until = performance.now() + 100_000 + 60 * entries;
  while (keep.state.unsent && performance.now() < until) {
    // The page itself sends too; one of both does, and the other reads what is left.
    await keep.sync.now();
    await new Promise((done) => setTimeout(done, 100));
    await keep.load();
  }
  return { unsent: keep.state.unsent, device: keep.phone.device, troubles: keep.state.troubles.length };
}"""
_STEP = 50
_READY = "body:not([data-state=starting])"


@dataclass
class Trip:
    """What was told to be on the disk, and what was found there."""

    told: dict[int, str] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    broken: int = 0
    kills: int = 0
    starts_s: list[float] = field(default_factory=list)

    def hear(self, message: Any) -> None:
        words = message.text.split()
        if len(words) == 3 and words[0] == "told":  # noqa: PLR2004 -- told, number, hash
            self.told[int(words[1])] = words[2]

    def compare(self, found: dict[str, Any]) -> None:
        kept = {int(seq): text for seq, text in found["hashes"].items()}
        self.lost = sorted(
            {*self.lost, *(seq for seq, text in self.told.items() if kept.get(seq) != text)}
        )
        whole = sorted(kept) == list(range(1, len(kept) + 1))
        self.broken += bool(found["fault"]) or found["tampered"] or not whole


def measure(
    folder: Path, *, entries: int, kills: int, seed: int, told: Callable[[str], None]
) -> dict[str, Any]:
    """Write `entries` entries through `kills` kills; what was lost, and how fast the page opened.

    Raises UnavailableError without Chromium or Playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UnavailableError(
            "Playwright is not installed", mend="Set up with PROFILE=dev (make setup)"
        ) from error
    random, trip = Random(seed), Trip()  # noqa: S311 -- repeatable
    house = open_house(folder / "hub")
    phone = Chromium(folder / "phone", size=(390, 844))
    try:
        with sync_playwright() as playwright:
            with served(house.app) as url:
                page = _open(playwright, phone, trip)
                _sign_in(page, url)
                device = page.evaluate(_ENROL)
            phone.kill()
            _away(_Away(playwright, phone, url, trip), entries, kills, random, told)
            with served(house.app, int(url.rsplit(":", 1)[1])):
                page = _open(playwright, phone, trip)
                page.goto(f"{url}/shelf")
                began = time.monotonic()
                flushed = page.evaluate(_FLUSH, entries)
                flush_s = time.monotonic() - began
            phone.kill()
            tampering = _tampering(playwright, phone, url)
        booked = _booked(folder / "hub" / "core.db", device)
    finally:
        phone.kill()
        house.close()
    written = max(trip.told, default=0)
    return {
        "entries": booked["entries"],
        "told": len(trip.told),
        "kills": trip.kills,
        "lost": len(trip.lost) + sum(seq not in booked["numbers"] for seq in trip.told),
        "twice": booked["twice"],
        "broken_chains": trip.broken,
        "unsent_after_return": flushed["unsent"],
        "last_told": written,
        "flush_s": round(flush_s, 1),
        "tampering_found": tampering,
        "cold_offline_start_s_p50": round(percentile(trip.starts_s, 50), 2),
        "cold_offline_start_s_max": round(max(trip.starts_s, default=0.0), 2),
    }


@dataclass(frozen=True, slots=True)
class _Away:
    playwright: Any
    phone: Chromium
    url: str
    trip: Trip


def _away(
    away: _Away, entries: int, kills: int, random: Random, told: Callable[[str], None]
) -> None:
    """Out of the network: write, fall, open again, look, until both are enough."""
    phone, trip = away.phone, away.trip
    while max(trip.told, default=0) < entries or trip.kills < kills:
        page = _open(away.playwright, phone, trip)
        began = time.monotonic()
        page.goto(f"{away.url}/shelf")
        page.wait_for_selector(_READY, state="attached")
        trip.starts_s.append(time.monotonic() - began)
        found = page.evaluate(_LOOK)
        trip.compare(found)
        goal = min(entries, max(1, entries * (trip.kills + 1) // max(1, kills)))
        _write(page, found["count"], goal)
        # In the middle of whatever it is doing.
        page.wait_for_timeout(random.uniform(0, 50))
        phone.kill()
        trip.kills += 1
        told(f"killed {trip.kills} times; {len(trip.told)} entries told, {len(trip.lost)} lost")
    page = _open(away.playwright, phone, trip)
    page.goto(f"{away.url}/shelf")
    trip.compare(page.evaluate(_LOOK))
    phone.kill()


def _write(page: Any, first: int, goal: int) -> None:
    """Let the page write until its log has `goal` entries, however slow the machine is. It goes on
    afterwards. Raises UnavailableError where it stopped by itself.
    """
    page.evaluate(_START, [[each.gtin for each in GOODS], PLACE, first])
    written, why = 0, None
    while why is None and written < goal:
        # In steps: the patience of the page is for one of them, not for thousands of entries.
        page.wait_for_function(_REACHED, arg=min(goal, max(written, first) + _STEP))
        written, why = page.evaluate("() => [globalThis.written ?? 0, globalThis.ended ?? null]")
    if why is not None:
        raise UnavailableError(f"The page stopped writing: {why}", mend="See why, and run it anew")


def _open(playwright: Any, phone: Chromium, trip: Trip) -> Any:
    page = playwright.chromium.connect_over_cdp(phone.start()).contexts[0].new_page()
    page.set_default_timeout(120_000)
    page.on("console", trip.hear)
    return page


def _sign_in(page: Any, url: str) -> None:
    page.goto(f"{url}/sign-in?next=/shelf")
    page.fill("input[name=name]", "mei")
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/shelf*")


def _tampering(playwright: Any, phone: Chromium, url: str) -> bool:
    """Write one more entry, change it behind the page's back, open again: is it noticed?"""
    trip = Trip()
    page = _open(playwright, phone, trip)
    page.goto(f"{url}/shelf")
    _write(page, 0, 1)
    page.evaluate(_SPOIL)
    phone.kill()
    page = _open(playwright, phone, trip)
    page.goto(f"{url}/shelf")
    found = page.evaluate(_LOOK)
    phone.kill()
    return bool(found["tampered"])


def _booked(database: Path, device: str) -> dict[str, Any]:
    """What the core's books hold of the phone's log."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT seq, count(*) FROM offline_entry WHERE device = ? GROUP BY seq", (device,)
        ).fetchall()
    connection.close()
    return {
        "entries": len(rows),
        "numbers": {seq for seq, _ in rows},
        "twice": sum(times > 1 for _, times in rows),
    }
