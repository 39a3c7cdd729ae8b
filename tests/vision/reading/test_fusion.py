"""Cartons against a list: the neighbour, the stranger, the empty list."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.asn import ExpectedLine
from contracts.reading import ReadDecision
from tests.vision.reading.readings import CHARSET, glyphs, line
from vision.reading.align import AlignSettings, Matcher
from vision.reading.captions import CaptionMatcher
from vision.reading.confidence import Answers, Logistic, facts_of
from vision.reading.ctc import characters
from vision.reading.decide import Confidence, Outcome, Thresholds, decide_listed, decide_plain
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import Fused, FusionSettings, fuse
from vision.reading.plain import PlainLine, read_plainly
from vision.reading.symbols import Elements

SETTINGS = FusionSettings()
CAPTIONS = CaptionMatcher.build(CHARSET, AlignSettings())
SURE = Confidence(
    Answers(
        Logistic(2.0, {"margin": -3.0, "batch_edit": 6.0}),
        Logistic(0.0, {"margin": -6.0}),
    ),
    Logistic(-2.0, {"least": 3.0, "symbols": 3.0}),
    Thresholds(accept=0.9, off_list=1.0, plain=0.93, sure_share=0.7),
)
MILK, TEA = "08804045943238", "06938967753711"
LIST = (
    line(1, MILK, "2428-674", "2028-12-03"),
    line(2, MILK, "2428-677", "2028-12-06"),
    line(3, TEA, "A98B61", "2029-09-19"),
)


def weigh(
    texts: tuple[str, ...],
    *symbols: Elements,
    lines: tuple[ExpectedLine, ...] = LIST,
    sure: float = 0.97,
) -> Fused:
    seen = [glyphs(text, sure=sure) for text in texts]
    stream = Matcher(CHARSET, SETTINGS.align).stream(seen)
    index = ExpectedIndex.build([each.line for each in lines], CHARSET)
    return fuse(stream, CAPTIONS, symbols, index, CHARSET, SETTINGS)


def judge(
    texts: tuple[str, ...],
    *symbols: Elements,
    lines: tuple[ExpectedLine, ...] = LIST,
    sure: float = 0.97,
) -> Outcome:
    seen = [characters(glyphs(text, sure=sure), CHARSET) for text in texts]
    plain = read_plainly([PlainLine(text, 0.9, tuple(each)) for text, each in seen], symbols)
    if not lines:
        return decide_plain(plain, SURE, anything=bool(texts or symbols))
    fused = weigh(texts, *symbols, lines=lines, sure=sure)
    index = ExpectedIndex.build([each.line for each in lines], CHARSET)
    return decide_listed(fused, plain, index, SURE, anything=bool(texts or symbols))


def codes(outcome: Outcome) -> set[str]:
    return {reason.code for reason in outcome.reasons}


WHOLE = ("GTIN 08804045943238", "LOT 2428-674", "EXP 2028-12-03")


def test_a_clean_label_on_the_list_is_accepted() -> None:
    outcome = judge(WHOLE)
    assert outcome.decision is ReadDecision.ACCEPT
    assert outcome.asn_line == 1
    assert outcome.fields.batch is not None
    assert outcome.fields.batch.source == "text"


def test_a_damaged_label_is_completed_from_the_list() -> None:
    outcome = judge(("GTIN 088~~045~~3238", "LOT ~428-674", "EXP 2028-~2-03"))
    assert outcome.asn_line == 1
    assert outcome.fields.gtin is not None
    assert (outcome.fields.gtin.value, outcome.fields.gtin.source) == (MILK, "asn")


def test_a_neighbour_that_differs_by_one_character_is_not_on_the_list() -> None:
    outcome = judge(("GTIN 08804045943238", "LOT 2428-675", "EXP 2028-12-05"))
    assert outcome.decision is ReadDecision.REVIEW
    assert outcome.asn_line is None
    assert "off_list" in codes(outcome)
    assert outcome.fields.batch is not None
    assert outcome.fields.batch.value == "2428-675"
    assert outcome.candidates[0].asn_line is None
    assert len(outcome.candidates) == 3


def test_where_the_telling_character_is_destroyed_the_confidence_falls() -> None:
    whole, hidden = weigh(WHOLE), weigh(("GTIN 08804045943238", "LOT 2428-67~", "EXP 2028-12-0~"))
    assert SURE.listed.shares(facts_of(whole)).best > 0.9
    assert SURE.listed.shares(facts_of(hidden)).best < 0.9
    assert hidden.margin < 1.0


def test_the_production_date_is_not_taken_for_the_expiry() -> None:
    lines = (line(1, MILK, "L100001", "2028-01-05"), line(2, MILK, "L100009", "2027-01-05"))
    fused = weigh(("LOT L10000~", "MFG 2027-01-05", "EXP 2028-01-05"), lines=lines)
    assert fused.best == 0


def test_a_decoded_symbol_settles_what_the_print_leaves_open() -> None:
    symbol = Elements(MILK, "2428-677", date(2028, 12, 6))
    outcome = judge(("LOT 2428-67~",), symbol)
    assert outcome.asn_line == 2
    assert outcome.fields.batch is not None
    assert outcome.fields.batch.source == "symbol"


def test_a_symbol_that_contradicts_the_print_goes_to_a_person() -> None:
    outcome = judge(WHOLE, Elements(TEA, None, None))
    assert outcome.decision is ReadDecision.REVIEW
    assert codes(outcome) & {"field_conflict", "off_list"}


def test_an_expiry_that_nobody_can_read_is_never_accepted_on_the_lists_word() -> None:
    outcome = judge(("GTIN 08804045943238", "LOT 2428-674"))
    assert outcome.decision is ReadDecision.REVIEW
    assert "expiry_unreadable" in codes(outcome)
    assert outcome.asn_line == 1


def test_a_blank_carton_says_no_label() -> None:
    assert codes(judge(())) == {"no_label"}
    assert codes(judge((), lines=())) == {"no_label"}


def test_one_announced_line_is_not_proof() -> None:
    outcome = judge(("LOT X77Z99", "EXP 2031-01-01"), lines=LIST[:1])
    assert outcome.decision is ReadDecision.REVIEW


def test_without_a_list_grammar_and_check_digits_decide() -> None:
    outcome = judge(WHOLE, lines=())
    assert outcome.asn_line is None
    assert outcome.fields.gtin is not None
    assert outcome.fields.gtin.value == MILK
    wrong_check_digit = judge(("GTIN 08804045943239", *WHOLE[1:]), lines=())
    assert "gtin_unreadable" in codes(wrong_check_digit)


def test_without_a_list_a_whole_symbol_is_accepted() -> None:
    outcome = judge((), Elements(MILK, "2428-674", date(2028, 12, 3)), lines=())
    assert outcome.decision is ReadDecision.ACCEPT


@pytest.mark.parametrize("size", [2, 5000])
def test_lists_of_every_size_are_searched_whole(size: int) -> None:
    lines = tuple(
        line(i + 1, MILK, f"L{100000 + 7 * i}", f"2028-{1 + i % 12:02}-{1 + i % 28:02}")
        for i in range(size)
    )
    wanted = lines[size // 2].line
    fused = weigh((f"LOT {wanted.batch}", f"EXP {wanted.expiry}"), lines=lines)
    assert fused.best == size // 2


def test_lines_announced_twice_count_once_in_the_ranking() -> None:
    twice = (LIST[0], line(2, MILK, "2428-674", "2028-12-03"), LIST[2])
    assert len(weigh(WHOLE, lines=twice).ranking) == 2


def test_two_symbols_of_two_batches_go_to_a_person() -> None:
    one, other = (Elements(MILK, batch, None) for batch in ("2428-674", "2428-677"))
    for texts in ((), WHOLE):
        outcome = judge(texts, one, other)
        assert outcome.decision is ReadDecision.REVIEW
        assert "field_conflict" in codes(outcome)


def test_a_symbol_and_a_plain_print_that_differ_go_to_a_person() -> None:
    outcome = judge(
        ("GTIN 08804045943238", "LOT 2428-677", "EXP 2028-12-03"), Elements(MILK, "2428-674", None)
    )
    assert outcome.decision is ReadDecision.REVIEW
    assert "field_conflict" in codes(outcome)


@pytest.mark.parametrize("printed", ["2428-6741", "2428-674-2", "X2428-674", "2428-6774"])
def test_a_longer_batch_is_another_batch(printed: str) -> None:
    texts = ("GTIN 08804045943238", f"LOT {printed}", "EXP 2028-12-03")
    outcome = judge(texts, sure=0.995)
    assert outcome.decision is ReadDecision.REVIEW


def test_the_fifteenth_is_not_the_months_end() -> None:
    lines = (line(1, MILK, "2428-674", "2028-12-31"), LIST[2])
    outcome = judge(
        ("GTIN 08804045943238", "LOT 2428-674", "EXP 2028-12-15"), lines=lines, sure=0.995
    )
    assert outcome.decision is ReadDecision.REVIEW


def test_small_letters_of_a_list_are_compared_too() -> None:
    lines = (line(1, MILK, "a18b07", "2028-12-03"), LIST[2])
    same = judge(("GTIN 08804045943238", "LOT A18B07", "EXP 2028-12-03"), lines=lines, sure=0.995)
    assert same.decision is ReadDecision.ACCEPT
    other = judge(("GTIN 08804045943238", "LOT A18C07", "EXP 2028-12-03"), lines=lines, sure=0.995)
    assert other.decision is ReadDecision.REVIEW
