"""Two looks, several pictures, lines that are complete, and why a carton could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.asn import ExpectedLine
from contracts.reading import LabelFields, ReadDecision
from contracts.reason import Reason
from tests.vision.reading.readings import CHARSET, glyphs, line
from vision.reading.align import AlignSettings, Matcher
from vision.reading.calibrate import BEST, OFF_LIST, OTHER, fit_answers
from vision.reading.captions import CaptionMatcher
from vision.reading.confidence import Answers, Logistic, facts_of
from vision.reading.ctc import Charset, greedy
from vision.reading.decide import Confidence, Outcome, Thresholds, with_cause
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import Fused, FusionSettings, fuse
from vision.reading.reader import LabelReader
from vision.reading.recogniser import ReadLine
from vision.reading.symbols import Elements

MILK = "08804045943238"
LIST = (
    line(1, MILK, "2428-674", "2028-12-03"),
    line(2, MILK, "2428-677", "2028-12-06"),
    line(3, "06938967753711", "A98B61", "2029-09-19"),
)
WHOLE = ("GTIN 08804045943238", "LOT 2428-674", "EXP 2028-12-03")
TORN = ("GTIN 0880~~~5943238", "LOT 2428-67~", "EXP 2028-12-0~")
FRAME = np.full((48, 64, 3), 200, dtype=np.uint8)
ALIGN = AlignSettings()
SETTINGS = FusionSettings(align=ALIGN)
CAPTIONS = CaptionMatcher.build(CHARSET, ALIGN)
SURE = Confidence(
    Answers(Logistic(2.0, {"margin": -3.0, "batch_edit": 6.0}), Logistic(0.0, {"margin": -6.0})),
    Logistic(-2.0, {"least": 3.0, "symbols": 3.0}),
    Thresholds(accept=0.9, off_list=1.0, plain=0.93, sure_share=0.7),
)


def read_lines(texts: Sequence[str]) -> tuple[ReadLine, ...]:
    rows = []
    for i, text in enumerate(texts):
        box = np.array([32.0, 8.0 + 14 * i, 60.0, 10.0, 0.0])
        seen = glyphs(text)
        rows.append(ReadLine(box, seen, *greedy(seen, CHARSET)))
    return tuple(rows)


class Prints:
    """Reads what it was told stands there; counts how often it was asked again."""

    variant = "test"

    def __init__(self, first: Sequence[str], second: Sequence[str] = ()) -> None:
        self.first, self.second, self.asked = first, second, 0

    def lines(self, frame: NDArray[np.uint8]) -> tuple[ReadLine, ...]:
        return read_lines(self.first)

    def again(
        self,
        frame: NDArray[np.uint8],
        lines: Sequence[ReadLine],
    ) -> tuple[ReadLine, ...]:
        self.asked += 1
        return read_lines(self.second)


def reader(prints: Prints, again: Confidence = SURE) -> LabelReader:
    matcher = Matcher(CHARSET, ALIGN)
    return LabelReader("sha256:test", prints, matcher, CAPTIONS, SETTINGS, SURE, again)


def weigh(
    texts: Sequence[str],
    *,
    frames: int = 1,
    complete: NDArray[np.bool_] | None = None,
    symbols: Sequence[Elements] = (),
) -> Fused:
    stream = Matcher(CHARSET, ALIGN).stream([glyphs(text) for text in texts])
    index = ExpectedIndex.build([each.line for each in LIST], CHARSET)
    return fuse(
        stream, CAPTIONS, symbols, index, CHARSET, SETTINGS, frames=frames, complete=complete
    )


def test_a_plain_label_is_looked_at_once() -> None:
    prints = Prints(WHOLE, WHOLE)
    reading = reader(prints).read([FRAME], LIST, name="plain")
    assert reading.decision is ReadDecision.ACCEPT
    assert prints.asked == 0


def test_a_doubtful_label_is_looked_at_again_and_then_accepted() -> None:
    prints = Prints(TORN, WHOLE)
    reading = reader(prints).read([FRAME], LIST, name="torn")
    assert prints.asked == 1
    assert reading.decision is ReadDecision.ACCEPT
    assert reading.asn_line == 1


def test_a_second_look_that_sees_no_more_stays_a_review() -> None:
    prints = Prints(TORN, TORN)
    reading = reader(prints).read([FRAME], LIST, name="torn")
    assert prints.asked == 1
    assert reading.decision is ReadDecision.REVIEW


def test_the_second_look_has_its_own_calibration() -> None:
    never = replace(SURE, listed=Answers(Logistic(9.0, {}), Logistic(0.0, {})))
    plain = reader(Prints(WHOLE, WHOLE), never).read([FRAME], LIST, name="plain")
    torn = reader(Prints(TORN, WHOLE), never).read([FRAME], LIST, name="torn")
    assert plain.decision is ReadDecision.ACCEPT
    assert torn.decision is ReadDecision.REVIEW


def test_a_blank_carton_is_not_looked_at_again() -> None:
    prints = Prints(())
    reading = reader(prints).read([FRAME], LIST, name="blank")
    assert prints.asked == 0
    assert {reason.code for reason in reading.reasons} == {"no_label"}


def test_a_picture_shown_twice_proves_less_than_twice_as_much() -> None:
    once, twice = weigh(WHOLE), weigh((*WHOLE, *WHOLE), frames=2)
    assert once.margin < twice.margin < 2 * once.margin


def test_what_one_picture_hides_another_shows() -> None:
    hidden = ("GTIN 08804045943238", "LOT 2428-67~", "EXP 2028-12-0~")
    other = ("GTIN 088040459~~238", "LOT ~~28-677", "EXP 2028-12-06")
    fused = weigh((*hidden, *other), frames=2)
    assert fused.best == 1
    assert fused.margin > weigh(hidden).margin


def test_a_line_of_which_all_has_arrived_is_less_likely() -> None:
    hidden = ("GTIN 08804045943238", "LOT 2428-67~", "EXP 2028-12-0~")
    arrived = np.array([True, False, False])
    assert weigh(hidden, complete=arrived).best == 1
    assert weigh(WHOLE, complete=arrived).best == 0


def test_complete_lines_reach_the_weighing() -> None:
    hidden = Prints(("GTIN 08804045943238", "LOT 2428-67~", "EXP 2028-12-0~"))
    first = ExpectedLine(LIST[0].line, counted=LIST[0].line.quantity)
    own = reader(hidden)
    weighed = own.weigh([own.see(FRAME)], (first, *LIST[1:]))
    assert weighed.fused is not None
    assert weighed.fused.best == 1


def outcome(decision: ReadDecision, *codes: str) -> Outcome:
    return Outcome(LabelFields(), 1, 0.5, decision, tuple(Reason(code) for code in codes), ())


@pytest.mark.parametrize("cause", ["blurred", "glare", "damaged"])
def test_a_review_says_its_cause_and_an_accept_does_not(cause: str) -> None:
    review = with_cause(outcome(ReadDecision.REVIEW, "low_confidence"), cause)
    assert [reason.code for reason in review.reasons] == ["low_confidence", cause]
    accepted = outcome(ReadDecision.ACCEPT)
    assert with_cause(accepted, cause) == accepted


def test_two_labels_are_never_accepted() -> None:
    found = with_cause(outcome(ReadDecision.ACCEPT), "two_labels")
    assert found.decision is ReadDecision.REVIEW
    assert [reason.code for reason in found.reasons] == ["two_labels"]


def test_off_the_list_needs_no_other_cause() -> None:
    found = outcome(ReadDecision.REVIEW, "off_list")
    assert with_cause(found, "damaged") == found


def test_another_networks_letters_become_ours() -> None:
    ours, theirs = Charset(("A", "B", ":")), Charset(("a", "A", "：", "é"))
    steps = np.array([[0.1, 0.4, 0.3, 0.15, 0.05]], dtype=np.float32)
    assert (steps @ ours.fold_of(theirs))[0].tolist() == pytest.approx([0.1, 0.7, 0.0, 0.15])


def test_three_answers_are_learnt_and_share_one_probability() -> None:
    rng = np.random.default_rng(4)
    facts, answers = [], []
    for _ in range(600):
        margin, edit = rng.uniform(0, 1), rng.uniform(-1, 1)
        odds = np.array([0.0, 4 * edit, 2 - 6 * margin])
        share = np.exp(odds) / np.exp(odds).sum()
        facts.append({"margin": margin, "edit": edit})
        answers.append(int(rng.choice([BEST, OFF_LIST, OTHER], p=share)))
    model = fit_answers(facts, answers, ridge=0.1)
    clear = model.shares({"margin": 1.0, "edit": -1.0})
    assert clear.best + clear.off_list + clear.other == pytest.approx(1.0)
    assert clear.best == pytest.approx(1 / (1 + np.exp(-4) + np.exp(-4)), abs=0.03)
    assert model.shares({"margin": 1.0, "edit": 1.0}).off_list > 0.9
    assert model.shares({"margin": 0.0, "edit": -1.0}).other > 0.7


def test_an_edit_is_likely_where_a_character_reads_as_another() -> None:
    facts = [
        facts_of(weigh(("GTIN 08804045943238", f"LOT {batch}", "EXP 2028-12-03")))
        for batch in ("2428-674", "2428-67~", "2428-675")
    ]
    as_listed, hidden, another = (each["batch_edit"] for each in facts)
    assert as_listed < hidden < another


def test_a_symbol_leaves_no_doubt_about_single_characters() -> None:
    seen = Elements(MILK, "2428-674", date(2028, 12, 3))
    assert facts_of(weigh(TORN, symbols=(seen,)))["batch_edit"] < -1
