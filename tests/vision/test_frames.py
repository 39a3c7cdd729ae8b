"""Pictures that a station cannot use are refused with a reason; the others come out as BGR."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from contracts.errors import BadFrameError
from vision.frames import decode_frame


def picture(height: int = 60, width: int = 80) -> np.ndarray:
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    return np.dstack([np.tile(ramp, (height, 1))] * 3)


def encoded(image: np.ndarray, ending: str = ".jpg") -> bytes:
    return cv2.imencode(ending, image)[1].tobytes()


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp"])
def test_a_sound_picture_comes_out_as_bgr(ending: str) -> None:
    frame = decode_frame(encoded(picture(), ending), name="a")
    assert frame.shape == (60, 80, 3)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_truncated_picture_is_refused_not_half_decoded(ending: str, share: float) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    whole = encoded(noise, ending)
    with pytest.raises(BadFrameError) as refused:
        decode_frame(whole[: int(len(whole) * share)], name="cut.x")
    assert "cut.x" in str(refused.value)
    assert refused.value.mend


def test_a_jpeg_cut_behind_its_thumbnail_is_refused() -> None:
    thumbnail = encoded(picture(16, 16))
    whole = encoded(picture())
    segment = b"Exif\x00\x00" + thumbnail
    with_thumbnail = (
        whole[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
    )
    assert decode_frame(with_thumbnail, name="whole").shape == (60, 80, 3)
    with pytest.raises(BadFrameError, match="truncated"):
        decode_frame(with_thumbnail[:-40], name="cut")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BadFrameError, match="empty"):
        decode_frame(b"", name="nothing.jpg")


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(50), b"%PDF-1.7", b"\x00" * 100, b"text"])
def test_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrameError, match="not a JPEG, PNG or BMP"):
        decode_frame(data, name="other")


def test_a_hundred_megapixels_are_refused_by_the_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    chunk = (
        struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    with pytest.raises(BadFrameError, match="megapixels"):
        decode_frame(b"\x89PNG\r\n\x1a\n" + chunk, name="bomb.png")


def test_a_huge_jpeg_is_refused_by_the_header_alone() -> None:
    whole = bytearray(encoded(picture()))
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = struct.pack(">HH", 10_000, 10_000)
    with pytest.raises(BadFrameError, match="megapixels"):
        decode_frame(bytes(whole), name="bomb.jpg")


def test_sixteen_bits_are_refused_with_a_mend() -> None:
    deep = (picture().astype(np.uint16) * 16)[:, :, 0]
    with pytest.raises(BadFrameError, match="16 bits") as refused:
        decode_frame(encoded(deep, ".png"), name="deep.png")
    assert "8 bits" in refused.value.mend


def test_a_flipped_byte_in_a_png_is_refused() -> None:
    whole = bytearray(encoded(picture(), ".png"))
    whole[len(whole) // 2] ^= 0xFF
    with pytest.raises(BadFrameError, match="damaged"):
        decode_frame(bytes(whole), name="flip.png")


def test_grey_becomes_bgr() -> None:
    frame = decode_frame(encoded(picture()[:, :, 0], ".png"), name="grey")
    assert frame.shape == (60, 80, 3)


def test_alpha_is_laid_over_white() -> None:
    image = np.zeros((40, 40, 4), dtype=np.uint8)
    image[:20, :, 3] = 255
    frame = decode_frame(encoded(image, ".png"), name="alpha")
    assert frame[5, 5].tolist() == [0, 0, 0]
    assert frame[30, 30].tolist() == [255, 255, 255]


def test_exif_orientation_is_applied() -> None:
    tiff = b"MM\x00\x2a\x00\x00\x00\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0) + bytes(4)
    segment = b"Exif\x00\x00" + tiff
    whole = encoded(picture(60, 80))
    turned = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
    assert decode_frame(turned, name="turned").shape == (80, 60, 3)


def test_a_speck_is_refused() -> None:
    with pytest.raises(BadFrameError, match="too small"):
        decode_frame(encoded(picture(8, 8), ".png"), name="speck")
