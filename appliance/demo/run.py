"""The dock demo: announce a delivery, watch its cartons being judged, follow them to their slots.

It does what an integrator's program and a curious person would: it imports the notice and opens the
receiving session through the API, and reads verdicts from the edge's journal, where they are
durable, and the rest from the hub.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from appliance.demo.samples import SampleDelivery, SampleTruth
from appliance.durable import write_atomic
from appliance.journal import file as journal_file
from appliance.journal.codec import decode_body
from appliance.words import Words, words
from contracts.errors import UnavailableError
from contracts.events import CartonJudged
from contracts.verdict import Decision

_JUDGED_WITHIN_S = 90.0
_BROUGHT_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.15
_STYLES = {Decision.ACCEPT: "green", Decision.REVIEW: "yellow", Decision.HOLD: "red"}
_OFF_LIST_STYLE = "magenta"


@dataclass(slots=True)
class Outcome:
    """What the demo saw. `surprises` are verdicts that the sample's truth does not allow."""

    judged: list[CartonJudged] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    transports: list[dict[str, Any]] = field(default_factory=list)
    held: int = 0
    tickets: int = 0


class HubApi:
    """The few calls of the hub's JSON API that the demo makes."""

    def __init__(self, url: str, token: str, *, trust: ssl.SSLContext | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60.0,
            verify=trust or True,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def announce(self, number: str, csv: bytes, *, dock: str) -> str:
        """Import the notice, open its session; answers the session's id."""
        await self.call(
            "POST",
            "/api/v1/asns",
            params={"name": f"{number}.csv"},
            content=csv,
            headers={"Idempotency-Key": f"demo-{number}", "Content-Type": "text/csv"},
        )
        opened = await self.call(
            "POST",
            "/api/v1/sessions",
            json={"asn": number, "dock": dock},
            headers={"Idempotency-Key": f"demo-session-{number}"},
        )
        return str(opened["session"])

    async def close_open_sessions(self) -> None:
        """An earlier demo left its session open so that the page shows it."""
        for session in await self.get("/api/v1/sessions"):
            if session["closed_at"] is None:
                await self.call("POST", f"/api/v1/sessions/{session['session']}/close")

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        """One call; its JSON. Raises UnavailableError with what the hub said."""
        try:
            answer = await self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"The hub did not answer {method} {path}: {str(error) or type(error).__name__}",
                mend="Start again when the machine has less to do; what was taken is kept",
            ) from error
        if answer.is_error:
            raise UnavailableError(
                f"The hub refused {method} {path}: {answer.status_code} {answer.text[:300]}",
                mend="Look at the hub's log in the data folder",
            )
        return answer.json() if answer.content else None


def next_run(folder: Path) -> int:
    """1 for the first run in a data folder, then one more each time."""
    counter = folder / "run.txt"
    number = int(counter.read_text(encoding="ascii")) + 1 if counter.exists() else 1
    write_atomic(counter, str(number).encode())
    return number


def judged_in(journal: Path, *, after: int) -> list[tuple[int, CartonJudged]]:
    """Verdicts in a journal that another process writes, by sequence."""
    if not journal.exists():
        return []
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5)
    try:
        rows = db.execute(
            f"{journal_file.SELECT} WHERE seq > ? AND kind = 'carton_judged' ORDER BY seq", (after,)
        ).fetchall()
    finally:
        db.close()
    found = []
    for row in rows:
        entry = journal_file.to_entry(row)
        body = decode_body(entry.kind, entry.body)
        if isinstance(body, CartonJudged):
            found.append((entry.seq, body))
    return found


def last_seq(journal: Path) -> int:
    """The journal's newest sequence number, 0 where there is none."""
    if not journal.exists():
        return 0
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5)
    try:
        (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()
    finally:
        db.close()
    return int(seq)


async def watch(
    journal: Path, delivery: SampleDelivery, *, after: int, console: Console, language: str
) -> Outcome:
    """Print each verdict as it becomes durable. Raises UnavailableError when they stop coming."""
    say, outcome = words(language), Outcome()
    deadline = time.monotonic() + _JUDGED_WITHIN_S
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
    )
    with bar:
        task = bar.add_task(say("demo.judging"), total=len(delivery.truth))
        while len(outcome.judged) < len(delivery.truth):
            for seq, body in await asyncio.to_thread(judged_in, journal, after=after):
                after = seq
                outcome.judged.append(body)
                bar.advance(task)
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"Only {len(outcome.judged)} of {len(delivery.truth)} cartons were judged in "
                    f"{_JUDGED_WITHIN_S:.0f} s",
                    mend="Look at logs/edge.log in the data folder",
                )
            await asyncio.sleep(_LOOK_EVERY_S)
    for body, truth in zip(outcome.judged, delivery.truth, strict=True):
        if str(body.verdict.decision) not in truth.expected:
            outcome.surprises.append(
                f"{truth.stem} ({truth.tells}): {body.verdict.decision}, "
                f"expected {' or '.join(truth.expected)}"
            )
    return outcome


async def follow(api: HubApi, outcome: Outcome) -> None:
    """Wait until the hub has booked every verdict and the vehicles have brought every load."""
    ids = {body.carton_id for body in outcome.judged}
    deadline = time.monotonic() + _BROUGHT_WITHIN_S
    expected = sum(body.verdict.decision is not Decision.REVIEW for body in outcome.judged)
    while True:
        transports = [t for t in await api.get("/api/v1/transport") if t["order"]["load_id"] in ids]
        done = [t for t in transports if t["state"] in {"dropped", "failed", "cancelled"}]
        if len(done) >= expected or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    outcome.transports = transports
    outcome.held = len(await api.get("/api/v1/holds"))
    outcome.tickets = sum(t["state"] != "closed" for t in await api.get("/api/v1/tickets"))


def print_table(
    outcome: Outcome, delivery: SampleDelivery, *, console: Console, language: str
) -> None:
    """One row a carton, then what follows from them."""
    say = words(language)
    table = Table(show_lines=False, title=say("demo.title"), title_justify="left")
    for column in ("carton", "sample", "verdict", "batch", "expiry", "to", "why"):
        table.add_column(say(f"demo.{column}"), no_wrap=column in {"carton", "verdict", "expiry"})
    targets = {t["order"]["load_id"]: t["order"] for t in outcome.transports}
    for body, truth in zip(outcome.judged, delivery.truth, strict=True):
        table.add_row(*_row(body, truth, targets.get(body.carton_id), say))
    console.print(table)
    console.print(
        say(
            "demo.sum",
            held=say.count("batches", outcome.held),
            tickets=say.count("tickets", outcome.tickets),
            brought=say.count("cartons", sum(t["state"] == "dropped" for t in outcome.transports)),
        )
    )
    for surprise in outcome.surprises:
        console.print(Text(surprise, style="red"))


def _row(
    body: CartonJudged, truth: SampleTruth, order: dict[str, Any] | None, say: Words
) -> Iterator[Text | str]:
    verdict = body.verdict
    word = "verdict.off_list" if verdict.off_list else f"verdict.{verdict.decision}"
    style = _OFF_LIST_STYLE if verdict.off_list else _STYLES[verdict.decision]
    yield truth.stem
    yield truth.tells
    yield Text(say(word), style=f"bold {style}")
    yield verdict.batch.lot if verdict.batch else "-"
    yield verdict.expiry or "-"
    yield order["target"] if order else "-"
    yield "\n".join(say.reason(reason) for reason in verdict.reasons)
