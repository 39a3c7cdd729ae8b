"""Which examples teach and which only judge: a hold-out that is frozen. Pure.

The split follows from the batch alone, so it is the same for ever and everywhere, a carton never
changes sides, and no batch teaches its text to a candidate that is judged on it. The ledger records
which examples judged, each line chained to the one before: it only grows, and its digest names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from appliance.learning.example import ExampleName, Truth
from contracts.errors import BadInputError

HOLD_OUT_SHARE = 0.25
_SALT = "tallyman hold-out 1"
_GENESIS = "0" * 64


def is_held_out(truth: Truth) -> bool:
    """True for about a quarter of all batches."""
    key = f"{_SALT}\n{truth.gtin}\n{truth.batch}".encode()
    part = int.from_bytes(hashlib.sha256(key).digest()[:8])
    return part < HOLD_OUT_SHARE * 2**64


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One example of the hold-out; `digest` covers the line before and this one."""

    device: str
    carton: str
    sha256: str
    at_us: int
    digest: str


@dataclass(frozen=True, slots=True)
class Ledger:
    lines: tuple[LedgerLine, ...] = ()

    @property
    def digest(self) -> str:
        return self.lines[-1].digest if self.lines else _GENESIS

    def with_more(self, names: Iterable[ExampleName]) -> Ledger:
        """Those of `names` that it does not know yet are added at its end, oldest first."""
        known = {line.sha256 for line in self.lines}
        lines, digest = list(self.lines), self.digest
        for name in sorted(set(names)):
            if name.sha256 not in known:
                digest = _chained(digest, name)
                lines.append(LedgerLine(name.device, name.carton, name.sha256, name.at_us, digest))
        return Ledger(tuple(lines))


def write_ledger(ledger: Ledger) -> bytes:
    """One JSON object a line."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in ledger.lines)


def read_ledger(data: bytes) -> Ledger:
    """Raises BadInputError for a ledger that was changed or cut in its middle."""
    lines: list[LedgerLine] = []
    digest = _GENESIS
    for number, row in enumerate(data.splitlines(), start=1):
        try:
            line = msgspec.json.decode(row, type=LedgerLine)
        except msgspec.MsgspecError as error:
            raise _broken(number) from error
        digest = _chained(digest, ExampleName(line.at_us, line.device, line.carton, line.sha256))
        if line.digest != digest:
            raise _broken(number)
        lines.append(line)
    return Ledger(tuple(lines))


def _chained(before: str, name: ExampleName) -> str:
    return hashlib.sha256(f"{before}\n{name}".encode()).hexdigest()


def _broken(number: int) -> BadInputError:
    return BadInputError(
        f"line {number} of the hold-out's ledger does not continue the one before",
        mend="Restore the ledger from backup; judging on another hold-out proves nothing",
    )
