"""What is shown over a code is held to the truth of that very frame."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.bench.shelf.film.codes import goods
from appliance.bench.shelf.film.film import Film, Plan, Seen
from appliance.bench.shelf.judge import Account, Shown, held_errors

GOODS = tuple(goods(12, seed=3))
NOWHERE = goods(1, seed=99)[0]
KNOWN = frozenset(each.gtin for each in GOODS)


@pytest.fixture(scope="module")
def truth() -> list[Seen]:
    return Film(Plan((GOODS,))).truth(0)


def over(seen: Seen, code=None, *, by: tuple[float, float] = (0, 0), state="confirmed") -> Shown:
    code = code or seen.code
    corners = tuple(float(each) for each in (seen.quad + np.array(by)).ravel())
    return Shown(seen.place + 1, state, code.text, code.gtin, corners)


def test_every_product_on_its_code_is_right_and_its_distance_counted(truth) -> None:
    account = Account(KNOWN)
    account.add(0, 40.0, [over(each, by=(0.6, 0.8)) for each in truth], truth)
    assert (account.right, account.wrong, account.missing) == (12, [], 0)
    assert (account.p50_px, account.p95_px) == (1.0, 1.0)
    assert account.settled_ms == [40.0] * 12


def test_a_product_on_another_ones_code_is_wrong(truth) -> None:
    account = Account(KNOWN)
    account.add(7, 0, [over(truth[0], GOODS[1])], truth)
    (wrong,) = account.wrong
    assert (wrong["frame"], wrong["shown"], wrong["stands_on"]) == (7, GOODS[1].text, GOODS[0].text)


def test_a_product_that_is_nowhere_in_the_film_is_wrong_wherever_it_stands(truth) -> None:
    account = Account(KNOWN)
    account.add(0, 0, [over(truth[0], NOWHERE), over(truth[0], NOWHERE, by=(0, 90))], truth)
    assert len(account.wrong) == 2


def test_beside_every_code_and_on_a_hand_it_is_adrift(truth) -> None:
    account = Account(KNOWN)
    account.add(0, 0, [over(truth[0], by=(0, 90))], truth)
    film = Film(Plan((GOODS, (GOODS[1], GOODS[0], *GOODS[2:])), frames=60))
    covered = film.truth(28)
    account.add(28, 0, [over(covered[0], GOODS[1])], covered)
    assert (account.adrift, account.wrong) == (2, [])


def test_what_is_only_seen_or_on_no_list_is_no_wrong_product(truth) -> None:
    account = Account(KNOWN)
    account.add(0, 0, [over(truth[0], GOODS[1], state="seen")], truth)
    account.add(0, 0, [over(truth[0], NOWHERE, state="off_list")], truth)
    assert (account.wrong, account.phantoms, account.missing) == ([], 1, 24)


def test_a_steady_offset_is_no_jitter_and_a_shaking_tag_is(truth) -> None:
    steady, shaking = Account(KNOWN), Account(KNOWN)
    for number in range(10):
        steady.add(number, 0, [over(truth[0], by=(2, 0))], truth)
        shaking.add(number, 0, [over(truth[0], by=(1 - 2 * (number % 2), 0))], truth)
    assert steady.jitter_px == 0.0
    assert shaking.jitter_px == pytest.approx(1.0)


def test_the_peer_holds_the_last_detection_where_it_was(truth) -> None:
    quad = [float(each) for each in (truth[4].quad + np.array((30, 40))).ravel()]
    assert held_errors([(GOODS[4].text, quad), ("?", quad)], truth) == [pytest.approx(50.0)]
