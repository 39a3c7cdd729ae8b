"""The hub's fences: every version that was ever saved, what was signed of them, and who may sign.

Rules (I4, I5): a signed version is never changed, a change is a new version; a version is signed once;
who signs has a registered key that the quality lead let sign fences; what a gateway is told is what
was signed, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.fences.statement import (
    Delegation,
    SignedFence,
    State,
    Statement,
    check_signed,
    read_statement,
)
from appliance.small_db import SmallDb
from contracts.errors import ConflictError, NotFoundError
from telemetry.watching.conditions.making import prepare
from telemetry.watching.fences import Fence, check_fence, read_fence

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
  fence TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL,
  saved_by TEXT NOT NULL,
  saved_at_us INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'draft',
  statement TEXT NOT NULL DEFAULT '',
  signature TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (fence, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delegations (
  key_id TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  public_pem TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  by_key TEXT NOT NULL,
  signature TEXT NOT NULL,
  by_person TEXT NOT NULL,
  withdrawn_at_us INTEGER
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One saved text of a fence. `state` is draft, active or retired; `statement` empty for a draft."""

    fence: Fence
    saved_by: str
    saved_at_us: int
    state: str
    statement: str = ""
    signature: str = ""

    @property
    def is_draft(self) -> bool:
        return self.state == "draft"

    @property
    def said(self) -> Statement | None:
        """What was signed of it; None for a draft."""
        return read_statement(self.statement) if self.statement else None


@dataclass(frozen=True, slots=True)
class Story:
    """A fence with all its versions, newest first."""

    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        return self.versions[0]

    @property
    def signed(self) -> Version | None:
        """What counts now; None while nothing was signed."""
        return next((each for each in self.versions if not each.is_draft), None)

    @property
    def draft(self) -> Version | None:
        return self.newest if self.newest.is_draft else None

    @property
    def active(self) -> Version | None:
        signed = self.signed
        return signed if signed is not None and signed.state == "active" else None

    @property
    def retiring(self) -> Fence | None:
        """What is signed to end it, in the place of a draft; None where it is not in force."""
        if self.active is None:
            return None
        newest = self.newest.fence.version
        return replace(self.active.fence, version=newest if self.draft else newest + 1)


