"""What is unclean about a value: what was written, what is proposed, and who has to say so."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from contracts.reason import Reason


class Kind(StrEnum):
    """MEND: one value is proposed, a person accepts it. ASK: a person gives the value, or chooses.
    NOTE: nothing has to be done.
    """

    MEND = "mend"
    ASK = "ask"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """About one field of one row; `code` is the reason's, one word for one kind of dirt."""

    field: str
    kind: Kind
    code: str
    written: str
    proposed: str = ""
    choices: tuple[str, ...] = ()
    params: dict[str, str | int | float] = dataclasses.field(default_factory=dict)

    @property
    def reason(self) -> Reason:
        values = {"written": self.written, "proposed": self.proposed, **self.params}
        return Reason(f"dirt_{self.code}", values)


@dataclass(frozen=True, slots=True)
class Checked:
    """A value as it may be kept, or None where a person must say first."""

    value: str | None
    findings: tuple[Finding, ...] = ()


def clean(value: str) -> Checked:
    """Nothing to say about it."""
    return Checked(value)


def mend(name: str, code: str, written: str, proposed: str) -> Checked:
    """One value is meant, and a person accepts it."""
    return Checked(None, (Finding(name, Kind.MEND, code, written, proposed),))


def ask(
    name: str,
    code: str,
    written: str,
    choices: tuple[str, ...] = (),
    **params: str | int,
) -> Checked:
    """Nobody can tell what is meant."""
    found = Finding(name, Kind.ASK, code, written, choices=choices, params=dict(params))
    return Checked(None, (found,))


def note(name: str, code: str, written: str, **params: str | int) -> Finding:
    """Worth knowing."""
    return Finding(name, Kind.NOTE, code, written, params=dict(params))
