"""A picture that the hub refuses: kept in the phone's real store, told, and the log goes on (I2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.shelf_keeping import KeepingPhone as Phone

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_PHOTOGRAPH = """async () => {
  const canvas = new OffscreenCanvas(320, 240);
  canvas.getContext("2d").fillRect(0, 0, 100, 100);
  const photo = await canvas.convertToBlob({ type: "image/jpeg" });
  await window.keep.write("flagged", { flag: "photo" }, { photos: [photo] });
}"""
_KEPT = "() => window.keep.store.database.count('photos')"


def _photographs(mei: Phone) -> dict[str, Any]:
    """One that the hub refuses as too large; what the phone says after it was sent."""
    mei.page.route(
        "**/api/v1/shelf/photos/*",
        lambda route: route.fulfill(status=413, json={"code": "bad_input", "detail": "too large"}),
    )
    mei.page.evaluate(_PHOTOGRAPH)
    return mei.syncs()


def test_a_refused_picture_is_kept_aside_and_sent_again_when_somebody_says_so(
    phone: Callable[[], Phone],
) -> None:
    mei = phone()
    mei.enrols()
    state = _photographs(mei)
    told = (state["line"], state["unsent"], state["photos"], state["refused"], state["codes"])
    assert told == ("online", 0, 0, 1, ["photo_refused"])
    mei.opens()
    assert mei.state["refused"] == 1, "kept, whatever falls"
    mei.page.unroute("**/api/v1/shelf/photos/*")
    assert mei.syncs()["refused"] == 1
    mei.page.evaluate("async () => { await window.keep.photosAgain(); }")
    assert (mei.state["refused"], mei.state["photos"], mei.page.evaluate(_KEPT)) == (0, 0, 0)


def test_a_refused_picture_may_be_given_up(phone: Callable[[], Phone]) -> None:
    mei = phone()
    mei.enrols()
    _photographs(mei)
    mei.page.evaluate("async () => { await window.keep.dropPhotos(); }")
    assert (mei.state["refused"], mei.state["photos"], mei.page.evaluate(_KEPT)) == (0, 0, 0)
