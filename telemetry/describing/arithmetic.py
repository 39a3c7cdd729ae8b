"""Closed arithmetic: what a template may compute with the numbers it read (no code runs, I5).

A formula is parsed by the grammar below into a tree, every name is checked against what the
template declares, and only then it is written out as Python for speed: nothing of the author's
text gets into what runs, only operators of our own list, finite constants and names of our own.

    either  := both ("or" both)*          both  := test ("and" test)*
    test    := "not"* sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)?
    sum     := shift (("+" | "-" | "|") shift)*       shift := product (("<<" | ">>" | "&") product)*
    product := sign (("*" | "/" | "%") sign)*         sign  := "-"* atom
    atom    := number | name | name "(" either ("," either)* ")" | "(" either ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

MOST_CHARACTERS: Final = 2000
DEEPEST: Final = 40
_WIDEST: Final = 64
_MOST_PLACES: Final = 20
_DEEPEST_PYTHON: Final = 90
"""Python itself reads at most 200 brackets one in another."""
_STEP: Final = {"(": 1, ")": -1}
_RUNS: Final = {"+": "sum", "-": "sum", "*": "product", "/": "product", "%": "product"}
_TOKEN = re.compile(
    r"\s*(?:(0x[0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
    r"|([A-Za-z_][A-Za-z0-9_]*)|(<<|>>|==|!=|<=|>=|[-+*/%&|<>(),]))"
)


class FormulaError(ValueError):
    """The text is no formula, or names what is not there; says where, counted from 1."""


def _bit(number: float, place: float) -> int:
    return int(number) >> _width(place) & 1


def _bits(number: float, low: float, count: float) -> int:
    return int(number) >> _width(low) & ((1 << _width(count)) - 1)


def _width(bits: float) -> int:
    """So many bits as a number that was read can have: no formula makes a number without end."""
    if not 0 <= bits <= _WIDEST:
        raise ValueError(f"{bits} bits, not 0 to {_WIDEST}")
    return int(bits)


def _signed(number: float, width: float) -> int:
    half = 1 << max(_width(width), 1) - 1
    return (int(number) & (2 * half - 1) ^ half) - half


def _poly(at: float, *coefficients: float) -> float:
    """c0 + c1 x + c2 x^2 ..., by Horner's scheme."""
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * at + coefficient
    return total


def _bcd(number: float) -> int:
    return int(f"{int(number):x}")


def _to(number: float, places: float) -> float:
    if abs(places) > _MOST_PLACES:
        # A whole number rounded to -10**9 places is divided by ten to that power.
        raise ValueError(f"{places} places, not -{_MOST_PLACES} to {_MOST_PLACES}")
    return round(number, int(places))


FUNCTIONS: Final[Mapping[str, tuple[Callable[..., Any], int, int]]] = {
    "pow": (math.pow, 2, 2),
    "sqrt": (math.sqrt, 1, 1),
    "ln": (math.log, 1, 1),
    "log10": (math.log10, 1, 1),
    "exp": (math.exp, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "atan2": (math.atan2, 2, 2),
    "abs": (abs, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_to, 2, 2),
    "min": (min, 2, 16),
    "max": (max, 2, 16),
    "bit": (_bit, 2, 2),
    "bits": (_bits, 3, 3),
    "signed": (_signed, 2, 2),
    "bcd": (_bcd, 1, 1),
    "poly": (_poly, 2, 16),
}
"""Name -> (what it does, fewest and most arguments). `if(test, then, else)` is of the grammar."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. `python` computes it from the names that `names` maps to."""

    text: str
    python: str
    names: frozenset[str]

    def value(self, given: Mapping[str, float]) -> float:
        """Compute once, slowly: for trying out. Raises FormulaError where it has no value."""
        scope = {name: given[name] for name in self.names}
        try:
            return float(eval(self.python, namespace(), scope))  # noqa: S307 -- written by us from a checked tree
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"{self.text} has no value: {error}") from error


def namespace() -> dict[str, Any]:
    """What the Python of formulas may call: our functions, and no builtin."""
    return {"__builtins__": {}, **{f"f_{name}": entry[0] for name, entry in FUNCTIONS.items()}}


