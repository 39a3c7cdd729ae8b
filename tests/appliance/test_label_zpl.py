"""The replacement label: GS1-128 as GS1 wants it, and nothing on it is a printer command."""

from __future__ import annotations

import asyncio
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.label_zpl import LabelPrinter, element_string, escape, label_zpl
from contracts.errors import BadInputError, UnavailableError

LOT_CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz"


def _unescape(field: str) -> str:
    data = re.sub(r"_([0-9A-F]{2})", lambda m: chr(int(m.group(1), 16)), field)
    return data.encode("latin-1").decode("utf-8")


def test_a_label_is_what_a_zebra_wants() -> None:
    zpl = label_zpl(
        gtin="4006381333931",
        batch="L2611A07",
        expiry=date(2027, 3, 31),
        description="Rolled oats 12 x 500 g",
        carton="C-00012",
    )
    assert zpl.splitlines() == [
        "^XA",
        "^CI28",
        "^PW800^LL480^LH0,0",
        "^FO32,28^A0N,36,36^FH^FDRolled oats 12 x 500 g^FS",
        "^FO32,80^A0N,30,30^FH^FDGTIN  04006381333931^FS",
        "^FO32,120^A0N,30,30^FH^FDLOT   L2611A07^FS",
        "^FO32,160^A0N,30,30^FH^FDEXP   2027-03-31^FS",
        "^FO500,160^A0N,22,22^FH^FDC-00012^FS",
        "^FO32,210^BY2,3,150^BCN,150,N,N,N,N^FH^FD>;>801040063813339311727033110>6L2611A07^FS",
        "^FO32,380^A0N,26,26^FH^FD(01)04006381333931(17)270331(10)L2611A07^FS",
        "^PQ1,0,1,N",
        "^XZ",
    ]


def test_an_even_run_of_digits_stays_in_the_dense_subset() -> None:
    assert element_string("04006381333931", "123456", date(2027, 3, 31)).endswith("27033110123456")
    assert element_string("04006381333931", "12345", date(2027, 3, 31)).endswith("10>612345")


@given(st.text(min_size=1, max_size=60))
def test_no_text_becomes_a_command(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("^~\\")
    assert _unescape(escaped) == text


@given(st.text(alphabet=LOT_CHARACTERS, min_size=1, max_size=20))
def test_every_gs1_lot_is_readable_back_from_its_label(lot: str) -> None:
    zpl = label_zpl(gtin="4006381333931", batch=lot, expiry=date(2027, 3, 31))
    shown = re.search(r"\^FDLOT   (.*?)\^FS", zpl)
    bars = re.search(r"\^BCN.*?\^FD>;>8(.*?)\^FS", zpl)
    assert shown is not None
    assert bars is not None
    assert _unescape(shown.group(1)) == lot
    tail = bars.group(1).removeprefix("010400638133393117270331").removeprefix("10")
    assert _unescape(tail.removeprefix(">6").replace(">0", ">")) == lot


@pytest.mark.parametrize("batch", ["", "has space", "über", "x" * 21, "A^B"])
def test_a_batch_that_gs1_does_not_allow_is_refused(batch: str) -> None:
    with pytest.raises(BadInputError):
        label_zpl(gtin="4006381333931", batch=batch, expiry=date(2027, 3, 31))


async def test_a_printer_takes_the_job_over_tcp() -> None:
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def printer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(printer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await LabelPrinter("127.0.0.1", port).print("^XA^XZ\n")
        assert await asyncio.wait_for(got, 10) == b"^XA^XZ\n"


async def test_a_printer_that_is_off_is_named(free_port: int) -> None:
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{free_port} does not answer"):
        await LabelPrinter("127.0.0.1", free_port, timeout_s=2).print("^XA^XZ\n")
