"""A person looks through doubtful lines: what is said holds, is undone whole, and goes with its carton."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.learning.cutting import png
from appliance.learning.dataset import Dataset
from appliance.learning.erasure import Erasure
from appliance.learning.example import Example, Glyph, KeptLine, Truth, decode_example, us_of
from appliance.learning.labels.book import LabelBook
from appliance.learning.labels.desk import LabelDesk, label_book
from appliance.learning.labels.records import (
    Answer,
    LineId,
    Said,
    check_answer,
    doubt_of,
)
from appliance.learning.labels.teaching import corrected
from appliance.learning.lines import teaching_lines
from appliance.learning.locate import locate
from appliance.learning.retention import Limits
from contracts.clock import FixedClock
from contracts.errors import BadInputError, NotFoundError
from tests.appliance.learning.cartons import NOW, example, line

GTIN = "09521100410014"


def carton(number: int, *, read: str = "", sure: float = 0.99) -> Example:
    """A carton whose batch stands in one kept line; `read` is what the reader made of it."""
    truth = Truth(GTIN, f"B{1000 + number}", "2027-12-03")
    text = read or truth.batch
    glyphs = tuple(Glyph((n + 0.5) / len(text), ((letter, sure),)) for n, letter in enumerate(text))
    kept = KeptLine(replace(line(text), glyphs=glyphs), ("batch",), png(crop(truth.batch)))
    return replace(example(f"c-{number}", truth=truth, at=NOW), lines=(kept,))


def crop(text: str) -> np.ndarray:
    picture = np.full((64, 24 * len(text), 3), 230, np.uint8)
    cv2.putText(picture, text, (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (10, 10, 10), 3)
    return picture


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "learning", Limits(1 << 30, 90))


@pytest.fixture
def book(dataset: Dataset) -> Iterator[LabelBook]:
    book = label_book(dataset.folder)
    yield book
    book.close()


@pytest.fixture
def desk(dataset: Dataset, book: LabelBook) -> LabelDesk:
    return LabelDesk(dataset, book, clock=FixedClock(NOW))


def take_in(dataset: Dataset, desk: LabelDesk, *cartons: Example) -> None:
    for each in cartons:
        dataset.add(each, now_us=us_of(NOW))
    desk.look()


def say(desk: LabelDesk, said: Said, *keys: LineId, text: str = "", by: str = "mara") -> None:
    desk.answer([Answer(key, said, text, by) for key in keys])


def test_only_doubtful_lines_wait_and_the_most_doubtful_comes_first(dataset, desk):
    take_in(
        dataset, desk, carton(1), carton(2, sure=0.7), carton(3, read="B1O03"), carton(4, sure=0.8)
    )
    waiting = desk.waiting(most=10)
    assert [each.text for each in waiting] == ["B1003", "B1002", "B1004"]
    assert waiting[0].read == "B1O03"
    assert desk.counts().waiting == 3
    assert desk.waiting(most=10, field="expiry") == []
    assert desk.counts(field="batch").waiting == 3


def test_what_is_said_holds_and_leaves_the_queue(dataset, desk):
    take_in(dataset, desk, carton(1, sure=0.5), carton(2, sure=0.6), carton(3, sure=0.7))
    one, two, three = (each.key for each in desk.waiting(most=10))
    say(desk, Said.RIGHT, one)
    say(desk, Said.UNREADABLE, two)
    say(desk, Said.TEXT, three, text="  B 1003 ")
    assert desk.waiting(most=10) == []
    assert desk.counts().answered == {"right": 1, "text": 1, "unreadable": 1}
    say(desk, Said.TEXT, one, text="B1007", by="jo")
    newest = {each.key: each.answer for each in desk.answered(most=10)}
    assert (newest[one].text, newest[one].by) == ("B1007", "jo")
    assert newest[three].text == "B 1003"


def test_undo_takes_back_ones_own_newest_deed_whole(dataset, desk):
    take_in(dataset, desk, *(carton(n, sure=0.5) for n in range(5)))
    keys = [each.key for each in desk.waiting(most=10)]
    say(desk, Said.RIGHT, keys[0], by="jo")
    say(desk, Said.RIGHT, *keys[1:4])
    assert [each.key for each in desk.undo("mara")] == keys[1:4]
    assert {each.key for each in desk.waiting(most=10)} == {*keys[1:]}
    assert desk.undo("mara") == []
    assert desk.counts().answered == {"right": 1}, "jo's answer is jo's"
    say(desk, Said.UNREADABLE, keys[0], by="jo")
    desk.undo("jo")
    (answered,) = desk.answered(most=10)
    assert answered.answer.said is Said.RIGHT, "what was said before holds again"


def test_a_deed_with_one_line_that_is_gone_is_not_half_done(dataset, desk):
    take_in(dataset, desk, carton(1, sure=0.5))
    (known,) = (each.key for each in desk.waiting(most=10))
    with pytest.raises(NotFoundError):
        say(desk, Said.RIGHT, known, LineId("f" * 64, 0, 0))
    assert desk.counts().answered == {}
    with pytest.raises(NotFoundError):
        desk.picture(LineId("f" * 64, 0, 0))


def test_an_erased_carton_takes_its_lines_and_answers_along(dataset, desk, book, tmp_path):
    take_in(dataset, desk, carton(1, sure=0.5), carton(2, sure=0.5))
    first = next(each for each in desk.waiting(most=10) if each.text == "B1001")
    say(desk, Said.TEXT, first.key, text="TYPED-SECRET")
    name = next(name for name in dataset.names() if name.sha256 == first.key.example)
    dataset.erase(Erasure(carton=name.carton))
    desk.look()
    assert book.answers() == {}
    assert [each.text for each in desk.waiting(most=10)] == ["B1002"]
    book.close()
    left = b"".join(file.read_bytes() for file in dataset.folder.glob("labels.db*"))
    assert b"TYPED-SECRET" not in left


def test_a_long_queue_is_looked_at_bit_by_bit(dataset, desk):
    for number in range(30):
        dataset.add(carton(number, sure=0.5), now_us=us_of(NOW))
    assert desk.look(20).left == 10
    assert desk.counts().waiting == 20
    assert desk.look(20).left == 0
    assert desk.look(20).left == 0
    assert desk.counts().waiting == 30


def test_answers_outlive_the_process(dataset, desk, book):
    take_in(dataset, desk, carton(1, sure=0.5))
    (key,) = (each.key for each in desk.waiting(most=10))
    say(desk, Said.RIGHT, key)
    book.close()
    again = label_book(dataset.folder)
    assert again.answers()[key] == Answer(key, Said.RIGHT, "", "mara", us_of(NOW))
    again.close()


def test_the_picture_shows_the_value(dataset, desk):
    take_in(dataset, desk, carton(1, sure=0.5))
    (key,) = (each.key for each in desk.waiting(most=10))
    shown = cv2.imdecode(np.frombuffer(desk.picture(key), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[0] == 96
    assert shown.min() < 60 < shown.max()


def test_the_recipe_learns_what_people_saw(dataset, desk, book):
    """Confirmed and typed characters can all be seen; what nobody can read teaches nothing."""
    take_in(dataset, desk, *(carton(n, read="B101", sure=0.5) for n in (11, 12, 13, 14)))
    by_text = {each.text: each.key for each in desk.waiting(most=10)}
    say(desk, Said.RIGHT, by_text["B1011"])
    say(desk, Said.TEXT, by_text["B1012"], text="B10▯2")
    say(desk, Said.UNREADABLE, by_text["B1013"])
    answers, taught = book.answers(), {}
    for name in dataset.names():
        found = decode_example(dataset.read(name))
        before = list(teaching_lines(found))
        after = list(corrected(before, name.sha256, answers))
        taught[before[0].text] = [(each.text, each.seen) for each in after]
    assert taught["B1011"] == [("B1011", (True,) * 5)]
    assert taught["B1012"] == [("B10▯2", (True, True, True, False, True))]
    assert taught["B1013"] == []
    assert not all(taught["B1014"][0][1]), "nobody looked at it: as the reader saw it"


@pytest.mark.parametrize("text", ["", "   ", "x" * 65, "a\0b"])
def test_a_correction_that_says_nothing_is_refused(text):
    with pytest.raises(BadInputError):
        check_answer(Answer(LineId("a" * 64, 0, 0), Said.TEXT, text))


@pytest.mark.parametrize("text", ["", "a.0.0", "a" * 64, f"{'a' * 64}.0.0.0", f"{'g' * 64}.0.0"])
def test_what_names_no_line_is_refused(text):
    with pytest.raises(BadInputError):
        LineId.parse(text)


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_a_lines_name_is_read_back(index: int, start: int):
    key = LineId("0123456789abcdef" * 4, index, start)
    assert LineId.parse(str(key)) == key


@given(st.floats(0.01, 1.0))
def test_doubt_lies_between_none_and_all_and_grows_as_the_reader_is_less_sure(sure: float):
    found = carton(7, sure=sure)
    seen = found.lines[0].line
    (place,) = locate(found.truth, seen)
    assert doubt_of(seen, place) == pytest.approx(1.0 - sure, abs=1e-3)
