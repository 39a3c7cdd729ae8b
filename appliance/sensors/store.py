"""The sensor book and the site's own templates on the hub's disk.

A change is checked whole against everything else before anything of it is written (I5), and each
file is exchanged at once, so that a gateway that asks meanwhile gets the old state or the new one.
Who changed what is kept in a log beside it (I4).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from appliance.durable import write_atomic
from contracts.clock import Clock
from contracts.errors import ConflictError, NotFoundError
from telemetry.describing.book import Device, SensorBook, check_book, read_book
from telemetry.describing.library import check_own, with_own
from telemetry.describing.template import Template


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log."""

    at: str
    """ISO 8601, UTC."""
    by: str
    what: str
    """device, removed, sheet, template or template_removed."""
    names: tuple[str, ...]
    book_sha256: str


class SensorStore:
    """Below one folder: book.json, templates/NAME.toml, changes.jsonl. Safe for several threads."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Raises BadBookError, BadTemplateError for files that are not ours."""
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._own = {
            file.stem: file.read_text("utf-8") for file in sorted(self._templates.glob("*.toml"))
        }
        self._all = with_own(self._own.values())
        path = folder / "book.json"
        self._book = read_book(path.read_bytes() if path.exists() else b"")
        check_book(self._book, self._all)

    @property
    def _templates(self) -> Path:
        return self._folder / "templates"

    def book(self) -> SensorBook:
        return self._book

    def templates(self) -> Mapping[str, Template]:
        """Those of the house and the site's own, by name."""
        return self._all

    def is_own(self, name: str) -> bool:
        return name in self._own

    def documents(self) -> tuple[bytes, tuple[str, ...]]:
        """What a gateway is told: the book's JSON, the texts of the site's own templates."""
        with self._lock:
            return self._book.encode(), tuple(self._own[name] for name in sorted(self._own))

    def put_device(self, device: Device, *, by: str, before: str = "") -> None:
        """Add or change one entry. `before`: the mark of the entry as the person saw it, "" for a
        new one.

        Raises BadBookError, BadTemplateError, and ConflictError where it was changed meanwhile.
        """
        with self._lock:
            known = self._book.find(device.id)
            if mark_of(known) != before:
                raise ConflictError(
                    f"{device.id} was changed by somebody else meanwhile"
                    if known is not None and before
                    else f"{device.id} is in the book already",
                    mend="Look at it as it stands now, then change it",
                )
            self._keep(self._book.with_device(device), "device", (device.id,), by)

    def remove_device(self, name: str, *, by: str) -> None:
        """Take an entry out; what it measured stays in the history. Raises NotFoundError."""
        with self._lock:
            if self._book.find(name) is None:
                raise NotFoundError(f"No sensor {name!r} is in the book", mend="Look at the list")
            self._keep(self._book.without(name), "removed", (name,), by)

    def put_devices(self, devices: Iterable[Device], *, by: str) -> int:
        """A whole sheet at once: every line or none. Raises BadBookError, BadTemplateError."""
        with self._lock:
            given = tuple(devices)
            known = {one.id.lower(): one for one in self._book.device}
            known.update({one.id.lower(): one for one in given})
            self._keep(
                SensorBook(tuple(known.values()), self._book.family),
                "sheet",
                tuple(one.id for one in given),
                by,
            )
            return len(given)

    def put_template(self, text: str, *, by: str) -> Template:
        """A template of the site's own, new or in the place of its earlier self.

        Raises BadTemplateError; BadBookError where a device of the book could not go on with it.
        """
        with self._lock:
            template = check_own(text, self._own.values())
            own = {**self._own, template.name: text}
            every = with_own(own.values())
            check_book(self._book, every)
            write_atomic(self._templates / f"{template.name}.toml", text.encode())
            self._own, self._all = own, every
            self._note("template", (template.name,), by)
        return template

    def remove_template(self, name: str, *, by: str) -> None:
        """Raises NotFoundError, and ConflictError while a device of the book uses it."""
        with self._lock:
            if name not in self._own:
                raise NotFoundError(
                    f"No template {name!r} of the site's own", mend="Those of the house stay"
                )
            users = [one.id for one in self._book.device if one.template == name]
            users += [one.topic for one in self._book.family if one.template == name]
            if users:
                raise ConflictError(
                    f"{name} is used by {', '.join(users[:5])}",
                    mend="Give these another template first",
                )
            (self._templates / f"{name}.toml").unlink()
            self._own = {key: text for key, text in self._own.items() if key != name}
            self._all = with_own(self._own.values())
            self._note("template_removed", (name,), by)

    def changes(self, name: str = "", *, most: int = 100) -> list[Change]:
        """The newest changes, or those of one sensor or template, newest first. Blocks."""
        path = self._folder / "changes.jsonl"
        if not path.exists():
            return []
        lines = reversed(path.read_bytes().splitlines())
        every = (one for line in lines if (one := _change(line)) is not None)
        return list(islice((one for one in every if not name or name in one.names), most))

    def _keep(self, book: SensorBook, what: str, names: tuple[str, ...], by: str) -> None:
        check_book(book, self._all)
        write_atomic(self._folder / "book.json", book.encode())
        self._book = book
        self._note(what, names, by)

    def _note(self, what: str, names: tuple[str, ...], by: str) -> None:
        digest = hashlib.sha256(self._book.encode()).hexdigest()
        line = Change(self._clock.now().isoformat(), by, what, names, digest)
        with (self._folder / "changes.jsonl").open("a+b") as log:
            if log.seek(0, os.SEEK_END):
                log.seek(-1, os.SEEK_END)
                if log.read(1) != b"\n":
                    log.write(b"\n")  # a power cut left half a line
            log.write(msgspec.json.encode(line) + b"\n")
            log.flush()
            os.fsync(log.fileno())


def _change(line: bytes) -> Change | None:
    """None for half a line, as a power cut leaves it: the change before it stands all the same."""
    try:
        return msgspec.json.decode(line, type=Change)
    except msgspec.MsgspecError:
        return None


def mark_of(device: Device | None) -> str:
    """A short mark of an entry as it stands; "" for none. Two equal entries have the same."""
    if device is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(device, order="sorted")).hexdigest()[:16]


def open_store(folder: Path, clock: Clock) -> SensorStore:
    """The store of a folder, which is made where it is missing. Raises as SensorStore."""
    folder.mkdir(parents=True, exist_ok=True)
    return SensorStore(folder, clock)
