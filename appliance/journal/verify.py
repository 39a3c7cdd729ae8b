"""Verify a journal with nothing but its file (I4): who wrote it, that no byte of any entry was
changed, that none is missing in the middle, and, where a hub's countersigned head is known, that
none is missing at the end.

The file is opened read-only; a `-wal` beside it is read with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.identity.certificates import HEAD_URI, certified_key, device_uri, head_key
from appliance.identity.keys import ENTRY, key_id, load_public_pem, verifies_hex
from appliance.journal import file
from appliance.journal.codec import GENESIS, hash_of
from appliance.journal.heads import Countersigned, is_genuine
from contracts.errors import BadInputError
from contracts.events import JournalEntry

_INTEGERS = frozenset({"seq", "at_us", "uncertainty_us"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What is broken; `seq` names the entry, None where it concerns the file."""

    seq: int | None
    what: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`trust` says what the device's key was checked against: `site ca`, `key` or `file`.

    `head_seq` is the highest countersigned head that the log was measured against.
    """

    device: str
    key_id: str
    trust: str
    entries: int
    first_at_us: int | None
    last_at_us: int | None
    boots: int
    head_seq: int | None
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


def verify_journal(
    path: Path,
    *,
    site_ca_pem: str | None = None,
    public_key_pem: str | None = None,
    heads: Sequence[Countersigned] = (),
) -> VerifyReport:
    """Check the whole journal at `path`.

    `site_ca_pem` is the site's device CA: the device's and the hub's certificates are checked
    against it. `public_key_pem` is the device's key known from elsewhere. `heads` are heads known
    from the hub, beside those in the file. Raises BadInputError when the file is no journal.
    """
    with closing(_open(path)) as db:
        try:
            meta = {str(name): str(value) for name, value in db.execute("SELECT * FROM meta")}
            certificates = [str(pem) for (pem,) in db.execute("SELECT pem FROM certificates")]
        except sqlite3.Error as error:
            raise BadInputError(
                f"{path} is not a readable journal: {error}", mend="Check the path"
            ) from error
        check = _Check(meta.get("device", ""))
        if meta.get("format") != file.FORMAT:
            check.say(None, f"journal format {meta.get('format')!r} is not {file.FORMAT!r}")
        key, trust = _device_key(check, meta, certificates, site_ca_pem, public_key_pem)
        if key is not None:
            check.chain(_entries(db, check), key)
        # A hub's list names all its devices.
        ours = [head for head in heads if head.device == check.device]
        known = [*ours, *_own_heads(db, check, meta, site_ca_pem)]
        check.heads(known)
        check.structure(db)
        return VerifyReport(
            device=check.device,
            key_id=key_id(key) if key else "",
            trust=trust,
            entries=check.count,
            first_at_us=check.first_at_us,
            last_at_us=check.last_at_us,
            boots=len(check.boots),
            head_seq=max((head.seq for head in known), default=None),
            findings=tuple(check.findings),
        )


def read_entries(path: Path, *, after_seq: int = 0) -> Iterator[JournalEntry]:
    """The entries as stored, unverified. Raises BadInputError when the file is no journal."""
    with closing(_open(path)) as db:
        try:
            for row in db.execute(f"{file.SELECT} WHERE seq > ? ORDER BY seq", (after_seq,)):
                yield file.to_entry(row)
        except sqlite3.Error as error:
            raise BadInputError(
                f"{path} cannot be read further: {error}", mend="Run tallyman journal verify"
            ) from error


class _Check:
    """Walks the chain once and remembers what heads will ask for."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.findings: list[Finding] = []
        self.count = 0
        self.first_at_us: int | None = None
        self.last_at_us: int | None = None
        self.boots: set[str] = set()
        self.hashes: dict[int, str] = {}

    def say(self, seq: int | None, what: str) -> None:
        self.findings.append(Finding(seq, what))

    def chain(self, entries: Iterator[JournalEntry], key: Ed25519PublicKey) -> None:
        expected, previous, at_us = 1, GENESIS, 0
        for entry in entries:
            if entry.seq != expected:
                self.say(entry.seq, f"entry {expected} is missing before entry {entry.seq}")
            elif entry.previous != previous:
                self.say(entry.seq, "does not continue the entry before it")
            self._one(entry, key)
            if entry.at_us < at_us:
                self.say(entry.seq, "its time runs backwards")
            self.hashes[entry.seq] = entry.hash
            self.boots.add(entry.boot)
            self.count += 1
            self.first_at_us = entry.at_us if self.first_at_us is None else self.first_at_us
            self.last_at_us = entry.at_us
            expected, previous, at_us = entry.seq + 1, entry.hash, entry.at_us

    def _one(self, entry: JournalEntry, key: Ed25519PublicKey) -> None:
        if entry.device != self.device:
            self.say(entry.seq, f"is in the name of device {entry.device[:80]!r}")
        try:
            digest = hash_of(entry)
        except BadInputError as error:
            self.say(entry.seq, error.message)
            return
        if digest != entry.hash:
            self.say(entry.seq, "its hash does not fit its content")
        elif not verifies_hex(key, ENTRY, bytes.fromhex(digest), entry.signature):
            self.say(entry.seq, "its signature does not fit the device's key")

    def heads(self, known: Sequence[Countersigned]) -> None:
        last = max(self.hashes, default=0)
        for head in known:
            if head.device != self.device:
                self.say(None, f"the head of {head.seq} is of device {head.device[:80]!r}")
            elif head.seq > last:
                self.say(
                    head.seq,
                    f"the hub countersigned entry {head.seq}, the log ends at {last}: "
                    "its end was cut off",
                )
            elif head.seq > 0 and self.hashes.get(head.seq) != head.hash:
                self.say(head.seq, "is not the entry that the hub countersigned")

    def structure(self, db: sqlite3.Connection) -> None:
        try:
            rows = db.execute("PRAGMA integrity_check(20)").fetchall()
        except sqlite3.Error as error:
            self.say(None, f"the file's structure is damaged: {error}")
            return
        for (line,) in rows:
            if line != "ok":
                self.say(None, f"the file's structure is damaged: {line}")


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise BadInputError(f"{path} is not a file", mend="Name the journal's file")
    # A copy that lies alone must be readable in a folder that nobody may write to, and SQLite
    # would want to make shared memory there for a file that was once in WAL mode.
    alone = not path.with_name(f"{path.name}-wal").exists()
    try:
        how = "mode=ro&immutable=1" if alone else "mode=ro"
        db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
        # Text that is not valid UTF-8 stays bytes: then its type tells that it was changed.
        db.text_factory = _text
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise BadInputError(
            f"{path} is not a readable journal: {error}",
            mend="Copy the file together with its -wal, and check the rights of the folder",
        ) from error
    return db


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _entries(db: sqlite3.Connection, check: _Check) -> Iterator[JournalEntry]:
    last = 0
    try:
        for row in db.execute(f"{file.SELECT} ORDER BY seq"):
            values = dict(zip(file.COLUMNS, row, strict=True))
            last = values["seq"]
            wrong = [
                n for n, v in values.items() if type(v) is not (int if n in _INTEGERS else str)
            ]
            if wrong:
                check.say(last, f"column {', '.join(wrong)} is not what was written")
                values |= {name: 0 if name in _INTEGERS else "" for name in wrong}
            yield JournalEntry(**values)
    except sqlite3.Error as error:
        check.say(last + 1, f"cannot be read after entry {last}: {error}")


