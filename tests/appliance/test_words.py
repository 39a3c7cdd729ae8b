"""Both languages say the same things."""

from __future__ import annotations

from datetime import date

import pytest

from appliance.words import (
    LANGUAGES,
    MissingWordError,
    placeholders,
    read_catalogue,
    words,
)
from contracts.reason import Reason
from erp_link.webhooks.topics import TOPICS


def test_both_catalogues_have_the_same_keys_and_the_same_values_to_fill() -> None:
    english, chinese = read_catalogue("en"), read_catalogue("zh")
    assert english.keys() == chinese.keys()
    differing = {
        key: (english[key], chinese[key])
        for key in english
        if placeholders(english[key]) != placeholders(chinese[key])
    }
    assert differing == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_padded(language: str) -> None:
    bad = [
        key for key, text in read_catalogue(language).items() if not text or text != text.strip()
    ]
    assert bad == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_sorted_so_that_two_people_can_add_lines(language: str) -> None:
    keys = list(read_catalogue(language))
    assert keys == sorted(keys)


def test_an_unknown_sentence_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(MissingWordError, match=r"no sentence 'nothing\.here'"):
        words("en")("nothing.here")


def test_a_value_left_out_is_an_error() -> None:
    with pytest.raises(MissingWordError, match="wants a value for 'days'"):
        words("en")("expiry.left")


def test_a_reason_nobody_translated_still_shows_its_code_and_values() -> None:
    sentence = words("en").reason(Reason("from_the_future", {"score": 3}))
    assert sentence == "from_the_future (score 3)"


def test_values_are_not_read_as_placeholders_again() -> None:
    assert words("en")("reason.unknown", code="{values}", values="x") == "{values} (x)"


def test_days_left_are_written_out_in_both_languages() -> None:
    today = date(2026, 11, 21)
    assert words("en").days_left(date(2026, 11, 22), today) == "1 day left"
    assert words("en").days_left(date(2026, 11, 19), today) == "expired 2 days ago"
    assert words("zh").days_left(date(2026, 12, 1), today) == "剩余 10 天"
    assert words("en").days_left(today, today) == "expires today"


def test_an_unknown_language_gets_english() -> None:
    assert words("xx").language == "en"


def test_a_webhook_may_ask_for_every_kind_of_event_that_a_story_has_a_word_for() -> None:
    kinds = {key.removeprefix("story.") for key in read_catalogue("en") if key.startswith("story.")}
    # What sensors measured stands on the dossier's time line, and in no event.
    assert kinds - TOPICS <= {"measured"}