class FenceStore:
    """A small SQLite file. Calls block."""

    def __init__(self, path: Path) -> None:
        self._file = SmallDb(path, _SCHEMA)

    def close(self) -> None:
        self._file.close()

    def stories(self) -> list[Story]:
        """Every fence, by id."""
        found: dict[str, list[Version]] = {}
        for row in self._file.all("SELECT * FROM versions ORDER BY fence, version DESC"):
            version = _version(row)
            found.setdefault(version.fence.fence, []).append(version)
        return [Story(tuple(each)) for each in found.values()]

    def story(self, fence: str) -> Story:
        """Raises NotFoundError."""
        rows = self._file.all("SELECT * FROM versions WHERE fence = ? ORDER BY version DESC", fence)
        if not rows:
            raise NotFoundError(
                f"There is no fence {fence[:60]!r}", mend="Look at the list of fences"
            )
        return Story(tuple(map(_version, rows)))

    def save(self, fence: Fence, *, by: str, now_us: int) -> Fence:
        """Keep `fence` as a draft with the next version, in the place of an unsigned one.

        Raises BadInputError and ExpressionError for what cannot be used.
        """
        with self._file.change() as db:
            rows = db.execute(
                "SELECT version, state FROM versions WHERE fence = ? ORDER BY version DESC LIMIT 1",
                (fence.fence,),
            ).fetchall()
            last, state = rows[0] if rows else (0, "")
            wanted = replace(fence, version=last if state == "draft" else last + 1)
            check_fence(wanted)
            prepare(wanted)
            db.execute(
                "INSERT OR REPLACE INTO versions (fence, version, text, saved_by, saved_at_us)"
                " VALUES (?, ?, ?, ?, ?)",
                (wanted.fence, wanted.version, wanted.text(), by, now_us),
            )
        return wanted

    def drop_draft(self, fence: str) -> None:
        """Forget what nobody has signed. Raises NotFoundError where there is none."""
        with self._file.change() as db:
            done = db.execute("DELETE FROM versions WHERE fence = ? AND state = 'draft'", (fence,))
            if not done.rowcount:
                raise NotFoundError(f"{fence} has no draft", mend="Look at the list of fences")

    def statement(
        self, fence: str, state: State, *, signer: str, key: str, reason: str, now_us: int
    ) -> Statement:
        """What to sign so that the draft is in force, or that the fence is over.

        Raises NotFoundError, ConflictError where there is nothing to sign.
        """
        story = self.story(fence)
        about = story.draft.fence if story.draft else None
        if state == "retired":
            about = story.retiring
        if about is None and state == "retired":
            raise ConflictError(f"{fence} is not in force", mend="There is nothing to end")
        if about is None:
            raise ConflictError(f"{fence} has no draft", mend="Change it first, then sign")
        return Statement(
            about.fence, about.version, about.sha256, state, reason, signer, key, now_us
        )

    def activate(self, signed: SignedFence, *, by: str, now_us: int) -> Version:
        """Keep a signature that holds: from now on gateways are told.

        Raises ArtefactRefusedError, ConflictError where the draft has changed meanwhile.
        """
        fence, said = check_signed(signed, {each.key_id: each for each in self.delegations()})
        expected = self.statement(
            fence.fence, said.state, signer=by, key=said.key, reason=said.reason, now_us=said.at_us
        )
        if expected != said:
            raise ConflictError(
                f"{fence.fence} has changed since this was shown",
                mend="Load the page and sign anew",
            )
        with self._file.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (fence.fence, fence.version, signed.text, by, now_us, said.state,
                 signed.statement, signed.signature),
            )  # fmt: skip
        return self.story(fence.fence).newest

    def text_to_sign(self, said: Statement) -> str:
        """The text of the fence that a statement of `statement` is about."""
        story = self.story(said.fence)
        draft = story.draft.fence if story.draft else None
        about = story.retiring if said.state == "retired" else draft
        if about is None:
            raise ConflictError(f"{said.fence} has changed meanwhile", mend="Load the page again")
        return about.text()

    def delegate(self, said: Delegation, *, by: str) -> None:
        """Keep the lead's word; the same key again renews it."""
        with self._file.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO delegations VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (said.key_id, said.person, said.public_pem, said.at_us, said.by_key,
                 said.signature, by),
            )  # fmt: skip

    def withdraw(self, key_id: str, *, now_us: int) -> None:
        """The key signs no more fences; what it signed stays in force. Raises NotFoundError."""
        with self._file.change() as db:
            done = db.execute(
                "UPDATE delegations SET withdrawn_at_us = ? "
                "WHERE key_id = ? AND withdrawn_at_us IS NULL",
                (now_us, key_id),
            )
            if not done.rowcount:
                raise NotFoundError("There is no such delegation", mend="Load the page again")

    def delegations(self) -> tuple[Delegation, ...]:
        """Those that count, oldest first."""
        rows = self._file.all(
            "SELECT person, key_id, public_pem, at_us, by_key, signature FROM delegations"
            " WHERE withdrawn_at_us IS NULL ORDER BY at_us, key_id"
        )
        return tuple(Delegation(*row) for row in rows)

    def signed(self) -> tuple[SignedFence, ...]:
        """The newest signed version of every fence: what gateways are told."""
        return tuple(
            SignedFence(signed.fence.text(), signed.statement, signed.signature)
            for story in self.stories()
            if (signed := story.signed) is not None
        )


def _version(row: tuple[Any, ...]) -> Version:
    _, _, text, saved_by, saved_at_us, state, statement, signature = row
    return Version(read_fence(text), saved_by, saved_at_us, state, statement, signature)
