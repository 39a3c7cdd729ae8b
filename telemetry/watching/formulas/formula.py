"""One expression, compiled: CEL as the engine of its own makers runs it, with our names only.

What may be said: names of quantities, numbers, `+ - * /`, comparisons, `&& || !`, `a ? b : c`, unit
functions and `number(...)`; the result is true or false. Lists, texts and macros have no use here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial

from cel_expr_python import cel

from telemetry.units import QUANTITIES
from telemetry.watching.formulas.tree import Node, read_tree
from telemetry.watching.formulas.units import (
    UnitCheck,
    converted,
    unit_functions,
    wrong,
)

_OPERATORS = frozenset(
    {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "_&&_", "_||_", "!_", "_+_", "_-_", "_*_", "_/_",
     "-_", "_?_:_"}
)  # fmt: skip
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
_INT = re.compile(r"-?\d+(?![\w.])")


class Formula:
    """`uses` are the quantities that it asks for, sorted."""

    def __init__(self, text: str, units: Mapping[str, str] = QUANTITIES) -> None:
        """Raises ExpressionError for unknown names, units that do not go together, and whatever is
        no condition, with the place in the text.
        """
        self.text = text
        tree = _parsed(text)
        self.uses = _names(text, tree, units)
        UnitCheck(text, units).of(tree)
        self._run = _compile(text, tree, self.uses)
        self._values: dict[str, float] = {}
        self._answer = False

    def __call__(self, values: dict[str, float]) -> bool:
        """Whether it is true now. `values` has every name of `uses`."""
        if values != self._values or not self._values:
            answer = self._run.eval(data=values).value()
            self._values, self._answer = values, answer is True
        return self._answer


def _parsed(text: str) -> Node:
    try:
        return read_tree(_empty().compile(text, disable_check=True).serialize())
    except RuntimeError as error:
        raise _told(text, error) from error


def _names(text: str, tree: Node, units: Mapping[str, str]) -> tuple[str, ...]:
    found = set()
    for node in tree.walk():
        if node.kind == "name":
            if node.word not in units:
                mend = f"Known are, among others: {', '.join(_like(node.word, units))}"
                raise wrong(text, node.at, f"{node.word!r} is no quantity", mend)
            found.add(node.word)
        allowed = node.kind in {"name", "int", "double"} or (
            node.kind == "other" and text[node.at : node.at + 5].startswith(("true", "false"))
        )
        if node.kind == "call":
            allowed = node.word in _OPERATORS or node.word in _function_names()
        if not allowed:
            what = (
                f"{node.word}() is not known here"
                if node.kind == "call"
                else "this has no use here"
            )
            raise wrong(text, node.at, what, "Use quantities, numbers, comparisons, && and ||")
    if not found:
        raise wrong(
            text, 0, "it asks for no quantity", "Name what is measured, e.g. temperature > 8"
        )
    return tuple(sorted(found))


def _like(word: str, units: Mapping[str, str]) -> list[str]:
    near = [each for each in units if each[:3] == word[:3]]
    return sorted(near) or sorted(units)[:12]


def _compile(text: str, tree: Node, uses: tuple[str, ...]) -> cel.Expression:
    # Every value here is a double; CEL compares no double with a whole number.
    whole = sorted({node.at for node in tree.walk() if node.kind == "int"}, reverse=True)
    for at in whole:
        digits = _INT.match(text, at)
        if digits is None:
            raise wrong(text, at, "a number is spelled oddly", "Write it with decimal digits")
        text = f"{text[: digits.end()]}.0{text[digits.end() :]}"
    try:
        compiled = _environment(uses).compile(text)
    except RuntimeError as error:
        raise _told(text, error) from error
    if compiled.return_type() != cel.Type.BOOL:
        mend = "Compare it with a limit, e.g. temperature > 8"
        raise wrong(text, 0, "it gives a number, not true or false", mend)
    return compiled


def _told(text: str, error: RuntimeError) -> Exception:
    match = _PLACE.search(str(error))
    if match is None:
        return wrong(text, 0, "it cannot be read", "Look at its brackets and operators")
    lines = text.split("\n")[: int(match[1]) - 1]
    at = sum(len(line) + 1 for line in lines) + int(match[2]) - 1
    return wrong(text, at, match[3].strip()[:160], "Look at its brackets and operators")


def _function_names() -> frozenset[str]:
    return frozenset({"number", *unit_functions()})


@cache
def _empty() -> cel.Env:
    return cel.NewEnv()


@cache
def _environment(uses: tuple[str, ...]) -> cel.Env:
    double = cel.Type.DOUBLE

    def function(name: str, does: object) -> cel.FunctionDecl:
        overload = cel.Overload(
            id=f"tallyman_{name}", return_type=double, parameters=[double], impl=does
        )
        return cel.FunctionDecl(name, [overload])

    functions = [function(name, partial(converted, name)) for name in unit_functions()]
    functions.append(function("number", float))
    return cel.NewEnv(variables=dict.fromkeys(uses, double), functions=functions)
