"""A page of a browser at the shelf that keeps and writes, without the camera and what is drawn.

The page is the shelf's words, which the service worker serves too: bare, and inside its scope.
"""

from __future__ import annotations

from typing import Any

from appliance.bench.shelf.house import PASSWORD, PLACE, batch_of

BARE = "/shelf/words/en.json"
OPEN = """async (asked) => {
  const { Keep } = await import("/static/shelf/keep/keep.js");
  window.keep = await Keep.open();
  await window.keep.checked;
}"""
_ENROL = """async () => {
  await window.keep.enrol({ name: "Mei's", role: "operator" });
  return window.keep.phone.device;
}"""
_STATE = """() => ({ ...window.keep.state, codes: window.keep.state.troubles.map((each) => each.code),
  entries: window.keep.entries.length, listed: window.keep.stock !== null })"""
_SYNC = "async () => { await window.keep.sync.now(); }"
_WRITE = """async ([kind, body, token]) => {
  try { return (await window.keep.write(kind, body, { token })).seq; }
  catch (error) { return error.code; }
}"""


class KeepingPhone:
    """One page of a browser at the shelf."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url

    def opens(self) -> KeepingPhone:
        self.page.goto(f"{self.url}{BARE}")
        self.page.evaluate(OPEN)
        return self

    def enrols(self, name: str = "mei") -> str:
        self.page.goto(f"{self.url}/sign-in?next={BARE}")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main form button")
        self.page.wait_for_url(f"**{BARE}")
        self.opens()
        return str(self.page.evaluate(_ENROL))

    def goes_on_without_network(self) -> None:
        """The service worker holds the page from now on."""
        self.page.evaluate(
            """async () => {
              const { registerShell } = await import("/static/shelf/keep/line/shell.js");
              await registerShell(() => {});
              await navigator.serviceWorker.ready;
            }"""
        )

    def counts(self, at: int, counted: int, sheet: str = "") -> Any:
        batch = batch_of(at)
        key = {"supplier": batch.supplier, "gtin": batch.gtin, "lot": batch.lot}
        body = {"batch": key, "location": PLACE, "counted": counted}
        return self.page.evaluate(_WRITE, ["counted", body, sheet or None])

    def writes(self, kind: str, body: dict[str, Any]) -> Any:
        return self.page.evaluate(_WRITE, [kind, body, None])

    def leaves(self) -> None:
        """Into a dead corner of the building."""
        self.page.context.set_offline(True)

    def returns(self) -> None:
        self.page.context.set_offline(False)

    def syncs(self) -> dict[str, Any]:
        self.page.evaluate(_SYNC)
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(_STATE)
        return found
