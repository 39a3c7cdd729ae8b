"""The recogniser listens for the grammar that the phone understands, as far as it can spell it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.shelf.voice.grammar import MOST_NAMES, Known, jsgf, languages, read_grammar, spoken
from appliance.shelf.voice.ports import Vocabulary

SITE = Vocabulary(("A-01-1", "A-01-2", "B-12-3"), ("Whole Milk 1 L", "Chocolate Bar"))


def rules(text: str) -> dict[str, str]:
    found: dict[str, str] = dict(re.findall(r"<(\w+)> = (.*);", text))
    return found


def everything(word: str) -> str:
    return "" if "'" in word else word


def all_but(*lacking: str) -> Known:
    return lambda word: "" if word in lacking else everything(word)


def test_english_is_listened_for_and_chinese_wants_a_recogniser_of_the_site() -> None:
    assert languages() == ("en",)
    assert set(read_grammar()["languages"]) == {"en", "zh"}


def test_places_and_names_of_the_site_can_be_heard() -> None:
    made = rules(jsgf("en", SITE, everything))
    assert (
        made["v_place"] == "(a | b) [(one | two | three | twelve) [(one | two | three | twelve)]]"
    )
    assert made["v_product"] == "whole milk | chocolate bar"
    assert "count <v_number> [<v_unit>]" in made["said"]


def test_a_site_without_stock_is_listened_to_all_the_same() -> None:
    made = rules(jsgf("en", Vocabulary(), everything))
    assert (made["v_place"], made["v_product"]) == ("<VOID>", "<VOID>")


def test_what_the_dictionary_cannot_spell_takes_only_its_own_alternative() -> None:
    text = jsgf("en", SITE, all_but("misplaced", "aisle", "chocolate", "twelve"))
    made = rules(text)
    assert made["v_filter"] == "expiring | expired | on hold | to reorder"
    assert "show everything [<v_filter>] |" in made["said"]
    assert made["v_product"] == "whole milk"
    assert "twelve" not in text


def test_a_word_is_found_in_the_dictionary_by_its_apostrophe() -> None:
    assert spoken("whats", lambda word: word * (word == "what's")) == "what's"
    assert spoken("nonsense", lambda _: "") == ""


@pytest.mark.parametrize("language", ["zh", "de"])
def test_a_language_without_a_grammar_to_listen_for_is_none(language: str) -> None:
    with pytest.raises(KeyError):
        jsgf(language, SITE, everything)


@given(
    st.lists(st.text(max_size=30), max_size=8),
    st.lists(st.text(max_size=30), max_size=8),
    st.sets(st.sampled_from(["show", "count", "a", "one", "milk", "hundred", "ten", "twenty"])),
)
def test_whatever_a_site_calls_its_goods_and_places_the_grammar_stays_whole(
    places: list[str], names: list[str], lacking: set[str]
) -> None:
    text = jsgf("en", Vocabulary(tuple(places), tuple(names)), all_but(*lacking))
    for line in text.splitlines()[2:]:
        assert line.endswith(";")
        body = line.split(" = ", 1)[1]
        assert body.count("(") == body.count(")")
        assert body.count("[") == body.count("]")
        assert not re.search(r"\(\s*\)|\[\s*\]|\|\s*[|;)\]]|[(\[]\s*\|", body), body
    named = set(re.findall(r"<(\w+)>", text)) - {"VOID"}
    assert named <= set(rules(text)) | {"said"}


def test_a_large_site_does_not_drown_the_recogniser_in_names() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = tuple(f"milk {a}{b}{c}" for a in letters for b in letters for c in "aeiou")
    made = rules(jsgf("en", Vocabulary((), names), everything))
    assert made["v_product"].count("|") == MOST_NAMES - 1
