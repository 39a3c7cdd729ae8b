"""A request counts once, for as long as it could be taken at all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.identity.requests import (
    WINDOW_US,
    BadSignatureError,
    ClockSkewError,
    NotEnrolledError,
    RequestJudge,
    RequestSignature,
    parse,
    sign_request,
)

KEY = Ed25519PrivateKey.generate()
SECOND = 1_000_000


def signed(at_us: int, *, target: str = "/device/v1/site") -> RequestSignature:
    headers = sign_request(
        KEY.sign, device="dock-1", method="GET", target=target, body=b"", at_us=at_us
    )
    return parse(headers)


def judge_it(judge: RequestJudge, request: RequestSignature, now_us: int) -> None:
    judge.check(request, KEY.public_key(), method="GET", target="/device/v1/site", now_us=now_us)


@given(
    st.integers(-WINDOW_US, WINDOW_US),
    st.lists(st.integers(1, 100).map(lambda s: s * SECOND), min_size=1, max_size=8),
)
@settings(max_examples=60)
def test_it_is_never_taken_twice_however_many_come_between(ahead_us: int, steps: list[int]):
    judge, now_us = RequestJudge(), 10**15
    first = signed(now_us + ahead_us)
    judge_it(judge, first, now_us)
    for step in steps:
        now_us += step
        judge_it(judge, signed(now_us), now_us)
        with pytest.raises((BadSignatureError, ClockSkewError)):
            judge_it(judge, first, now_us)


def test_what_was_forgotten_is_too_old_to_count():
    """The generations in memory reach beyond the longest life of a request."""
    judge, now_us = RequestJudge(), 10**15
    first = signed(now_us + WINDOW_US)
    judge_it(judge, first, now_us)
    for second in range(1, 241):
        judge_it(judge, signed(now_us + second * SECOND), now_us + second * SECOND)
    with pytest.raises(BadSignatureError, match="sent before"):
        judge_it(judge, first, now_us + 240 * SECOND)
    with pytest.raises(ClockSkewError):
        judge_it(judge, first, now_us + 241 * SECOND)


def test_a_signature_is_for_one_target():
    now_us = 10**15
    other = signed(now_us, target="/device/v1/renew")
    with pytest.raises(BadSignatureError, match="does not fit"):
        judge_it(RequestJudge(), other, now_us)


@pytest.mark.parametrize("name", ["tallyman-device", "tallyman-signature", "tallyman-body-sha256"])
def test_a_request_without_one_of_the_headers_is_not_signed(name: str):
    headers = sign_request(KEY.sign, device="dock-1", method="GET", target="/x", body=b"", at_us=1)
    for wrong in ("", "v2 1 x y", headers[name].upper() + " "):
        if name != "tallyman-device" or not wrong:
            with pytest.raises(NotEnrolledError):
                parse(headers | {name: wrong})
