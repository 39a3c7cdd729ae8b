"""What a station carries over a restart besides its journal: batches counted, drift watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from appliance.edge.book_file import BookFile
from appliance.edge.watches import Watches
from appliance.journal.journal import Journal
from appliance.layout import Layout


@dataclass(frozen=True, slots=True)
class Memory:
    """`save` before the journal is closed."""

    book: BookFile
    watches: Watches

    @classmethod
    def open(cls, journal: Journal, layout: Layout) -> Self:
        """As of the journal's last entry. Blocks; raises JournalError."""
        return cls(BookFile.open(journal, layout.batches), Watches(layout.watches))

    async def keep_up(self) -> None:
        """Write what is due; called after a verdict."""
        await self.book.keep_up()
        await asyncio.to_thread(self.watches.note)

    def save(self) -> None:
        """Blocks."""
        self.book.save()
        self.watches.save()
