"""What the page asks of the learning loop (appliance.learning.labels.desk.LabelDesk). Calls block."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from appliance.learning.labels.book import Counts
from appliance.learning.labels.desk import Looked
from appliance.learning.labels.records import Answer, LineId, QueueLine


class LabelQueue(Protocol):
    def look(self) -> Looked: ...

    def waiting(self, *, most: int, field: str = "") -> Sequence[QueueLine]: ...

    def answered(self, *, most: int, field: str = "") -> Sequence[QueueLine]: ...

    def counts(self, *, field: str = "") -> Counts: ...

    def answer(self, answers: Sequence[Answer]) -> Sequence[QueueLine]:
        """Raises BadInputError, NotFoundError."""
        ...

    def undo(self, by: str) -> Sequence[QueueLine]: ...

    def picture(self, key: LineId) -> bytes:
        """PNG. Raises NotFoundError."""
        ...

    def next_run(self) -> datetime | None:
        """When the recipe runs next by its schedule; None where it does not."""
        ...
