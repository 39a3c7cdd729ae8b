"""What the quality lead sees of profiles, and signs (I4, I5): the hub's side.

The histories are those of the stations, folded from what their journals said; nothing is offered for
a signature whose file the hub does not hold and cannot read itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from appliance.journal.codec import decode_body
from appliance.teaching.history import Histories, ProductHistory, Step
from appliance.teaching.office import QualityOffice, Wanted
from appliance.teaching.signing import ProfileSignature, QualityKey
from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.events import DefectTaught, EventBody, ProfileActivated, ProfileEnrolled
from erp_link.service.core import ProfileEvent
from vision.defects.profile import Profile

_PROFILE = "profile"
log = structlog.get_logger()


class Files(Protocol):
    def get(self, sha256: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A profile that may be signed: the candidate, or one to go back to.

    `steps` are the lessons that it has and the one in force has not; for a way back the lessons
    that the one in force has and it has not.
    """

    digest: str
    file: str
    back: bool
    steps: tuple[Step, ...]
    arrived: bool
    """The hub holds the file."""


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product at one station."""

    history: ProductHistory
    offers: tuple[Offer, ...]
    signed: ProfileSignature | None
    """The newest signature for it."""

    @property
    def on_its_way(self) -> bool:
        """Signed, and the station has not said yet that it judges by it."""
        return self.signed is not None and self.signed.serial > self.history.serial

    @property
    def waits(self) -> bool:
        """There is a candidate that the newest signature does not cover."""
        tip = self.history.tip
        return tip is not None and not (self.on_its_way and self._signs(tip.after))

    def _signs(self, digest: str) -> bool:
        return self.signed is not None and self.signed.digest == digest


class Console:
    """Methods block: the core is a database."""

    def __init__(
        self, events: Callable[[], Sequence[ProfileEvent]], office: QualityOffice, files: Files
    ) -> None:
        self._events = events
        self._office = office
        self._files = files

    def rows(self) -> list[ProductRow]:
        """What waits for a signature first, then by product and station."""
        histories, files = self._read()
        signed = {(each.gtin, each.station): each for each in self._office.valid()}
        rows = []
        for history in histories.products.values():
            either = [
                each
                for station in ("", history.station)
                if (each := signed.get((history.gtin, station))) is not None
            ]
            newest = max(either, key=lambda each: each.serial, default=None)
            rows.append(ProductRow(history, self._offers(history, files), newest))
        return sorted(rows, key=lambda row: (not row.waits, row.history.gtin, row.history.station))

    def key(self) -> QualityKey | None:
        return self._office.key()

    def signatures(self) -> Sequence[ProfileSignature]:
        return self._office.signatures()

    def make_key(self, passphrase: str, *, holder: str) -> QualityKey:
        """Raises ConflictError, BadInputError."""
        return self._office.make_key(passphrase, holder=holder)

    def replace_key(self, passphrase: str, new_passphrase: str, *, holder: str) -> QualityKey:
        """Raises as QualityOffice.replace_key."""
        return self._office.replace_key(passphrase, new_passphrase, holder=holder)

    def lost_key(self, new_passphrase: str, *, holder: str) -> QualityKey:
        """As QualityOffice.lost_key."""
        return self._office.lost_key(new_passphrase, holder=holder)

    def sign(
        self, station: str, gtin: str, digest: str, *, by: str, reason: str, passphrase: str
    ) -> ProfileSignature:
        """Let a profile judge the next batches of a product at a station.

        Raises NotFoundError for what no history names, ConflictError for a profile that is not
        offered any more, BadInputError, WrongPassphraseError, TooManyTriesError.
        """
        histories, files = self._read()
        history = histories.products.get((station, gtin))
        if history is None:
            raise NotFoundError(
                f"Station {station} has told nothing about product {gtin}", mend="Look at the list"
            )
        offers = {each.digest: each for each in self._offers(history, files)}
        offer = offers.get(digest)
        if offer is None:
            raise ConflictError(
                "This profile is not offered any more: another lesson was taught or taken back",
                mend="Look at the lessons again and sign what stands now",
            )
        self._check(offer, gtin)
        wanted = Wanted(gtin, digest, offer.file, station)
        return self._office.sign(wanted, by=by, reason=reason, passphrase=passphrase)

    def _check(self, offer: Offer, gtin: str) -> None:
        data = self._files.get(offer.file)
        if data is None:
            raise NotFoundError(
                f"The profile of {gtin} has not arrived from its station",
                mend="Wait until the station's journal is sent, then sign",
            )
        if Profile.from_bytes(data, name=f"the profile of {gtin}").digest != offer.digest:
            raise BadInputError(
                "The file that arrived is not the profile that the station recorded",
                mend="Let the station enrol the product anew",
            )

    def _read(self) -> tuple[Histories, Mapping[str, str]]:
        """The histories, and the file of each digest."""
        histories, files = Histories(), {}
        for event in self._events():
            try:
                body = decode_body(event.kind, event.body)
            except (BadInputError, msgspec.MsgspecError):
                log.warning("profile event not understood", device=event.device, seq=event.seq)
                continue
            histories.take(body, at=event.at, seq=event.seq)
            files.update(_files_in(body))
        return histories, files

    def _offers(self, history: ProductHistory, files: Mapping[str, str]) -> tuple[Offer, ...]:
        standing = history.standing
        places = [history.base, *(step.after for step in standing)]
        active = places.index(history.active) if history.active in places else 0
        found: dict[str, Offer] = {}
        tip = history.tip
        if tip is not None:
            self._add(found, files, tip.after, steps=history.pending, back=False)
        for place in range(active - 1, -1, -1):
            self._add(found, files, places[place], steps=standing[place:active], back=True)
        for each in reversed(history.activations):
            if each.digest not in {history.active, *(step.after for step in history.pending)}:
                self._add(found, files, each.digest, steps=(), back=True)
        return tuple(found.values())

    def _add(
        self,
        found: dict[str, Offer],
        files: Mapping[str, str],
        digest: str,
        *,
        steps: Sequence[Step],
        back: bool,
    ) -> None:
        file = files.get(digest)
        if digest and file and digest not in found:
            arrived = self._files.get(file) is not None
            found[digest] = Offer(digest, file, back, tuple(steps), arrived)


def _files_in(body: EventBody) -> dict[str, str]:
    """Which file a digest is, as far as an entry tells."""
    match body:
        case DefectTaught():
            known = {body.after: body.candidate}
            before = [
                each.sha256
                for each in body.evidence
                if each.kind == _PROFILE and each.sha256 != body.candidate
            ]
            return {**known, **({body.before: before[0]} if before else {})}
        case ProfileEnrolled():
            return {body.digest: body.candidate}
        case ProfileActivated():
            return {body.after: body.file}
        case _:
            return {}