def _device_key(
    check: _Check,
    meta: dict[str, str],
    certificates: Sequence[str],
    site_ca_pem: str | None,
    public_key_pem: str | None,
) -> tuple[Ed25519PublicKey | None, str]:
    try:
        key = load_public_pem(meta.get("public_key", ""), what="the device key in the file")
    except BadInputError as error:
        check.say(None, error.message)
        return None, "file"
    if public_key_pem is not None and key != load_public_pem(public_key_pem, what="the key given"):
        check.say(None, "the device key in the file is not the key given")
    if site_ca_pem is None:
        return key, "file" if public_key_pem is None else "key"
    uri = device_uri(check.device)
    if not any(certified_key(pem, site_ca_pem, uri=uri) == key for pem in certificates):
        check.say(None, "no certificate of the site's CA in the file names this device and key")
    return key, "site ca"


def _own_heads(
    db: sqlite3.Connection, check: _Check, meta: dict[str, str], site_ca_pem: str | None
) -> list[Countersigned]:
    try:
        rows = db.execute("SELECT device, seq, hash, at_us, signature FROM heads").fetchall()
    except sqlite3.Error as error:
        check.say(None, f"the countersigned heads cannot be read: {error}")
        return []
    if not rows:
        return []
    pem = meta.get("head_certificate", "")
    key = head_key(pem) if site_ca_pem is None else certified_key(pem, site_ca_pem, uri=HEAD_URI)
    if key is None:
        check.say(None, "the hub's head certificate in the file does not hold")
        return []
    heads: list[Countersigned] = []
    for row in rows:
        if [type(value) for value in row] != [str, int, str, int, str]:
            check.say(None, "a countersigned head is not what was written")
            continue
        head = Countersigned(*row)
        if is_genuine(head, key):
            heads.append(head)
        else:
            check.say(head.seq, "the hub's countersignature in the file does not hold")
    return heads
