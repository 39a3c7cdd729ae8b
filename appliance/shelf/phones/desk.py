"""The phones of a site: invite, enrol, let in again, revoke, and know that each wiped itself.

Rules: a phone is its key; an invitation is good once; a phone acts for one person in one role,
asked anew at each session; revoking ends its sessions at once, puts its log aside in the core, and
the phone wipes itself at its next contact; everything that happened to a phone is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts.store import PersonGoneError
from appliance.accounts.user import Role
from appliance.shelf.phones.book import PhoneBook, note, put_phone
from appliance.shelf.phones.facts import (
    Invitation,
    NoReasonError,
    Phone,
    PhoneEvent,
    PhoneRevokedError,
    UnknownPhoneError,
    phone_id,
)
from appliance.shelf.phones.invitations import LONGEST, Invitations, called, check_role
from appliance.shelf.phones.ports import LogRoster, People
from appliance.shelf.phones.proofs import Challenges, check_enrolment, check_public_key
from contracts.clock import Clock
from contracts.device_log import LogEntry
from contracts.errors import BadInputError, ForbiddenError, NotFoundError

_SEEN_EVERY = timedelta(minutes=1)
_LAST_WORDS = 500


class Phones:
    """Over one SQLite file. Methods block and are safe to call from many threads."""

    def __init__(self, path: Path, *, clock: Clock, roster: LogRoster, people: People) -> None:
        self._book = PhoneBook(path)
        self._clock = clock
        self._roster = roster
        self._people = people
        self._invitations = Invitations(self._book, clock=clock, people=people)
        # A challenge lives two minutes: a key of this process alone seals it.
        self._challenges = Challenges(Ed25519PrivateKey.generate(), clock.now)
        # Where a stop came between this file and the others, they are brought in line.
        for phone in self._book.phones():
            if phone.revoked_at is not None:
                self._shut_out(phone)

    def close(self) -> None:
        self._book.close()

    def invite(
        self, owner: str, role: str, *, name: str, by: str, key: str | None = None
    ) -> Invitation:
        """A one-time link's secret, 15 minutes. The same `key` again replaces the one before.

        Raises BadInputError.
        """
        return self._invitations.make(owner, role, name=name, by=by, key=key or "")

    def invitation(self, token: str) -> Invitation:
        """Whom an invitation is for, while it may be used. Raises InvitationSpentError."""
        return self._invitations.find(token)[0]

    def enrol_invited(self, token: str, public_key: str, proof: str, *, name: str = "") -> Phone:
        """The phone of whoever was invited; the same key with the same link again is the same phone.

        Raises InvitationSpentError, BadInputError, BadProofError, PhoneRevokedError.
        """
        check_enrolment(check_public_key(public_key), token, proof)
        phone = phone_id(public_key)
        invitation, made_by = self._invitations.find(token, phone)
        check_role(self._people, invitation.owner, invitation.role)
        self.refuse_revoked(phone)
        self._invitations.spend(token, phone)
        label = name or invitation.name or invitation.owner
        return self._enrol(invitation.owner, invitation.role, public_key, label, by=made_by)

    def enrol_signed_in(
        self, owner: str, role: str, public_key: str, proof: str, *, name: str
    ) -> Phone:
        """Raises BadInputError, BadProofError, PhoneRevokedError."""
        check_enrolment(check_public_key(public_key), "", proof)
        check_role(self._people, owner, role)
        self.refuse_revoked(phone_id(public_key))
        return self._enrol(owner, role, public_key, name or owner, by=owner)

    def session(self, phone: Phone) -> str:
        """A session's token for the cookie. A phone whose person left, or lost the role, is revoked.

        Raises PhoneRevokedError.
        """
        try:
            return self._people.sign_in_phone(phone.owner, Role(phone.role), phone=phone.phone)
        except PersonGoneError:
            self.revoke(phone.phone, reason=f"{phone.owner} is no longer let in", by="")
        except ForbiddenError:
            self.revoke(phone.phone, reason=f"{phone.owner} is no longer {phone.role}", by="")
        raise self._revoked(self.phone(phone.phone))

    def challenge(self, phone: str) -> str:
        """What the phone signs within two minutes; a revoked one too, for `wiped`. Raises
        UnknownPhoneError.
        """
        return self._challenges.new(self.phone(phone).phone)

    def prove(self, phone: str, challenge: str, signature: str) -> Phone:
        """Who signed. Raises BadProofError, UnknownPhoneError, PhoneRevokedError."""
        known = self.phone(phone)
        self._challenges.check(phone, known.public_key, challenge, signature)
        self.refuse_revoked(phone)
        return known

    def phone(self, phone: str) -> Phone:
        """Raises UnknownPhoneError."""
        found = self._book.phone(phone)
        if found is None:
            raise UnknownPhoneError(
                f"No phone {phone[:80]!r} is enrolled here", mend="Enrol it on the page Phones"
            )
        return found

    def phones(self) -> list[Phone]:
        """All that were ever enrolled, newest first."""
        return self._book.phones()

    def refuse_revoked(self, phone: str) -> None:
        """Raises PhoneRevokedError for a revoked phone; any other name passes."""
        found = self._book.phone(phone) if phone else None
        if found is not None and found.revoked_at is not None:
            raise self._revoked(found)

    def seen(self, phone: str) -> None:
        """It was in contact; noted at most once a minute."""
        now, known = self._clock.now(), self.phone(phone)
        if known.seen_at is None or now - known.seen_at >= _SEEN_EVERY:
            with self._book.change() as db:
                db.execute(
                    "UPDATE phones SET seen_at = ? WHERE phone = ?", (now.isoformat(), phone)
                )

    def rename(self, phone: str, name: str, *, by: str) -> Phone:
        """Raises UnknownPhoneError, BadPhoneNameError."""
        known, name = self.phone(phone), called(name)
        if known.name != name:
            with self._book.change() as db:
                db.execute("UPDATE phones SET name = ? WHERE phone = ?", (name, phone))
                note(db, phone, "renamed", by=by, at=self._clock.now(), words=name)
        return self.phone(phone)

    def revoke(self, phone: str, *, reason: str, by: str) -> Phone:
        """Ends its sessions; from the next contact on it hears 410 and wipes itself. Revoking again
        changes nothing. Raises UnknownPhoneError, NoReasonError, UnavailableError
        where the core cannot be told yet: revoke it again then.
        """
        known, reason = self.phone(phone), reason.strip()[: 4 * LONGEST]
        if not reason:
            raise NoReasonError(
                "Revoking a phone needs its reason", mend="Write why: lost, stolen, handed on"
            )
        if known.revoked_at is None:
            now = self._clock.now()
            with self._book.change() as db:
                db.execute(
                    "UPDATE phones SET revoked_at = ?, revoked_by = ?, reason = ? "
                    "WHERE phone = ? AND revoked_at IS NULL",
                    (now.isoformat(), by, reason, phone),
                )
                note(db, phone, "revoked", by=by, at=now, words=reason)
        # Also where it was revoked before: the core may not have been there to hear of it.
        known = self.phone(phone)
        self._shut_out(known)
        return known

    def last_words(self, phone: str, entries: Sequence[LogEntry]) -> int:
        """A revoked phone's unsent entries: kept in the core, booked by nobody until quality takes
        them. How many. An earlier name of the same phone, whose entries it has too, is revoked with
        it. Raises UnknownPhoneError, BadInputError.
        """
        known = self.phone(phone)
        if known.revoked_at is None:
            raise BadInputError(
                f"{phone} is not revoked", mend="Send its log to /api/v1/offline/logs"
            )
        if len(entries) > _LAST_WORDS:
            raise BadInputError(
                f"{len(entries)} entries at once", mend=f"Send at most {_LAST_WORDS}"
            )
        self._check_any([entry for entry in entries if entry.device == phone])
        for device in sorted({entry.device for entry in entries} - {phone}):
            # Whoever has that key's signatures here is that phone.
            self._roster.check([entry for entry in entries if entry.device == device])
            self.revoke(device, reason=f"was used on {phone}, which was revoked", by="")
        kept = self._roster.keep(phone, entries, by=known.owner)
        if entries:
            with self._book.change() as db:
                note(db, phone, "last_words", by="", at=self._clock.now(), words=str(kept))
        return kept

    def wiped(self, phone: str, challenge: str, signature: str) -> Phone:
        """The phone says that it wiped what it carried. Raises BadProofError, UnknownPhoneError."""
        known = self.phone(phone)
        self._challenges.check(phone, known.public_key, challenge, signature)
        if known.revoked_at is not None and known.wiped_at is None:
            now = self._clock.now()
            with self._book.change() as db:
                db.execute(
                    "UPDATE phones SET wiped_at = ? WHERE phone = ?", (now.isoformat(), phone)
                )
                note(db, phone, "wiped", by="", at=now)
        return self.phone(phone)

    def events(self, phone: str = "") -> list[PhoneEvent]:
        """What happened to one phone, or to all, newest first."""
        return self._book.events(phone)

    def _check_any(self, entries: Sequence[LogEntry]) -> None:
        """Nobody is signed in here: a stranger without one signature of the phone fills nothing up,
        and one damaged entry keeps none of the others out. Raises what is wrong with the first.
        """
        wrong: BadInputError | NotFoundError | None = None
        for entry in entries:
            try:
                self._roster.check([entry])
            except (BadInputError, NotFoundError) as error:
                wrong = wrong or error
            else:
                return
        if wrong is not None:
            raise wrong

    def _enrol(self, owner: str, role: str, public_key: str, name: str, *, by: str) -> Phone:
        now, device = self._clock.now(), phone_id(public_key)
        before = self._book.phone(device)
        self._roster.enrol(device, public_key, roles=[role], by=owner)
        made = Phone(device, called(name), owner, role, public_key, now, by)
        with self._book.change() as db:
            put_phone(db, made)
            if before is None or (before.owner, before.role) != (owner, role):
                note(db, device, "enrolled", by=by, at=now, words=f"{owner} ({role})")
        return self.phone(device)

    def _shut_out(self, phone: Phone) -> None:
        self._people.shut_out_phone(phone.phone)
        self._roster.revoke(phone.phone, reason=phone.reason, by=phone.revoked_by)

    def _revoked(self, phone: Phone) -> PhoneRevokedError:
        at = phone.revoked_at or self._clock.now()
        return PhoneRevokedError(
            "This phone was revoked: it may carry nothing of this site any more",
            mend="Ask whoever looks after the phones; it can be enrolled anew",
            phone=phone.phone,
            wipe=True,
            revoked_us=int(at.timestamp() * 1_000_000),
        )
