"""Space given back, and never what somebody still needs."""

from __future__ import annotations

import os
from pathlib import Path

from telemetry.segments.files import Position, numbers_in, path_of, sync_folder
from telemetry.segments.reading import durable_position


class Retention:
    """Holds on segments, one small file for each who reads them, and the removal of the rest.

    The gateway holds what it would go through again after a restart, the tailer what is not in
    history yet. A reader that has never held anything does not stop a removal: say `hold` first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holds = folder / "holds"

    def hold(self, who: str, position: Position) -> None:
        """Everything after this position is kept until `who` says otherwise; durable."""
        self._holds.mkdir(parents=True, exist_ok=True)
        path = self._holds / who
        part = path.with_suffix(".part")
        with part.open("w", encoding="ascii") as file:
            file.write(f"{position.segment} {position.offset}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(self._holds)

    def held(self) -> dict[str, Position]:
        """Who holds what. Raises ValueError for a file that is not ours."""
        if not self._holds.is_dir():
            return {}
        holds: dict[str, Position] = {}
        for path in sorted(self._holds.iterdir()):
            if path.suffix != ".part":
                segment, offset = path.read_text(encoding="ascii").split()
                holds[path.name] = Position(int(segment), int(offset))
        return holds

    def release(self, who: str) -> None:
        (self._holds / who).unlink(missing_ok=True)

    def remove_before(self, segment: int) -> int:
        """Whole segments below a number that nobody holds are removed; bytes given back.

        Never the one that is written, whatever the number.
        """
        end = durable_position(self._folder)
        limit = min([segment, *(position.segment for position in self.held().values())])
        if end is not None:
            limit = min(limit, end.segment)
        freed = 0
        for number in numbers_in(self._folder):
            if number < limit:
                path = path_of(self._folder, number)
                freed += path.stat().st_size
                path.unlink()
        if freed:
            sync_folder(self._folder)
        return freed

    def keep_newest(self, most_bytes: int) -> int:
        """The oldest segments go until what is left fits; bytes given back. For quarantines."""
        sizes = [(n, path_of(self._folder, n).stat().st_size) for n in numbers_in(self._folder)]
        over = sum(size for _, size in sizes) - most_bytes
        last = 0
        for number, size in sizes:
            if over <= 0:
                break
            over -= size
            last = number + 1
        return self.remove_before(last) if last else 0
