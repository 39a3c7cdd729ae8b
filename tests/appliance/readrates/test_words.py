"""Every cause and every kind of row has its word: the page never shows a raw code."""

from __future__ import annotations

import pytest

from appliance.readrates.window import FACETS
from appliance.words import LANGUAGES, words
from erp_link.domain.reads import CAUSES
from erp_link.service.read_queries import WHAT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_facet_and_question_has_words(language: str) -> None:
    t = words(language)
    wanted = [
        *(f"rates.cause.{cause}" for cause in CAUSES),
        *(f"rates.cause_do.{cause}" for cause in CAUSES),
        *(f"rates.by.{name}" for name in (*FACETS, "hour", "day", "cause")),
        *(f"rates.what.{what}" for what in WHAT),
        *(f"calibration.state.{state}" for state in ("ok", "few", "over", "under", "shifted")),
        *(f"reason.calibration_{state}" for state in ("ok", "few", "over", "under", "shifted")),
    ]
    assert [key for key in wanted if key not in t] == []
