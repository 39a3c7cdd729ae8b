"""What the hub knows of its boxes: where they stand, what they say, whether they are heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.ota import BoxReport
from ota.gates.evidence import Counts
from ota.gates.gate import Signal

BoxCounts = Mapping[Signal, Counts]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box stands. `cell` is the line or dock whose boxes see the same batches at the same
    time: nobody there runs a set before everybody there holds it. Empty: the whole site is one.
    """

    device: str
    cell: str = ""
    site: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    """Such as `hardware`: what chance draws from in proportion."""

    def label(self, name: str) -> str:
        match name:
            case "cell":
                return self.cell
            case "site":
                return self.site
            case _:
                return self.labels.get(name, "")


@dataclass(frozen=True, slots=True)
class Heard:
    """A box as it is now. `live`: heard lately and let in. `current`: its report is about the
    newest assignment that was made out to it; troubles of earlier ones are history. `admitted`:
    False for a box that was shut out; it comes in no wave, and back as one that came late.
    """

    box: Box
    report: BoxReport | None = None
    live: bool = False
    current: bool = False
    admitted: bool = True

    @property
    def known(self) -> bool:
        """Whether a plan may reckon with it."""
        return self.admitted and self.report is not None


Fleet = Mapping[str, Heard]
"""By device."""
