"""PocketSphinx in a process of its own: a fault in it ends no hub, and its memory goes with it.

On standard input orders: a line of JSON, then the samples. On standard output answers, a line of
JSON each. It ends when its input does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from appliance.shelf.voice.grammar import jsgf
from appliance.shelf.voice.ports import Vocabulary
from appliance.shelf.voice.sound import RATE

_SEARCH: Final = "shelf"


class Order(msgspec.Struct, frozen=True):
    """So many bytes of samples follow the line."""

    language: str
    vocabulary: Vocabulary
    size: int


class Answer(msgspec.Struct, frozen=True):
    texts: list[str]


class _Ear:
    """One decoder; its grammar is made anew when what can be named here has changed."""

    def __init__(self, model: str) -> None:
        from pocketsphinx import Decoder

        own = {"hmm": model, "dict": str(next(Path(model).glob("*.dict")))} if model else {}
        self._decoder: Any = Decoder(lm=None, samprate=RATE, loglevel="FATAL", **own)
        self._listens: tuple[str, Vocabulary] | None = None

    def hear(self, order: Order, samples: bytes) -> list[str]:
        wanted = (order.language, order.vocabulary)
        if self._listens != wanted:
            text = jsgf(order.language, order.vocabulary, self._known)
            self._decoder.add_jsgf_string(_SEARCH, text)
            self._decoder.activate_search(_SEARCH)
            self._listens = wanted
        self._decoder.start_utt()
        self._decoder.process_raw(samples, no_search=False, full_utt=True)
        self._decoder.end_utt()
        heard = self._decoder.hyp()
        return [heard.hypstr] if heard is not None and heard.hypstr else []

    def _known(self, word: str) -> str:
        return word if self._decoder.lookup_word(word) else ""


def main(model: str, orders: IO[bytes], answers: IO[bytes]) -> None:
    """Until `orders` ends."""
    ear = _Ear(model)
    answers.write(b"ready\n")
    answers.flush()
    for line in orders:
        order = msgspec.json.decode(line, type=Order)
        samples = orders.read(order.size)
        answers.write(msgspec.json.encode(Answer(ear.hear(order, samples))) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
