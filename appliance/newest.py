"""One file that is opened when first needed and again when it has changed (I5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from contracts.errors import ArtefactRefusedError, BadInputError

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Loaded(Generic[T]):
    changed: tuple[int, ...]
    made: T | None
    trouble: str


class Newest(Generic[T]):
    """`make` takes a path and its bytes. What it refuses is told once, and what was made before
    stays; a signature beside the file that changes has it opened again.
    """

    def __init__(self, make: Callable[[Path, bytes], T]) -> None:
        self._make = make
        self._loaded: dict[Path, _Loaded[T]] = {}

    def get(self, path: Path) -> T | None:
        """None where there is no file, and where none could ever be made of it."""
        changed = _stamp(path)
        if not changed:
            self._loaded.pop(path, None)
            return None
        known = self._loaded.get(path)
        if known is not None and known.changed == changed:
            return known.made
        try:
            found = _Loaded(changed, self._make(path, path.read_bytes()), "")
        except (ArtefactRefusedError, BadInputError, OSError) as error:
            log.warning("file refused", file=path.name, error=str(error))
            found = _Loaded(changed, known.made if known else None, str(error))
        self._loaded[path] = found
        return found.made

    def trouble(self, path: Path) -> str:
        """Why the newest file was refused; empty where nothing is wrong."""
        loaded = self._loaded.get(path)
        return loaded.trouble if loaded else ""


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes with the file and with the signature beside it; empty where there is no file."""
    times: list[int] = []
    for each in (path, path.with_name(path.name + ".sig")):
        try:
            seen = each.stat()
        except OSError:
            if each == path:
                return ()
            continue
        times += [seen.st_mtime_ns, seen.st_size, seen.st_ino]
    return tuple(times)
