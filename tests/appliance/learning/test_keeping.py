"""Which cartons are learnt from, and what of their pictures is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.learning.cutting import HEIGHT_PX, from_png
from appliance.learning.example import decode_example, encode_example, name_of, us_of
from appliance.learning.keeping import Privacy, what_to_keep, why_not
from appliance.learning.making import make_example
from contracts.reading import ReadDecision
from contracts.verdict import Decision
from tests.appliance.learning.cartons import LABEL, NOW, TRUTH, judged, picture, settled


@pytest.mark.parametrize(
    ("carton", "answer", "privacy", "why"),
    [
        (judged(), settled(), Privacy.CROPS, ""),
        (judged(), settled(how="candidate"), Privacy.FRAME, ""),
        (judged(), settled(), Privacy.OFF, "off"),
        (judged(), settled(how="refused"), Privacy.CROPS, "refused"),
        (judged(verdict=Decision.ACCEPT), settled(), Privacy.CROPS, "no_review"),
        (judged("c-2"), settled("c-1"), Privacy.CROPS, "no_review"),
        (replace(judged(), reading=None), settled(), Privacy.CROPS, "not_read"),
        (judged(read=ReadDecision.ACCEPT, says=TRUTH), settled(), Privacy.CROPS, "was_right"),
    ],
)
def test_only_readings_that_a_person_had_to_settle_are_learnt_from(carton, answer, privacy, why):
    assert why_not(carton, answer, privacy) == why


def test_an_accepted_reading_that_the_operator_corrects_is_a_misread_and_is_kept():
    misread = replace(TRUTH, batch="A18B08")
    carton = judged(read=ReadDecision.ACCEPT, says=misread)
    assert why_not(carton, settled(), Privacy.CROPS) == ""


def test_names_and_addresses_are_not_kept():
    keeping = what_to_keep(TRUTH, LABEL)
    assert set(keeping.places) == {2, 3}
    assert keeping.open_lines == {2, 3, 4}


def kept(privacy: Privacy):
    stored = picture()
    made = make_example(
        judged(pictures=("a" * 64, "b" * 64)),
        settled(),
        device="edge-01",
        at_us=us_of(NOW),
        picture=lambda sha256: stored if sha256.startswith("a") else None,
        see=lambda image, frame: LABEL,
        seen_by="sha256:" + "b" * 64,
        privacy=privacy,
    )
    assert made is not None
    return made, stored


def test_crops_are_all_that_is_kept_by_default():
    made, _ = kept(Privacy.CROPS)
    assert made.pictures == ()
    assert [each.fields for each in made.lines] == [("batch",), ("expiry",)]
    assert all(from_png(each.crop).shape[0] == HEIGHT_PX for each in made.lines)
    assert b"Harbour" not in encode_example(made)
    assert settled().operator.encode() not in encode_example(made), "nobody is named"


def test_a_label_is_kept_with_every_other_line_painted_over():
    made, _ = kept(Privacy.LABEL)
    (label,) = made.pictures
    image = from_png(label.data)
    names = image[0:60]
    fields = image[75:180]
    assert names.min() > 20, "no black of the names' print is left"
    assert fields.min() == 0, "the fields stand as they were"
    assert b"Harbour" not in encode_example(made)


def test_a_frame_is_kept_as_it_was_judged():
    made, stored = kept(Privacy.FRAME)
    assert [each.data for each in made.pictures] == [stored]


def test_a_carton_whose_fields_are_nowhere_to_be_seen_teaches_nothing():
    stored = picture()
    arguments = {
        "device": "edge-01",
        "at_us": us_of(NOW),
        "see": lambda image, frame: LABEL[:2],
        "seen_by": "s",
        "privacy": Privacy.CROPS,
    }
    carton = judged(pictures=("a" * 64,))
    assert make_example(carton, settled(), picture=lambda _: stored, **arguments) is None
    assert make_example(carton, settled(), picture=lambda _: None, **arguments) is None


def test_the_same_carton_gives_the_same_bytes_and_they_can_be_read_back():
    first, second = (encode_example(kept(Privacy.LABEL)[0]) for _ in range(2))
    assert first == second
    made = decode_example(first)
    assert encode_example(made) == first
    assert name_of(made, first).at_us == us_of(NOW)
