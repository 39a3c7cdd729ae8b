"""An operator's answer as typed: checked here field by field, so the page can say what to mend.

The station checks again when it records the answer; this only saves the operator a round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.desk import CartonCard, Settlement
from contracts.errors import BadInputError
from contracts.gs1 import check_digit, has_valid_check_digit, is_lot, normalise_gtin
from contracts.reason import Reason

_GTIN_LENGTHS = (8, 12, 13, 14)
_NOTE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Mends:
    """What is wrong with a typed answer, field name to a catalogue sentence (`key.<code>`)."""

    fields: Mapping[str, Reason]


def _gtin(text: str) -> Reason | None:
    if not (text.isascii() and text.isdigit()) or len(text) not in _GTIN_LENGTHS:
        return Reason("gtin_length", {"length": len(text)})
    if not has_valid_check_digit(text):
        return Reason("gtin_check", {"last": text[-1], "right": check_digit(text[:-1])})
    return None


def _expiry(text: str) -> Reason | None:
    try:
        date.fromisoformat(text)
    except ValueError:
        return Reason("expiry_form")
    return None


def keyed_answer(carton_id: str, form: Mapping[str, str]) -> Settlement | Mends:
    """The answer of the form with fields gtin, batch, expiry, note; or what to mend."""
    gtin = form.get("gtin", "").replace(" ", "")
    batch = form.get("batch", "").strip()
    expiry = form.get("expiry", "").strip()
    found = {
        "gtin": _gtin(gtin),
        "batch": None if is_lot(batch) else Reason("batch_form"),
        "expiry": _expiry(expiry),
    }
    wrong = {name: mend for name, mend in found.items() if mend}
    if wrong:
        return Mends(wrong)
    note = form.get("note", "").strip()[:_NOTE_LIMIT]
    return Settlement(carton_id, "keyed", normalise_gtin(gtin), batch, expiry, note=note)


def picked_answer(card: CartonCard, number: str) -> Settlement:
    """Candidate 1 to 3 of a review. Raises BadInputError for a number that was not offered."""
    offered = {str(place): answer for place, answer in enumerate(card.candidates[:3], start=1)}
    chosen = offered.get(number)
    if chosen is None:
        raise BadInputError(
            f"Carton {card.carton_id} has no answer {number!r} to pick",
            mend="Pick one of those shown, or key the code",
        )
    return Settlement(
        card.carton_id, "candidate", chosen.gtin, chosen.batch, chosen.expiry, chosen.asn_line
    )
