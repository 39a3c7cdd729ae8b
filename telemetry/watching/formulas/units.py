"""Units in an expression: every name has the unit of its quantity, and only like goes with like.

A bare number takes the unit of what it is compared with; `Cel(8)`, `degF(46)`, `hPa(1013)` say it and
are converted; `number(x)` takes the unit off. The difference of two temperatures is one no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from contracts.errors import BadInputError
from telemetry.units import UNITS, Conversion, Unit
from telemetry.watching.formulas.tree import Node

BARE = ""
"""A number without a unit."""
TRUTH = "truth"
_COMPARE = frozenset({"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"})
_LOGIC = frozenset({"_&&_", "_||_", "!_"})
_SIGNS = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_==_": "==", "_!=_": "!=", "_+_": "+", "_-_": "-"}  # fmt: skip


class ExpressionError(BadInputError):
    """An expression that cannot be used; data has `at`, characters from its beginning."""

    code = "expression"


def wrong(text: str, at: int, what: str, mend: str) -> ExpressionError:
    """With the place marked in the text, as a person reads it."""
    before, after = text[max(0, at - 30) : at], text[at : at + 30]
    return ExpressionError(f"{what}, here: {before}»{after}", mend=mend, at=at)


@cache
def unit_functions() -> Mapping[str, Unit]:
    """`Cel`, `pct_RH`, `degF`, `m_per_s2`: a function for each unit, by its name."""
    found = {}
    for code, unit in UNITS.items():
        spelled = code.replace("%", "pct_").replace("/", "_per_")
        name = re.sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_").removeprefix("1_")
        if name and name != "per":
            found[name] = unit
    return found


@cache
def base_of(kind: str) -> Unit:
    """The unit that a kind is kept in."""
    return next(unit for unit in UNITS.values() if unit.kind == kind)


def converted(function: str, value: float) -> float:
    """A number with its unit, in the base of its kind."""
    unit = unit_functions()[function]
    return Conversion(unit, base_of(unit.kind))(value)


class UnitCheck:
    """Walks one tree. `units` are those of the names that may be used."""

    def __init__(self, text: str, units: Mapping[str, str]) -> None:
        self._text = text
        self._units = units

    def of(self, node: Node) -> str:
        """The unit of what a node gives. Raises ExpressionError."""
        match node.kind:
            case "double" | "int":
                return BARE
            case "name":
                return _known(self._units[node.word])
            case "call":
                return self._call(node)
            case _:
                return TRUTH

    def _call(self, node: Node) -> str:
        word, inner = node.word, [self.of(each) for each in node.inner]
        if word in _COMPARE:
            self._same(node, inner, _SIGNS[word])
        if word in _COMPARE or word in _LOGIC:
            return TRUTH
        if word in {"_+_", "_-_"}:
            return self._sum(node, inner)
        if word in {"_*_", "_/_"}:
            return self._product(node, inner)
        if word == "_?_:_":
            return self._same(node, inner[1:], "?:")
        return inner[0] if word == "-_" else self._named(node, inner[0])

    def _named(self, node: Node, inner: str) -> str:
        if node.word == "number":
            return BARE
        if inner != BARE:
            raise self._wrong(node, f"{node.word}() is given something that has a unit already")
        return base_of(unit_functions()[node.word].kind).code

    def _sum(self, node: Node, inner: list[str]) -> str:
        if set(inner) == {"Cel"}:
            if node.word == "_+_":
                raise self._wrong(node, "two temperatures cannot be added")
            return "difference of Cel"
        if set(inner) == {"Cel", "difference of Cel"} and inner[0] == "Cel":
            return "Cel"
        return self._same(node, inner, _SIGNS[node.word])

    def _product(self, node: Node, inner: list[str]) -> str:
        one, other = inner
        if "Cel" in inner:
            raise self._wrong(node, "a temperature is no multiple of another")
        if other == BARE:
            return one
        if node.word == "_*_" and one == BARE:
            return other
        if node.word == "_/_" and one == other:
            return BARE
        raise self._wrong(node, f"{_say(one)} and {_say(other)} do not go together")

    def _same(self, node: Node, inner: list[str], sign: str) -> str:
        units = {each for each in inner if each != BARE}
        if len(units) > 1:
            told = f" {sign} ".join(map(_say, inner))
            raise self._wrong(node, f"the units differ: {told}")
        return units.pop() if units else BARE

    def _wrong(self, node: Node, what: str) -> ExpressionError:
        mend = "Compare like with like, or take the unit off with number(...)"
        return wrong(self._text, node.at, what, mend)


def _known(code: str) -> str:
    return UNITS[code].code if code in UNITS else code


def _say(unit: str) -> str:
    return unit or "a bare number"
