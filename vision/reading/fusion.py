"""Weigh everything seen on one carton against everything announced.

For each announced line: the log odds of its GTIN, batch and expiry over all text (several places
of one value add up, as print and human-readable line do), plus what decoded symbols say. The best
line is then looked at character by character, because a carton that is *not* on the list usually
differs from one that is by a single character: `confidence.facts_of` carries that doubt on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.reading.align import AlignSettings, Stream
from vision.reading.captions import CaptionMatcher, Role
from vision.reading.ctc import Charset
from vision.reading.expected import ExpectedIndex, ValueSet
from vision.reading.symbols import Elements
from vision.reading.trace import Support, place, support

Fits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FusionSettings:
    """Log odds. `symbol_agrees` is what a decoded symbol adds for a field, `symbol_differs` what
    it takes away. `places`: how many places of one value count; `second_place`: the share of the
    best place's odds that another must have to be looked at by character. `counted`: taken from a
    line of which everything announced has already arrived.
    """

    align: AlignSettings = AlignSettings()  # noqa: RUF009 -- frozen, shared on purpose
    symbol_agrees: float = 12.0
    symbol_differs: float = 8.0
    production: float = 30.0
    most_caption: float = 3.0
    places: int = 3
    second_place: float = 0.6
    counted: float = 2.0


@dataclass(frozen=True, slots=True)
class FieldSupport:
    """How the best line's value of one field stands. `printed`: it was found at all."""

    evidence: float
    support: Support
    from_symbol: bool
    against_symbol: bool

    @property
    def printed(self) -> bool:
        # Half of the characters are found anywhere among the digits of a label.
        return self.from_symbol or self.support.share_sure > 0.5  # noqa: PLR2004 -- half

    @property
    def worst(self) -> float:
        return -8.0 if self.from_symbol else self.support.worst

    @property
    def edit(self) -> float:
        """Log odds that one character of the value is another one."""
        return -10.0 if self.from_symbol else self.support.edit


@dataclass(frozen=True, slots=True)
class Fused:
    """`ranking`: lines (indices into the list) best first, with their log odds; lines that
    announce the same goods count once. `fields`: support of the best line by field name.
    """

    ranking: tuple[tuple[int, float], ...]
    fields: Mapping[str, FieldSupport]

    @property
    def best(self) -> int:
        return self.ranking[0][0]

    @property
    def margin(self) -> float:
        return self.ranking[0][1] - self.ranking[1][1] if len(self.ranking) > 1 else 20.0


def fuse(
    stream: Stream,
    captions: CaptionMatcher,
    symbols: Sequence[Elements],
    index: ExpectedIndex,
    charset: Charset,
    settings: FusionSettings,
    *,
    frames: int = 1,
    complete: NDArray[np.bool_] | None = None,
) -> Fused:
    """Rank the announced lines for one carton. `index` must hold at least one line.

    `frames` is the number of pictures that the stream's lines come from: they show the same print,
    so their evidence adds up with the root of their number only. `complete` (lines,) marks lines
    of which everything has arrived.
    """
    share = 1 / np.sqrt(frames)
    places = settings.places * frames
    weights = captions.weigh(stream)
    lean = np.maximum(weights[Role.EXPIRY], 0) - np.maximum(weights[Role.PRODUCTION], 0)
    lean = np.clip(lean, -settings.production, settings.most_caption)
    # A plain production caption: whatever date stands there is not the expiry.
    lean[(weights[Role.PRODUCTION] > 6.0) & (lean < -2.0)] = -settings.production  # noqa: PLR2004 -- log odds: surely a production caption, surely no expiry
    fits = {
        "gtin": index.gtins.fit(stream, settings.align),
        "batch": index.batches.fit(stream, settings.align),
        "expiry": index.dates.fit(stream, settings.align) + lean,
    }
    sets = {"gtin": index.gtins, "batch": index.batches, "expiry": index.dates}
    of_line = {"gtin": index.gtin, "batch": index.batch, "expiry": index.expiry}
    said = {name: _said(symbols, name) for name in sets}
    chance = float(np.log(stream.places + 1))
    evidence = {name: share * _evidence(fits[name], chance, places) for name in sets}
    total = np.zeros(len(index.lines), dtype=np.float64)
    if complete is not None:
        total -= settings.counted * complete
    for name, values in sets.items():
        bonus = _symbol_bonus(values, said[name], settings)
        total += (evidence[name] + bonus)[of_line[name]]
    ranking = _ranking(total, index)
    best = ranking[0][0]
    fields = {}
    for name, values in sets.items():
        at = int(of_line[name][best])
        fields[name] = FieldSupport(
            float(evidence[name][at]),
            _support(
                values,
                at,
                fits[name][at],
                stream,
                charset,
                settings,
                chance,
                most=places,
                share=share,
            ),
            said[name] == {values.values[at]},
            bool(said[name] - {values.values[at]}),
        )
    return Fused(ranking, fields)


def _said(symbols: Sequence[Elements], name: str) -> frozenset[str]:
    values = (getattr(each, name) for each in symbols)
    return frozenset(str(value) for value in values if value is not None)


def _evidence(fits: Fits, chance: float, places: int) -> NDArray[np.float64]:
    """Log odds (values,): soft-thresholded at what chance finds among so many places."""
    each = np.logaddexp(0.0, fits.astype(np.float64) - chance)
    if each.shape[1] > places:
        each = np.partition(each, -places, axis=1)[:, -places:]
    return np.asarray(each.sum(axis=1), dtype=np.float64)


def _symbol_bonus(
    values: ValueSet, said: frozenset[str], settings: FusionSettings
) -> NDArray[np.float64]:
    if not said:
        return np.zeros(len(values.values))
    agrees = np.array([value in said for value in values.values], dtype=bool)
    return np.where(agrees, settings.symbol_agrees, -settings.symbol_differs)


def _ranking(total: NDArray[np.float64], index: ExpectedIndex) -> tuple[tuple[int, float], ...]:
    most = 8
    ranked: list[tuple[int, float]] = []
    goods: set[tuple[int, int, int]] = set()
    for i in np.argsort(-total, kind="stable"):
        same = (int(index.gtin[i]), int(index.batch[i]), int(index.expiry[i]))
        if same not in goods:
            goods.add(same)
            ranked.append((int(i), float(total[i])))
        if len(ranked) == most:
            break
    return tuple(ranked)


def _support(
    values: ValueSet,
    at: int,
    fits: NDArray[np.float32],
    stream: Stream,
    charset: Charset,
    settings: FusionSettings,
    chance: float,
    *,
    most: int,
    share: float,
) -> Support:
    """Support of a value over the lines where one of its forms fits better than by chance."""
    lines = [int(k) for k in np.argsort(-fits)[:most] if fits[k] > chance]
    forms = [values.forms[k] for k in np.flatnonzero(values.form_of == at)]
    placed = []
    for line in lines:
        tried = [place(form, stream, line, charset, settings.align) for form in forms]
        placed.append(max(tried, key=lambda each: each.score))
    best = max((each.score for each in placed), default=0.0)
    # A weak second place is another number that looks a little alike, not a second print.
    placed = [each for each in placed if each.score >= settings.second_place * best]
    return support(values.normal[at], placed, stream, charset, share=share)