def parse(text: str, names: Mapping[str, str]) -> Formula:
    """A formula over `names` (what the author writes -> the Python name it stands for).

    Raises FormulaError: a character that is no part of a formula, an unknown name or function, a
    wrong number of arguments, a bracket left open, too long or too deep.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"a formula has at most {MOST_CHARACTERS} characters")
    return _Parser(text, names).formula()


class _Parser:
    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._text = text
        self._names = names
        self._used: set[str] = set()
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def formula(self) -> Formula:
        python = self._either()
        if self._peek():
            raise self._wrong(f"{self._peek()!r} was not expected here")
        if max(accumulate(_STEP.get(sign, 0) for sign in python), default=0) > _DEEPEST_PYTHON:
            raise FormulaError(f"{self._text[:40]!r}... is too deep: cut it into parts")
        return Formula(self._text, python, frozenset(self._used))

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if token and token in wanted:
            self._next += 1
            return token
        return ""

    def _wrong(self, why: str) -> FormulaError:
        at = self._tokens[self._next][1] if self._next < len(self._tokens) else len(self._text)
        return FormulaError(f"{self._text!r}: {why} (character {at + 1})")

    def _chain(self, part: Callable[[], str], *operators: str) -> str:
        left, before = part(), ""
        while operator := self._take(*operators):
            # One pair of brackets a run of like operators: Python reads them from the left as we do.
            same = _RUNS.get(operator, operator) == _RUNS.get(before, before)
            left = f"{left[:-1] if same else '(' + left} {operator} {part()})"
            before = operator
        return left

    def _either(self) -> str:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong(f"brackets are nested deeper than {DEEPEST}")
        found = self._chain(lambda: self._chain(self._test, "and"), "or")
        self._depth -= 1
        return found

    def _test(self) -> str:
        negated = 0
        while self._take("not"):
            negated += 1
        compared = self._compared()
        return f"(not {compared})" if negated % 2 else compared

    def _compared(self) -> str:
        left = self._sum()
        if operator := self._take("==", "!=", "<=", ">=", "<", ">"):
            return f"({left} {operator} {self._sum()})"
        return left

    def _sum(self) -> str:
        return self._chain(self._shift, "+", "-", "|")

    def _shift(self) -> str:
        left = self._product()
        while operator := self._take("<<", ">>", "&"):
            right = self._product()
            if operator == "<<" and not (right.isdigit() and int(right) < _WIDEST):
                raise self._wrong("shift to the left by a number from 0 to 63")
            left = f"({left} {operator} {right})"
        return left

    def _product(self) -> str:
        return self._chain(self._sign, "*", "/", "%")

    def _sign(self) -> str:
        minus = 0
        while self._take("-"):
            minus += 1
        return f"(-{self._atom()})" if minus % 2 else self._atom()

    def _atom(self) -> str:
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise self._wrong("a bracket is not closed")
            return f"({inner})"
        token = self._peek()
        if not token:
            raise self._wrong("a number or a name is missing")
        if token[0].isdigit() or token[0] == ".":
            self._next += 1
            return _number(token)
        if not (token[0].isalpha() or token[0] == "_") or token in {"and", "or", "not"}:
            raise self._wrong(f"{token!r} stands where a number or a name should")
        self._next += 1
        return self._call(token) if self._take("(") else self._name(token)

    def _name(self, name: str) -> str:
        if name not in self._names:
            self._next -= 1
            known = ", ".join(sorted(self._names)) or "none"
            raise self._wrong(f"nothing here is called {name!r}; known: {known}")
        self._used.add(self._names[name])
        return self._names[name]

    def _call(self, name: str) -> str:
        fewest, most = (3, 3) if name == "if" else FUNCTIONS.get(name, (None, 0, 0))[1:]
        if not most:
            raise self._wrong(f"no function {name!r}; known: if, {', '.join(sorted(FUNCTIONS))}")
        given = [self._either()]
        while self._take(","):
            given.append(self._either())
        if not self._take(")"):
            raise self._wrong("a bracket is not closed")
        if not fewest <= len(given) <= most:
            raise self._wrong(f"{name} takes {fewest} to {most} values, not {len(given)}")
        if name == "if":
            return f"({given[1]} if {given[0]} else {given[2]})"
        return f"f_{name}({', '.join(given)})"


def _number(token: str) -> str:
    if token.startswith("0x"):
        return str(int(token, 16))
    if token.isdigit():
        return str(int(token))
    if not math.isfinite(float(token)):
        raise FormulaError(f"{token} is beyond what a number can hold")
    return repr(float(token))


def _tokens(text: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            where = at + len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(
                f"{text!r}: {text[where]!r} is no part of a formula (character {where + 1})"
            )
        found.append((match[match.lastindex or 1], match.start(match.lastindex or 1)))
        at = match.end()
    return found
