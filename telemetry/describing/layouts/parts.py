"""Numbers in bytes: `u16`, `s24le`, `f32`, `u8@4`, `skip 3`; bit fields are cut out by formulas."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from telemetry.describing.arithmetic import FormulaError
from telemetry.describing.layouts.source import Writer

Order = Literal["big", "little"]
_TYPE: Final = re.compile(
    r"(?:([us])(8|16|24|32|40|48|56|64)|f(32|64))(le|be)?(?:@(\d{1,4}))?|skip (\d{1,4})"
)
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_RESERVED: Final = frozenset({"and", "or", "not", "if", "length", "channel"})


@dataclass(frozen=True, slots=True)
class Part:
    """One number: at `offset` of its block, `size` bytes."""

    name: str
    sort: str
    """u, s or f."""
    offset: int
    size: int
    order: Order

    @property
    def variable(self) -> str:
        return f"p_{self.name}"

    def python(self, writer: Writer, base: str) -> str:
        """Python that reads it from the payload `p`, its block beginning at `base`."""
        if self.sort == "f":
            mark = (">" if self.order == "big" else "<") + ("f" if self.size == 4 else "d")  # noqa: PLR2004 -- f32
            name = f"read_{'b' if mark[0] == '>' else 'l'}{mark[1]}"
            writer.scope[name] = struct.Struct(mark).unpack_from
            return f"{name}(p, {_at(base, self.offset)})[0]"
        places = range(self.size) if self.order == "little" else range(self.size - 1, -1, -1)
        read = " | ".join(
            f"p[{_at(base, self.offset + place)}]" + (f" << {8 * weight}" if weight else "")
            for weight, place in enumerate(places)
        )
        if self.sort == "u":
            return f"({read})"
        half = 1 << 8 * self.size - 1
        return (
            f"(({read} ^ {half}) - {half})" if self.size == 1 else f"((({read}) ^ {half}) - {half})"
        )


def read_parts(said: Mapping[str, str], order: Order, where: str) -> tuple[tuple[Part, ...], int]:
    """The parts of a block and how many bytes it takes. Raises FormulaError with `where`."""
    parts: list[Part] = []
    cursor = end = 0
    for name, text in said.items():
        match = _TYPE.fullmatch(text.strip())
        if match is None:
            raise FormulaError(
                f'{where}: {text!r} is no part; write u16, s8, f32, u24le, u8@4 or "skip 2"'
            )
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise FormulaError(
                f"{where}: {name!r} cannot be the name of a part; use a-z, 0-9 and _"
            )
        sign, bits, real, ending, at, skipped = match.groups()
        if skipped:
            cursor += int(skipped)
            end = max(end, cursor)
            continue
        size = int(bits or real) // 8
        offset = int(at) if at else cursor
        cursor = offset + size
        end = max(end, cursor)
        own: Order = {"le": "little", "be": "big"}.get(ending or "", order)  # type: ignore[assignment]  # the two it can be
        parts.append(Part(name, sign or "f", offset, size, own))
    return tuple(parts), end


def _at(base: str, offset: int) -> str:
    if base.isdigit():
        return str(int(base) + offset)
    return f"{base} + {offset}" if offset else base
