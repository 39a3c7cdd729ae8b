"""What was announced, laid out for matching: distinct values once, lines as indices into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.asn import AsnLine
from vision.reading.align import AlignSettings, Stream, Trie, fit
from vision.reading.ctc import Charset
from vision.reading.dates import Written, written_forms


@dataclass(frozen=True, slots=True)
class ValueSet:
    """Distinct values of one field with their written forms. `form_of` (forms,) says to which
    value each form belongs; `normal` is what the forms' slots point into.
    """

    values: tuple[str, ...]
    normal: tuple[str, ...]
    forms: tuple[Written, ...]
    form_of: NDArray[np.intp]
    trie: Trie

    @classmethod
    def build(
        cls,
        values: Sequence[str],
        normal: Sequence[str],
        forms: Sequence[Sequence[Written]],
        charset: Charset,
    ) -> ValueSet:
        flat = tuple(form for of_value in forms for form in of_value)
        owner = [i for i, of_value in enumerate(forms) for _ in of_value]
        trie = Trie.build([form.text for form in flat], charset)
        return cls(tuple(values), tuple(normal), flat, np.array(owner, dtype=np.intp), trie)

    def fit(self, stream: Stream, settings: AlignSettings) -> NDArray[np.float32]:
        """Log odds (values, lines) of the best form of each value in each line."""
        best = np.full((len(self.values), len(stream.starts)), -np.inf, dtype=np.float32)
        np.maximum.at(best, self.form_of, fit(self.trie, stream, settings))
        return best


@dataclass(frozen=True, slots=True)
class ExpectedIndex:
    """`gtin`, `batch`, `expiry` (lines,) point into the value sets of those names."""

    lines: tuple[AsnLine, ...]
    gtins: ValueSet
    batches: ValueSet
    dates: ValueSet
    gtin: NDArray[np.intp]
    batch: NDArray[np.intp]
    expiry: NDArray[np.intp]

    @classmethod
    def build(cls, lines: Sequence[AsnLine], charset: Charset) -> ExpectedIndex:
        """Lay out `lines` (none to many thousands); built once for a list and used again."""
        gtins = sorted({each.gtin for each in lines})
        batches = sorted({each.batch for each in lines})
        dates = sorted({each.expiry for each in lines})
        at_gtin = {value: i for i, value in enumerate(gtins)}
        at_batch = {value: i for i, value in enumerate(batches)}
        at_date = {value: i for i, value in enumerate(dates)}
        return cls(
            tuple(lines),
            ValueSet.build(gtins, gtins, [gtin_forms(value) for value in gtins], charset),
            ValueSet.build(batches, batches, [(as_is(value),) for value in batches], charset),
            ValueSet.build(
                [value.isoformat() for value in dates],
                [f"{value:%Y%m%d}" for value in dates],
                [tuple(written_forms(value)) for value in dates],
                charset,
            ),
            np.array([at_gtin[each.gtin] for each in lines], dtype=np.intp),
            np.array([at_batch[each.batch] for each in lines], dtype=np.intp),
            np.array([at_date[each.expiry] for each in lines], dtype=np.intp),
        )


def as_is(value: str) -> Written:
    return Written(value, tuple(range(len(value))))


def gtin_forms(gtin: str) -> tuple[Written, ...]:
    """As 14 digits, and without the leading zero as EAN-13 prints it."""
    whole = as_is(gtin)
    return (whole, Written(gtin[1:], whole.slots[1:])) if gtin.startswith("0") else (whole,)
