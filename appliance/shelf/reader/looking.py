"""One question about a picture, answered: what the reader's process does, without the process."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.shelf.reader.words import Answer, AnsweredCode, Look, Tap
from contracts.errors import BadFrameError
from vision.frames import decode_frame, read_header
from vision.shelf import CodeState, DamagedReader, ReadCode, StockList, read_shelf

_MOST_PIXELS = 4_000_000
_LEAST_AREA = 64.0


def answer(look: Look, known: StockList, damaged: DamagedReader) -> Answer:
    """Raises BadFrameError for a picture that cannot be used."""
    question = look.question
    picture = _picture(look.jpeg)
    if question.kind == "frame":
        reading = read_shelf(picture, known, place=question.place)
        codes, unread = reading.codes, reading.unread
        return Answer(
            question.id,
            tuple(_told(each) for each in codes),
            tuple(_flat(each) for each in unread),
            elapsed_ms=reading.elapsed_ms,
        )
    quad = _quad(question.quad, picture)
    reading = read_shelf(picture, known, regions=[quad], place=question.place, damaged=damaged)
    candidates = tuple(
        Tap(maybe.gtin, maybe.text, maybe.share)
        for each in reading.unread
        for maybe in each.candidates
    )
    # An unlisted text out of a crop that the phone could not read itself proves too little (I7).
    sure = tuple(each for each in reading.codes if each.state is CodeState.CONFIRMED)
    return Answer(
        question.id,
        tuple(_told(each) for each in sure),
        tuple(_flat(each) for each in reading.unread),
        () if sure else candidates,
        reading.elapsed_ms,
    )


def _picture(jpeg: bytes) -> NDArray[np.uint8]:
    header = read_header(jpeg, name="the picture")
    if header.width_px * header.height_px > _MOST_PIXELS:
        raise BadFrameError(
            f"The picture is {header.width_px} x {header.height_px} pixels",
            mend="Send at most 4 megapixels",
        )
    return decode_frame(jpeg, name="the picture")


def _quad(
    numbers: tuple[float, ...], picture: NDArray[np.uint8]
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]:
    height, width = picture.shape[:2]
    if numbers:
        # A corner that lies outside would have the reader cut out more than there is.
        a, c, e, g = (min(max(each, 0.0), float(width)) for each in numbers[0::2])
        b, d, f, h = (min(max(each, 0.0), float(height)) for each in numbers[1::2])
        given = ((a, b), (c, d), (e, f), (g, h))
        if abs(cv2.contourArea(np.array(given, np.float32))) >= _LEAST_AREA:
            return given
    # The phone cuts crops with a margin about the code.
    x, y = 0.08 * width, 0.08 * height
    return ((x, y), (width - x, y), (width - x, height - y), (x, height - y))


def _told(each: ReadCode) -> AnsweredCode:
    return AnsweredCode(
        each.state.value,
        each.text,
        each.format,
        each.gtin,
        each.product,
        each.units,
        each.lot,
        each.expiry,
        each.how.value,
        each.confidence,
        _flat(each),
    )


def _flat(each: ReadCode) -> tuple[float, ...]:
    return tuple(round(value, 1) for point in each.quad for value in point)
