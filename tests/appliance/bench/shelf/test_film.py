"""The film of a shelf says truly where every code stands, and which frame a picture is."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp

from appliance.bench.shelf.film import number as frame_number
from appliance.bench.shelf.film.codes import Code, check_digit, goods, neighbours
from appliance.bench.shelf.film.film import HEIGHT, WIDTH, Film, Plan, truth_of
from appliance.bench.shelf.film.motion import MOTIONS, pose
from appliance.bench.shelf.film.y4m import write_y4m
from contracts.errors import BadInputError

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
GOODS = tuple(goods(12, seed=3))


def read(picture) -> dict[str, np.ndarray]:
    found = zxingcpp.read_barcodes(picture, zxingcpp.BarcodeFormat.EAN13, try_rotate=False)
    return {
        each.text: np.array(
            [
                [getattr(each.position, at).x + 0.5, getattr(each.position, at).y + 0.5]
                for at in CORNERS
            ]
        )
        for each in found
    }


@pytest.mark.parametrize("motion", ["still", "hand", "walk"])
def test_a_reader_finds_the_codes_where_the_truth_says(motion) -> None:
    film = Film(Plan((GOODS,), motion=MOTIONS[motion]))
    for number in (0, 25, 50):
        found = read(film.picture(number))
        seen = {each.code.text: each for each in film.truth(number) if each.whole}
        assert len(found.keys() & seen.keys()) >= len(seen) - 2
        for text in found.keys() & seen.keys():
            # A reader finds the outer bars; up and down it ends wherever its last line ran.
            middle = (found[text] - seen[text].quad)[:, 0].mean()
            assert abs(middle) < 0.75


def test_forty_codes_at_one_and_six_tenths_of_a_pixel_are_all_in_the_picture() -> None:
    film = Film(Plan((tuple(goods(40, seed=5)),), columns=6, rows=7, module_px=1.6))
    truth = film.truth(0)
    assert len(truth) == 40
    assert all(each.whole for each in truth)
    widths = [np.ptp(each.quad[:, 0]) for each in truth]
    assert np.allclose(widths, 95 * 1.6, atol=2)
    assert len(read(film.picture(0))) >= 38


def test_codes_that_do_not_fit_their_places_are_refused() -> None:
    with pytest.raises(BadInputError, match="does not fit"):
        Film(Plan((tuple(goods(40, seed=5)),), columns=6, rows=7, module_px=2.0))


def test_a_spoilt_code_gives_no_text_and_the_truth_says_so() -> None:
    film = Film(Plan((GOODS,), spoilt=frozenset({5})))
    assert GOODS[5].text not in read(film.picture(0))
    assert [each.place for each in film.truth(0) if not each.readable] == [5]


def test_goods_change_their_places_behind_a_hand() -> None:
    swapped = (GOODS[1], GOODS[0], *GOODS[2:])
    film = Film(Plan((GOODS, swapped), frames=60))
    before, after = film.truth(10), film.truth(40)
    assert [each.code for each in before[:3]] == list(GOODS[:3])
    assert [each.code for each in after[:3]] == list(swapped[:3])
    hidden = [each.place for each in film.truth(29) if not each.whole]
    assert hidden == [0, 1]
    assert not {GOODS[0].text, GOODS[1].text} & read(film.picture(29)).keys()


def test_every_frame_carries_its_number_in_two_corners() -> None:
    film = Film(Plan((GOODS,), frames=300))
    assert frame_number.read(film.picture(299)) == 299
    picture = film.picture(41)
    picture[:100, :400] = 255
    assert frame_number.read(picture) == 41
    picture[-100:, -400:] = 255
    assert frame_number.read(picture) is None


def test_a_film_that_begins_anew_has_no_cut() -> None:
    begin, end = (
        pose(MOTIONS["walk"], at, seconds=10, size=(WIDTH, HEIGHT), seed=4) for at in (0, 10)
    )
    assert np.allclose(begin, end)


def test_the_same_plan_gives_the_same_film() -> None:
    plan = Plan((GOODS,), motion=MOTIONS["hand"], frames=30, seed=9)
    assert np.array_equal(Film(plan).picture(17), Film(plan).picture(17))
    assert truth_of(Film(plan)) == truth_of(Film(plan))


def test_neighbours_are_goods_that_a_misreading_would_give() -> None:
    near = neighbours(GOODS[0], 20, seed=1)
    assert len({each.text for each in near} - {GOODS[0].text}) == 20
    for each in near:
        differing = sum(one != two for one, two in zip(each.text, GOODS[0].text, strict=True))
        assert differing <= 3
        assert each.text[-1] == check_digit(each.text[:-1])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("96385074", "EAN8"),
        ("09501101530003", "ITF14"),
        ("(01)09501101530003(10)AB1", "Code128"),
        ("(01)09501101530003(17)270331(10)AB-123", "DataMatrix"),
        ("https://id.gs1.org/01/09501101530003/10/AB?17=270331", "QRCode"),
    ],
)
def test_other_symbologies_stand_on_the_shelf_too(text, kind) -> None:
    film = Film(Plan(((Code(text, kind),),), columns=2, rows=1, module_px=3))
    (only,) = zxingcpp.read_barcodes(film.picture(0)[40:-40])
    assert only.text.replace("\x1d", "") == text.replace("\x1d", "")


def test_a_camera_file_holds_every_frame(tmp_path) -> None:
    film = Film(Plan((GOODS,), frames=3))
    path = tmp_path / "film.y4m"
    written = write_y4m(path, (film.picture(at) for at in range(3)), fps=30)
    assert written == 3
    head = b"YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420\n"
    assert path.stat().st_size == len(head) + 3 * (len(b"FRAME\n") + WIDTH * HEIGHT * 3 // 2)
    assert path.read_bytes().startswith(head)
