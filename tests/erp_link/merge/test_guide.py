"""The entry in the guide for integrators is one: whoever follows the guide gets it right."""

from __future__ import annotations

import json
import re
from pathlib import Path

from contracts.device_log import KINDS, LogEntry
from erp_link.service.merge.proving import check_form, check_signature, fact_of

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "offline-logs.md"


def test_the_guides_entry_verifies_with_the_guides_key() -> None:
    text = GUIDE.read_text()
    found = re.search(r"```json\n(.+?)\n```", text, re.DOTALL)
    key = re.search(r"the key `([0-9a-f]{64})`", text)
    assert found is not None
    assert key is not None
    entry = LogEntry(**json.loads(found[1]))
    check_form(entry)
    check_signature(entry, key[1])
    fact_of(entry.kind, entry.body)


def test_the_guide_names_every_kind() -> None:
    text = GUIDE.read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
