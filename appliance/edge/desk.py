"""The station's memory for its page: the last cartons, the open reviews, and the answers to them.

Cartons, reviews and answers are rebuilt from the journal after a restart (I6); slots are the core's. An answer is durable
before the page hears that it was taken (I2).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

from appliance.desk import CameraCard, CartonCard, DeskState, SessionCard, Settlement
from appliance.edge.card import card_of, settled
from appliance.journal.codec import decode_body
from appliance.journal.journal import Journal
from contracts.asn import Expectations
from contracts.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    TallymanError,
    UnavailableError,
)
from contracts.events import CartonJudged, CartonSettled, JournalEntry
from contracts.gs1 import is_lot, normalise_gtin
from contracts.verdict import Decision

_REMEMBERED = 500
_RECENT = 12


class StationDesk:
    """Implements appliance.desk.Desk over the journal and what the edge process can see."""

    def __init__(
        self,
        station: str,
        journal: Journal,
        *,
        expectations: Callable[[], Expectations],
        cameras: Callable[[], tuple[CameraCard, ...]] = tuple,
        live_jpeg: Callable[[str], bytes | None] = lambda _camera: None,
        uplink: Callable[[], tuple[bool, int]] = lambda: (False, 0),
        stopped_because: Callable[[], str] = lambda: "",
        print_label: Callable[[CartonCard], Awaitable[None]] | None = None,
    ) -> None:
        self.station = station
        self._journal = journal
        self._expectations = expectations
        self._cameras = cameras
        self._live_jpeg = live_jpeg
        self._uplink = uplink
        self._stopped_because = stopped_because
        self._print_label = print_label
        self._cards: OrderedDict[str, CartonCard] = OrderedDict()
        self._answers: dict[str, Settlement] = {}
        self._sessions: dict[str, str | None] = {}

    def restore(self, entries: Iterable[JournalEntry]) -> None:
        """Read the journal's tail (oldest first): what was judged and settled before a restart."""
        for entry in entries:
            at = datetime.fromtimestamp(entry.at_us / 1e6, UTC)
            try:
                body = decode_body(entry.kind, entry.body)
            except TallymanError:
                # An entry of newer software, before this device was set back to an older one.
                continue
            match body:
                case CartonJudged() as body if body.station == self.station:
                    self.remember(
                        card_of(body, at=at, expectations=self._expectations()), body.session
                    )
                case CartonSettled() as answer if answer.carton_id in self._cards:
                    self._answers[answer.carton_id] = _answer_of(answer)
                    self._settle(answer)

    def remember(self, card: CartonCard, session: str | None) -> None:
        self._cards[card.carton_id] = card
        self._sessions[card.carton_id] = session
        if len(self._cards) > _REMEMBERED:
            # An open review is kept: nobody else can settle it.
            old = next(
                (i for i, c in self._cards.items() if not _waits(c)), next(iter(self._cards))
            )
            for memory in (self._cards, self._sessions, self._answers):
                memory.pop(old, None)

    def place(self, carton_id: str, slot: str) -> None:
        """The core has given the carton a slot."""
        if carton_id in self._cards:
            self._cards[carton_id] = replace(self._cards[carton_id], slot=slot)

    def state(self) -> DeskState:
        newest = list(reversed(self._cards.values()))
        reviews = [card for card in self._cards.values() if _waits(card)]
        online, lag = self._uplink()
        stopped = self._stopped_because()
        return DeskState(
            station=self.station,
            current=newest[0] if newest else None,
            recent=tuple(newest[:_RECENT]),
            reviews=tuple(reviews),
            cameras=self._cameras(),
            session=self._session(),
            hub_online=online,
            lag=lag,
            accepting=not stopped,
            stopped_because=stopped,
            printer=self._print_label is not None,
        )

    def _session(self) -> SessionCard | None:
        now = self._expectations()
        if now.session is None:
            return None
        return SessionCard(
            session=now.session,
            asn=now.asn or "",
            announced=sum(e.line.quantity for e in now.lines),
            counted=sum(e.counted for e in now.lines),
        )

    def carton(self, carton_id: str) -> CartonCard:
        try:
            return self._cards[carton_id]
        except KeyError:
            raise NotFoundError(
                f"This station does not remember carton {carton_id}",
                mend="Look it up among the batches; the station keeps its last 500 cartons",
            ) from None

    async def settle(self, answer: Settlement, *, operator: str) -> CartonCard:
        card = self.carton(answer.carton_id)
        answer = _checked(answer)
        if answer.how != "refused" and answer.asn_line is None:
            answer = replace(answer, asn_line=self._line_for(answer))
        if answer.carton_id in self._answers or card.settled_by:
            if self._answers.get(answer.carton_id) == answer:
                return card
            raise ConflictError(
                f"Carton {answer.carton_id} was settled by {card.settled_by} already",
                mend="Reload the page; a wrong answer is mended on the batch's page",
            )
        if card.verdict.decision is not Decision.REVIEW:
            raise ConflictError(
                f"Carton {answer.carton_id} was judged {card.verdict.decision}, not review",
                mend="Only reviews are settled at the station",
            )
        self._answers[answer.carton_id] = answer
        event = CartonSettled(
            carton_id=answer.carton_id,
            station=self.station,
            session=self._sessions.get(answer.carton_id),
            operator=operator,
            gtin=answer.gtin,
            batch=answer.batch,
            expiry=answer.expiry,
            asn_line=answer.asn_line,
            how=answer.how,
            note=answer.note,
        )
        try:
            await self._journal.append(event)
        except BaseException:
            # Not on disk, so not taken: the operator may answer again.
            del self._answers[answer.carton_id]
            raise
        return self._settle(event)

    def _line_for(self, answer: Settlement) -> int | None:
        """A keyed code that stands on the list is that line."""
        for expected in self._expectations().lines:
            line = expected.line
            if (line.gtin, line.batch, line.expiry.isoformat()) == (
                answer.gtin,
                answer.batch,
                answer.expiry,
            ):
                return line.number
        return None

    def _settle(self, event: CartonSettled) -> CartonCard:
        card = settled(self._cards[event.carton_id], event)
        self._cards[event.carton_id] = card
        return card

    def live_jpeg(self, camera: str) -> bytes | None:
        return self._live_jpeg(camera)

    async def reprint(self, carton_id: str) -> None:
        card = self.carton(carton_id)
        if self._print_label is None:
            raise UnavailableError(
                "No label printer is set up at this station",
                mend="Set edge.printer to HOST:PORT of a ZPL printer",
            )
        await self._print_label(card)


def _waits(card: CartonCard) -> bool:
    return card.verdict.decision is Decision.REVIEW and not card.settled_by


def _answer_of(said: CartonSettled) -> Settlement:
    return Settlement(
        said.carton_id, said.how, said.gtin, said.batch, said.expiry, said.asn_line, said.note
    )


def _checked(answer: Settlement) -> Settlement:
    if answer.how == "refused":
        return answer
    if answer.how not in {"candidate", "keyed"}:
        raise BadInputError(
            f"{answer.how!r} is no way to settle a carton",
            mend="Use candidate, keyed or refused",
        )
    if not is_lot(answer.batch):
        raise BadInputError(
            f"Batch {answer.batch!r} is not a lot number",
            mend="Key 1 to 20 letters, digits or signs as printed after the batch sign",
        )
    try:
        date.fromisoformat(answer.expiry)
    except ValueError:
        raise BadInputError(
            f"Expiry {answer.expiry!r} is not a date", mend="Key year-month-day, as 2027-03-31"
        ) from None
    return replace(answer, gtin=normalise_gtin(answer.gtin))
