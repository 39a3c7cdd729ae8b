"""What the phone reads out of a code is what GS1's own vectors and another reader say (gs1.js)."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from biip.gs1_messages import GS1Message

from contracts.gs1 import check_digit
from tests.conftest import ROOT

SCRIPT = "tests/appliance/shelf/ask_gs1.js"
FNC1 = "^"
OF_VECTORS = {
    "test_processAIdata": "elements",
    "test_parseAIdata": "bracketed",
    "test_parseDLuri": "digitalLink",
}
ON_PURPOSE = {
    # Decoders take the FNC1 that stands first away.
    "991234",
    # Words of earlier releases are read alone, as they were printed alone.
    "https://a/gtin/12312312312333",
    # The engine was told to let an identifier pass that GS1 never gave out.
    "https://example.com/01/09520123456788?99=XYZ&89=ABC123",
}


def ask(questions: list[tuple[str, str]]) -> list[Any]:
    """What the script finds, in one Node."""
    run = subprocess.run(
        ["sh", "scripts/npm.sh", "run", "--silent", "node", "--", SCRIPT],
        input=json.dumps(questions),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[Any] = json.loads(run.stdout)
    return answers


def in_one_string(found: list[list[str]]) -> str:
    """Elements as the vectors write them: FNC1 first, and behind what does not end by its length."""
    text, open_end = "", False
    for ai, data in found:
        text += (FNC1 if open_end else "") + ai + data
        ends = {
            *(
                [
                    "00",
                    "01",
                    "02",
                    "03",
                    "04",
                    "11",
                    "12",
                    "13",
                    "14",
                    "15",
                    "16",
                    "17",
                    "18",
                    "19",
                    "20",
                    "31",
                    "32",
                    "33",
                    "34",
                    "35",
                    "36",
                    "41",
                ]
            )
        }
        open_end = ai[:2] not in ends
    return FNC1 + text


@pytest.mark.data
def test_gs1s_vectors_are_read_as_gs1_reads_them(data_dir: Path) -> None:
    lines = (data_dir / "stock/gs1_syntax/gs1_test_vectors.jsonl").read_text("utf-8").splitlines()
    vectors = [
        (OF_VECTORS[vector["fn"]], vector["args"])
        for vector in map(json.loads, lines)
        if vector["fn"] in OF_VECTORS
        and isinstance(vector["args"][1], str)
        and vector["args"][1] not in ON_PURPOSE
    ]
    assert len(vectors) > 100
    answers = ask([(way, args[1].replace(FNC1, "\x1d")) for way, args in vectors])
    for (way, args), found in zip(vectors, answers, strict=True):
        assert (found is not None) is args[0], (way, args)
        if found is not None and len(args) > 2:
            assert in_one_string(found) == args[2], (way, args)


def test_another_reader_finds_the_same_in_labels_made_up() -> None:
    rng = random.Random(9)  # noqa: S311 -- the same labels every time
    labels = [label(rng) for _ in range(300)]
    for text, found in zip(labels, ask([("readCode", text) for text in labels]), strict=True):
        message = GS1Message.parse(text)
        values = {each.ai.ai: each for each in message.element_strings}
        assert found["gtin"] == (values["01"].value if "01" in values else "")
        assert found["lot"] == (values["10"].value if "10" in values else "")
        assert found["serial"] == (values["21"].value if "21" in values else "")
        expiry = values["17"].date if "17" in values else None
        assert found["expiry"] == (expiry.isoformat() if isinstance(expiry, date) else "")
        assert found["quantity"] == (int(values["37"].value) if "37" in values else None)


def label(rng: random.Random) -> str:
    """An element string as a carton's label may carry it, its parts in any order."""
    body = f"{rng.randrange(10**13):013d}"
    letters = "ABCXYZabc0123456789-./_"
    parts = [
        (True, f"17{rng.randrange(100):02d}{rng.randint(1, 12):02d}{rng.randint(0, 28):02d}"),
        (False, "10" + "".join(rng.choices(letters, k=rng.randint(1, 20)))),
        (False, "21" + "".join(rng.choices(letters, k=rng.randint(1, 20)))),
        (False, f"37{rng.randrange(10**6)}"),
        (True, f"3103{rng.randrange(10**6):06d}"),
    ]
    chosen = [(True, "01" + body + check_digit(body)), *rng.sample(parts, rng.randint(0, 5))]
    rng.shuffle(chosen)
    text = ""
    for ends_by_length, part in chosen:
        text += part + ("" if ends_by_length else "\x1d")
    return text.removesuffix("\x1d")
