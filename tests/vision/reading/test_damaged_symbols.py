"""Matrix codes with a part of them gone: read where that can be proven, else not at all."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from tests.vision.reading.printed import TEXT, page, symbol
from vision.frames import decode_frame
from vision.reading.symbols import elements_of, read_symbols
from vision.reading.symbols_erasures import data_matrix, qr, reed_solomon
from vision.reading.symbols_erasures.layout import Layout

Modules = NDArray[np.bool_]
RANDOM = np.random.default_rng(3)
BROWN, INK = (120, 160, 195), (38, 36, 36)


def label(kind: str) -> NDArray[np.uint8]:
    options: dict[str, object] = {"gs1": True} if kind == "DataMatrix" else {"ec_level": "Q"}
    return page(symbol(kind, TEXT, module=8, **options), at=(480, 330))


def torn(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A finder's corner is torn off down to the board, and there is a blot of ink."""
    x, y, w, h = cv2.boundingRect(cv2.findNonZero((frame[:, :, 0] < 128).astype(np.uint8)))
    out = frame.copy()
    cv2.ellipse(out, (x + w // 2, y - 4), (w // 9, h // 8), 15, 0, 360, BROWN, -1)
    cv2.ellipse(out, (x + w * 2 // 3, y + h * 2 // 3), (w // 12, h // 12), 40, 0, 360, INK, -1)
    return out


def wrinkled(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Moved by up to seven pixels in waves, as paper on a soft carton is."""
    rows, columns = np.indices(frame.shape[:2]).astype(np.float32)
    across = columns + 7 * np.sin(rows / 31)
    down = rows + 6 * np.sin(columns / 37 + 1)
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(frame, across, down, cv2.INTER_LINEAR, borderMode=edge), np.uint8)


@pytest.mark.parametrize("kind", ["QRCode", "DataMatrix"])
@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_wrinkled_and_torn_code_is_read_where_the_decoder_gives_up(kind: str, turns: int) -> None:
    frame = np.ascontiguousarray(np.rot90(torn(wrinkled(label(kind))), turns))
    assert zxingcpp.read_barcodes(frame) == []
    (seen,) = read_symbols(frame)
    assert seen.elements == elements_of("QRCode", TEXT, gs1=False)
    dark = np.argwhere(frame[:, :, 0] < 100)[:, ::-1]
    assert np.abs(np.mean(seen.symbol.quad, axis=0) - dark.mean(axis=0)).max() < 20


@pytest.mark.parametrize("kind", ["QRCode", "DataMatrix"])
def test_a_code_that_is_mostly_gone_gives_nothing(kind: str) -> None:
    frame = wrinkled(label(kind))
    x, y, w, h = cv2.boundingRect(cv2.findNonZero((frame[:, :, 0] < 128).astype(np.uint8)))
    frame[y : y + h * 6 // 10, x + w // 4 : x + w] = BROWN
    assert read_symbols(frame) == ()


def test_squares_of_noise_are_no_symbols() -> None:
    for _ in range(6):
        side = int(RANDOM.integers(18, 30))
        noise = np.kron(RANDOM.integers(0, 2, (side, side)) * 255, np.ones((8, 8)))
        assert read_symbols(page(noise.astype(np.uint8), at=(400, 300))) == ()


@pytest.mark.parametrize("side", [10, 14, 18, 22, 26, 32, 44])
def test_data_matrix_codewords_lie_where_the_encoder_puts_them(side: int) -> None:
    modules = encoded("DataMatrix", side)
    layout = data_matrix.layout(side)
    assert proven(layout, modules, reed_solomon.DATA_MATRIX)


@pytest.mark.parametrize("level", qr.LEVELS)
@pytest.mark.parametrize("side", [21, 25, 29, 45, 57])
def test_qr_codewords_lie_where_the_encoder_puts_them(side: int, level: str) -> None:
    modules = encoded("QRCode", side, ec_level=level)
    said, mask = qr.formats(np.where(modules, 1.0, -1.0))[0]
    assert said == level
    assert proven(qr.layout(side, level, mask), modules, reed_solomon.QR)


def proven(layout: Layout, modules: Modules, field: reed_solomon.Field) -> bool:
    """Every block is a codeword as it stands, and drawing the words gives the symbol again."""
    words = layout.words(modules)
    return np.array_equal(layout.modules(words), modules) and all(
        reed_solomon.correct(words[b.codewords], b.parity, (), field, spare=b.parity) is not None
        for b in layout.blocks
    )


def encoded(kind: str, side: int, **options: object) -> Modules:
    """A symbol of just that size, of a text as long as it takes."""
    for length in range(1, 280):
        text = "".join(RANDOM.choice(list("abcdefgh"), length))
        try:
            modules = symbol(kind, text, module=1, **options) < 128
        except ValueError:
            continue
        rows, columns = np.nonzero(modules)
        inner = modules[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        level = options.get("ec_level")
        if inner.shape == (side, side) and level in {None, _level(inner)}:
            return inner
    raise AssertionError(f"no text makes a {kind} of {side} modules")


def _level(modules: Modules) -> str:
    return qr.formats(np.where(modules, 1.0, -1.0))[0][0]


@pytest.mark.parametrize("field", [reed_solomon.QR, reed_solomon.DATA_MATRIX])
def test_twice_as_many_erasures_as_errors_and_never_beyond_the_proof(
    field: reed_solomon.Field,
) -> None:
    if field is reed_solomon.QR:
        modules = encoded("QRCode", 29)
        layout = qr.layout(29, *qr.formats(np.where(modules, 1.0, -1.0))[0])
    else:
        modules = encoded("DataMatrix", 22)
        layout = data_matrix.layout(22)
    block = layout.blocks[0]
    right = layout.words(modules)[block.codewords]
    most = block.parity - 2
    for erased in range(0, most + 1, 2):
        errors = (most - erased) // 2
        places = [int(i) for i in RANDOM.permutation(len(right))]
        damaged = right.copy()
        damaged[places[: erased + errors]] ^= RANDOM.integers(1, 256, erased + errors)
        mended = reed_solomon.correct(damaged, block.parity, places[:erased], field, spare=2)
        assert mended is not None
        assert np.array_equal(mended, right)
        damaged[places[erased + errors : erased + errors + 2]] ^= 91
        beyond = reed_solomon.correct(damaged, block.parity, places[:erased], field, spare=2)
        assert beyond is None or np.array_equal(beyond, right)


@pytest.mark.data
def test_damaged_codes_of_the_development_set_are_right_and_none_is_wrong(data_dir: Path) -> None:
    """A third of them; all 55 of the set give 18, zxing-cpp by itself 5."""
    folder = data_dir / "labels" / "damaged_dev"
    frames = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["frames"]
    matrix = [each for each in frames if each.get("symbology") in {"QR", "DataMatrix"}]
    right = plain = 0
    for each in matrix[::3]:
        frame = decode_frame((folder / each["file"]).read_bytes(), name=each["file"])
        plain += bool(zxingcpp.read_barcodes(frame))
        for seen in read_symbols(frame):
            assert seen.elements.gtin == each["fields"]["gtin"]
            assert seen.elements.batch == each["fields"]["batch"]
            right += 1
    assert right > 2 * plain
