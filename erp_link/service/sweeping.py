"""Work that follows by itself, item by item: one that fails keeps no other from its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contracts.errors import TallymanError, UnavailableError

T = TypeVar("T")
R = TypeVar("R")


class SweepStuckError(TallymanError, Generic[R]):
    """Some items of a sweep failed, the others are done: `done` holds what they gave, `stuck` the
    names of those that failed with why.
    """

    code = "sweep_stuck"

    def __init__(self, done: list[R], stuck: dict[str, str]) -> None:
        told = "; ".join(f"{name}: {why}" for name, why in sorted(stuck.items()))
        super().__init__(
            f"{len(stuck)} of {len(done) + len(stuck)} could not be dealt with: {told[:1000]}",
            mend="The others are done; these are tried again with the next look",
        )
        self.done = done
        self.stuck = stuck


@dataclass(slots=True)
class Sweep(Generic[R]):
    """Collects what each item gave, and which ones failed."""

    done: list[R] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)
    _first: Exception | None = None

    def over(self, items: Iterable[T], act: Callable[[T], R | None]) -> None:
        """Deal with each item by itself. Raises UnavailableError at once: no other would do better."""
        for item in items:
            try:
                result = act(item)
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 -- told below, with the others done
                self._first = self._first or error
                self.stuck[str(item)] = str(error) or type(error).__name__
            else:
                if result is not None:
                    self.done.append(result)

    def finish(self) -> list[R]:
        """What was done. Raises SweepStuckError where an item failed."""
        if self._first is not None:
            raise SweepStuckError(self.done, self.stuck) from self._first
        return self.done
