r"""A replacement carton label in ZPL II: GS1-128 with (01) GTIN, (17) expiry, (10) batch.

Every value goes through `^FH` hexadecimal escapes, so a batch number can hold `^`, `~` or `_` and
never becomes a printer command. Sizes are in dots at 203 dpi (8 dots a millimetre), label 100 x 60
mm. Sources: GS1 General Specifications 7.8 (element strings, FNC1), Zebra ZPL II Programming Guide
(^BC, ^FH, ^CI28). In ^BC, `>;` starts in subset C, `>8` is FNC1.
"""

from __future__ import annotations

import asyncio
from datetime import date

from appliance.desk import CartonCard
from contracts.errors import BadInputError, UnavailableError
from contracts.gs1 import is_lot, normalise_gtin
from contracts.verdict import Decision

WIDTH_DOTS = 800
HEIGHT_DOTS = 480
PRINTER_PORT = 9100
_FNC1 = ">8"
_TEXT_LIMIT = 48
_FIRST_PRINTABLE = 0x20
_DELETE = 0x7F


def escape(text: str) -> str:
    """`text` for a ^FD field after ^FH: what ZPL would read as its own becomes `_XX` (UTF-8)."""
    out: list[str] = []
    for byte in text.encode("utf-8"):
        plain = _FIRST_PRINTABLE <= byte < _DELETE and chr(byte) not in "^~_\\"
        out.append(chr(byte) if plain else f"_{byte:02X}")
    return "".join(out)


def _code_128(text: str) -> str:
    """`text` as ^BC data: `>` is its escape character and stands for itself as `>0`."""
    return escape(text).replace(">", ">0")


def _lot_data(lot: str) -> str:
    """The lot after AI (10), in subset C while it is an even run of digits, else subset B."""
    even = lot.isascii() and lot.isdigit() and len(lot) % 2 == 0
    return f"10{lot}" if even else f"10>6{_code_128(lot)}"


def element_string(gtin: str, batch: str, expiry: date) -> str:
    """The ^BC data: FNC1, (01), (17), then (10) last because its length varies (no separator)."""
    return f">;{_FNC1}01{gtin}17{expiry:%y%m%d}{_lot_data(batch)}"


def human_readable(gtin: str, batch: str, expiry: date) -> str:
    """The text under the bars, application identifiers in brackets."""
    return f"(01){gtin}(17){expiry:%y%m%d}(10){batch}"


def label_zpl(
    *, gtin: str, batch: str, expiry: date, description: str = "", carton: str = ""
) -> str:
    """One label as ZPL II text. Raises BadInputError for a GTIN or batch that GS1 does not allow."""
    number = normalise_gtin(gtin)
    if not is_lot(batch):
        raise BadInputError(
            f"batch {batch!r} is not a GS1 batch number",
            mend="Use 1 to 20 letters, digits or punctuation, no spaces",
        )

    def text(x: int, y: int, height: int, words: str) -> str:
        return f"^FO{x},{y}^A0N,{height},{height}^FH^FD{escape(words[:_TEXT_LIMIT])}^FS"

    lines = [
        "^XA",
        "^CI28",
        f"^PW{WIDTH_DOTS}^LL{HEIGHT_DOTS}^LH0,0",
        text(32, 28, 36, description) if description else "",
        text(32, 80, 30, f"GTIN  {number}"),
        text(32, 120, 30, f"LOT   {batch}"),
        text(32, 160, 30, f"EXP   {expiry.isoformat()}"),
        text(500, 160, 22, carton) if carton else "",
        f"^FO32,210^BY2,3,150^BCN,150,N,N,N,N^FH^FD{element_string(number, batch, expiry)}^FS",
        text(32, 380, 26, human_readable(number, batch, expiry)),
        "^PQ1,0,1,N",
        "^XZ",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def carton_zpl(card: CartonCard) -> str:
    """The replacement label of a carton whose code is known. Raises BadInputError while it is not."""
    fields = card.fields
    if card.verdict.decision is Decision.REVIEW and not card.settled_by:
        # A perfect label of a guess would be read as sure the next time (I7).
        raise BadInputError(
            f"Carton {card.carton_id} waits for review",
            mend="Settle it first, then print its label",
        )
    if not (fields.gtin and fields.batch and fields.expiry):
        raise BadInputError(
            f"Carton {card.carton_id} has no complete code yet",
            mend="Settle the review first, then print its label",
        )
    return label_zpl(
        gtin=fields.gtin.value,
        batch=fields.batch.value,
        expiry=date.fromisoformat(fields.expiry.value),
        description=card.description,
        carton=card.carton_id,
    )


class LabelPrinter:
    """A network label printer that takes raw ZPL on a TCP port (9100 by custom)."""

    def __init__(self, host: str, port: int = PRINTER_PORT, *, timeout_s: float = 3.0) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s

    async def print(self, zpl: str) -> None:
        """Send one job and wait until the printer has taken it. Raises UnavailableError."""
        try:
            async with asyncio.timeout(self._timeout_s):
                _, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    writer.write(zpl.encode("utf-8"))
                    await writer.drain()
                finally:
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            raise UnavailableError(
                f"The label printer at {self._host}:{self._port} does not answer",
                mend="Check its power, paper and cable, then print again; or download the label",
            ) from error
