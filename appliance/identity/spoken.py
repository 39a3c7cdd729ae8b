"""A fingerprint as people compare it: groups of hex, and words that can be read out over a phone.

Words are proquints (D. S. Wilkerson, "A proposal for proquints: identifiers that are readable,
spellable, and pronounceable", arXiv:0901.4016): 16 bits each, in any language.
"""

from __future__ import annotations

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_SPOKEN_BYTES = 16
"""128 bits of the hash: nobody finds another certificate with the same ones."""


def grouped(fingerprint: str) -> tuple[str, ...]:
    """SHA-256 in upper-case pairs, eight to a group, as phones show it."""
    pairs = [fingerprint[at : at + 2].upper() for at in range(0, len(fingerprint), 2)]
    return tuple(" ".join(pairs[at : at + 8]) for at in range(0, len(pairs), 8))


def spoken(fingerprint: str) -> tuple[str, ...]:
    """Eight words for the first half of a SHA-256 in hex."""
    raw = bytes.fromhex(fingerprint)[:_SPOKEN_BYTES]
    return tuple(_word(int.from_bytes(raw[at : at + 2])) for at in range(0, len(raw), 2))


def _word(number: int) -> str:
    """Five letters for 16 bits: consonant 4, vowel 2, consonant 4, vowel 2, consonant 4."""
    return (
        _CONSONANTS[number >> 12]
        + _VOWELS[number >> 10 & 3]
        + _CONSONANTS[number >> 6 & 15]
        + _VOWELS[number >> 4 & 3]
        + _CONSONANTS[number & 15]
    )
