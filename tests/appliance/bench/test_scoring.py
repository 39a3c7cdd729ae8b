"""The figures of a reading bench: what counts as right, as wrong, as an honest "unreadable"."""

import tomllib
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bench.reading.goals import held_to
from appliance.bench.reading.measure import Measured, Told
from appliance.bench.reading.peers import edits, tesseract_lines, with_list
from appliance.bench.reading.record import write_record
from appliance.bench.reading.scoring import lines_found, quality
from appliance.bench.statistics import calibration_error, reliability, upper_bound
from tests.vision.reading.readings import CHARSET, line
from vision.reading.expected import ExpectedIndex
from vision.reading.plain import PlainLine

RIGHT = Told(True, True, 0.99, (), (), ())
WRONG = Told(False, True, 0.97, ("batch",), (), ())
UNSURE = Told(True, False, 0.6, (), (), ("low_confidence",))
BLANK = Told(False, False, 0.1, (), ("batch", "expiry"), ("batch_unreadable",))


def frame(
    told: Told | None,
    *,
    plain: Told = BLANK,
    kind: str = "label",
    grade: int = 0,
    listed: bool = True,
) -> Measured:
    return Measured(
        "f.jpg",
        kind,
        grade,
        listed,
        ("gtin", "batch", "expiry"),
        told,
        told is not None and told.right,
        plain,
        10.0,
        9.0,
        {"see": 10.0},
        (3, 4),
    )


def test_a_wrong_accept_shows_at_its_damage_with_its_bound():
    frames = [frame(RIGHT, grade=0) for _ in range(59)]
    frames += [frame(WRONG, grade=40), frame(RIGHT, grade=40), frame(UNSURE, grade=40)]
    rows = {(row["kind"], row["damage"]): row for row in quality(frames)["with_list"]["misreads"]}
    sound, torn = rows["all", "0"], rows["all", "40"]
    assert (sound["accepted"], sound["wrong"]) == (59, 0)
    assert sound["wrong_upper_95_percent"] == pytest.approx(4.95, abs=0.01)
    assert (torn["frames"], torn["accepted"], torn["wrong"]) == (3, 2, 1)
    assert torn["accepted_percent"] == pytest.approx(66.67)
    assert torn["wrong_percent"] == 50.0


def test_forced_choice_counts_what_was_not_accepted_too():
    found = quality([frame(UNSURE), frame(RIGHT), frame(BLANK), frame(WRONG)])["with_list"]
    assert found["right_percent"]["all"] == 50.0
    assert found["accepted_percent"]["all"] == 50.0
    assert found["first_read_percent"]["on_list_label_damage_0"] == 25.0


def test_a_neighbour_off_the_list_must_not_be_accepted_even_if_its_print_was_read_right():
    frames = [frame(RIGHT, listed=False), *(frame(BLANK, listed=False) for _ in range(9))]
    off = quality(frames)["with_list"]["off_list"]
    assert (off["frames"], off["accepted"], off["accepted_percent"]) == (10, 1, 10.0)


def test_without_a_list_unreadable_is_honest_and_a_wrong_field_is_not():
    guessed = Told(False, False, 0.2, ("expiry",), ("batch",), ("batch_unreadable",))
    found = quality([frame(None, plain=each) for each in (RIGHT, BLANK, guessed, WRONG)])
    assert "with_list" not in found
    plain = found["without_list"]
    assert plain["right_percent"]["all"] == 25.0
    assert plain["unreadable_percent"]["all"] == 25.0
    assert plain["wrong_field_percent"]["all"] == 50.0
    assert plain["field_right_percent"] == {"gtin": 100.0, "batch": 25.0, "expiry": 50.0}


def test_groups_are_by_list_kind_and_damage():
    frames = [frame(RIGHT), frame(BLANK, kind="inkjet", grade=40), frame(BLANK, listed=False)]
    groups = quality(frames)["groups"]
    assert groups["all"] == 3
    assert groups["on_list_inkjet_damage_40"] == groups["off_list_label"] == 1
    assert lines_found(frames)["inkjet"] == {"30-40": 75.0, "all": 75.0}


