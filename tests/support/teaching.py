"""Teaching for the page tests: a station that learns in no time, and its quality lead's book."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.desk import CartonCard
from appliance.journal.codec import encode_body
from appliance.teaching.console import Console, Offer
from appliance.teaching.history import Histories, ProductHistory, Step
from appliance.teaching.locking import WrongPassphraseError
from appliance.teaching.office import Wanted
from appliance.teaching.ports import Lesson, Taught
from appliance.teaching.signing import ProfileSignature, QualityKey, first_key, sign_profile
from contracts.errors import ConflictError
from contracts.events import DefectTaught, EventBody, LessonUndone, ProfileActivated
from contracts.stock import Evidence
from erp_link.service.core import ProfileEvent

BASE = "sha256:" + "0" * 64


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass
class FakeTeaching:
    """appliance.teaching.ports.TeachingDesk; what it is told becomes the entries that a real one
    writes.
    """

    station: str = "dock-1"
    trouble: str = ""
    key: QualityKey | None = None
    knows: set[str] = field(default_factory=set)
    """Products that have a profile; empty: all."""
    told: list[EventBody] = field(default_factory=list)
    events: list[ProfileEvent] = field(default_factory=list)
    _histories: Histories = field(default_factory=Histories)

    def write(self, body: EventBody) -> None:
        self.told.append(body)
        kind, text = encode_body(body)
        at, seq = datetime.now(UTC), len(self.told)
        gtin = getattr(body, "gtin", "")
        self.events.append(ProfileEvent("edge-01", seq, at, self.station, gtin, kind, text))
        self._histories.take(body, at=at, seq=seq)

    async def teach(
        self, card: CartonCard, lesson: Lesson, *, operator: str, session: str | None = None
    ) -> Taught:
        if self.lesson_of(card.carton_id):
            raise ConflictError(f"Carton {card.carton_id} was taught already", mend="Take it back")
        history = self._histories.of(self.station, card.product)
        before = history.tip.after if history.tip else history.active or BASE
        picture = next(item for item in card.evidence if item.kind == "inspect")
        after = digest(before + card.carton_id)
        files = [hashlib.sha256(each.encode()).hexdigest() for each in (before, after)]
        self.write(
            DefectTaught(
                self.station,
                card.carton_id,
                card.product,
                picture.sha256,
                lesson.kind,
                lesson.defect,
                operator,
                before,
                after,
                files[1],
                session,
                (picture, Evidence("profile", files[0]), Evidence("profile", files[1])),
                lesson.note,
            )
        )
        step = self._histories.of(self.station, card.product).tip
        assert step is not None
        return Taught(step, card.product, 412.0)

    async def undo(self, gtin: str, *, operator: str, after: str) -> Step:
        history = self._histories.of(self.station, gtin)
        tip = history.tip
        if tip is None or tip.after != after:
            raise ConflictError("Another lesson was taught meanwhile", mend="Look again")
        rest = history.pending[:-1]
        self.write(
            LessonUndone(
                self.station, gtin, operator, after, tip.before, rest[-1].file if rest else ""
            )
        )
        return tip

    def activate(self, signature: ProfileSignature) -> None:
        """The station has taken over what was signed."""
        self.write(
            ProfileActivated(
                self.station,
                signature.gtin,
                self._histories.of(self.station, signature.gtin).active,
                signature.digest,
                signature.file,
                signature.signed_by,
                signature.reason,
                signature.serial,
                signature.key,
                signature.signature,
            )
        )

    def histories(self) -> Sequence[ProductHistory]:
        return list(self._histories.products.values())

    def lesson_of(self, carton_id: str) -> Step | None:
        steps = [step for each in self.histories() for step in each.standing]
        return next((step for step in reversed(steps) if step.carton_id == carton_id), None)

    def can_teach(self, gtin: str) -> bool:
        return not self.knows or gtin in self.knows


class FakeOffice:
    """appliance.teaching.office.QualityOffice in memory; a passphrase is checked as it is."""

    def __init__(self) -> None:
        self._key: Ed25519PrivateKey | None = None
        self._chain: list[QualityKey] = []
        self._passphrase = ""
        self._signed: list[ProfileSignature] = []

    def key(self) -> QualityKey | None:
        return self._chain[-1] if self._chain else None

    def valid(self) -> tuple[ProfileSignature, ...]:
        newest = {(each.gtin, each.station): each for each in self._signed}
        return tuple(newest.values())

    def signatures(self) -> list[ProfileSignature]:
        return self._signed[::-1]

    def make_key(self, passphrase: str, *, holder: str) -> QualityKey:
        self._key, self._passphrase = Ed25519PrivateKey.generate(), passphrase
        self._chain.append(first_key(self._key, holder=holder, at_us=1))
        return self._chain[-1]

    lost_key = make_key

    def replace_key(self, passphrase: str, new_passphrase: str, *, holder: str) -> QualityKey:
        self._check(passphrase)
        return self.make_key(new_passphrase, holder=holder)

    def sign(self, wanted: Wanted, *, by: str, reason: str, passphrase: str) -> ProfileSignature:
        self._check(passphrase)
        assert self._key is not None
        said = ProfileSignature(
            wanted.gtin,
            wanted.digest,
            wanted.file,
            wanted.station,
            len(self._signed) + 1,
            by,
            2,
            reason,
        )
        self._signed.append(sign_profile(self._key, said))
        return self._signed[-1]

    def _check(self, passphrase: str) -> None:
        if passphrase != self._passphrase:
            raise WrongPassphraseError("The passphrase is wrong", mend="Type it again")


class AnyFile:
    """A hub that holds every profile's file."""

    def get(self, sha256: str) -> bytes | None:
        return b"profile"


class FakeConsole(Console):
    """The real one over made-up files, which it therefore does not open."""

    def _check(self, offer: Offer, gtin: str) -> None:
        pass


def book(teaching: FakeTeaching) -> FakeConsole:
    return FakeConsole(lambda: teaching.events, FakeOffice(), AnyFile())