def test_confidence_that_means_what_it_says_has_no_error():
    said = [0.75] * 100
    assert calibration_error(reliability(said, [n < 75 for n in range(100)])) == pytest.approx(0)
    assert calibration_error(reliability(said, [False] * 100)) == pytest.approx(0.75)


def test_certainty_belongs_to_the_last_bin():
    (only,) = reliability([1.0, 0.95], [True, False])
    assert (only.low, only.count, only.right) == (0.9, 2, 0.5)


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_at_the_bound_so_few_failures_have_one_chance_in_twenty(case: tuple[int, int]):
    failures, trials = case
    rate = upper_bound(failures, trials)
    chance = sum(
        comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(failures + 1)
    )
    assert chance == pytest.approx(0.05, rel=1e-6)


def test_bounds_of_a_large_campaign():
    assert upper_bound(0, 30_000) == pytest.approx(3 / 30_000, rel=0.01)
    assert 0.01 < upper_bound(300, 30_000) < 0.0111
    assert upper_bound(0, 0) == upper_bound(4, 4) == 1.0


def test_goals_say_what_was_missed_and_leave_out_what_was_not_measured():
    goals = held_to({"p95_ms": 131.0, "rss_mb": 250.0, "with_list": {"right_percent": {"all": 90}}})
    assert {each["figure"]: each["met"] for each in goals} == {
        "with the list, right, all frames, %": True,
        "whole frame, p95, ms": False,
        "resident memory, MB": True,
    }


def test_a_record_is_replaced_by_the_next_run_and_the_rest_of_the_file_stays(tmp_path: Path):
    record = tmp_path / "quality.toml"
    record.write_text('# Held to this.\n[rules]\ndone = "yes"\n\n[measured.other]\nframes = 3\n')
    facts = {"machine": 'a "quick" one', "commit": "1", "model_set": "sha256:0", "threads": 2}
    for frames in ([frame(WRONG)], [frame(RIGHT), frame(RIGHT, listed=False)]):
        result = {**facts, "set": "second set", "frames": len(frames), "p50_ms": 9.5}
        write_record(record, result | quality(frames))
    text = record.read_text()
    found = tomllib.loads(text)
    assert text.startswith("# Held to this.")
    assert found["rules"] == {"done": "yes"}
    assert found["measured"]["other"] == {"frames": 3}
    ours = found["measured"]["second_set"]
    assert ours["machine"] == 'a "quick" one'
    assert ours["frames"] == 2
    assert ours["with_list"]["wrong"] == 0
    assert ours["with_list"]["off_list"]["accepted"] == 1
    assert ours["with_list"]["misreads"][0]["damage"] == "0"


def test_words_of_a_line_belong_together_in_tesseracts_table():
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = (
        "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t",
        "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t90\tLOT",
        '5\t1\t1\t1\t1\t2\t0\t0\t9\t9\t70\tL3"42',
        "5\t1\t1\t1\t2\t1\t0\t0\t9\t9\t50\tEXP",
        "5\t1\t1\t1\t2\t2\t0\t0\t9\t9\t95\t ",
    )
    lines = tesseract_lines("\n".join((head, *rows)))
    assert [each.text for each in lines] == ['LOT L3"42', "EXP"]
    assert lines[0].confidence == pytest.approx(0.8)


def test_a_peers_texts_are_matched_to_the_line_with_the_fewest_edits():
    announced = (
        line(1, "08804045943238", "L342836", "2028-12-03"),
        line(2, "06938967753711", "A98B61", "2029-09-19"),
    )
    index = ExpectedIndex.build([each.line for each in announced], CHARSET)
    said = [PlainLine("GTIN 0693896775371l", 0.9), PlainLine("LOT A9BB61", 0.8)]
    assert with_list(said, index, CHARSET)["batch"] == "A98B61"
    assert edits([], CHARSET).odds.shape[1] == 1
