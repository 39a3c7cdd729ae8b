"""One bit, said in the ways photo-eyes say it, and nothing else."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadInputError
from telemetry.photo_eye import PhotoEye, parse_photo_eye


@pytest.mark.parametrize("said", [b"1", b"true", b"TRUE\n", b'{"state":1}', b'{"state":true}'])
def test_covered(said: bytes) -> None:
    assert parse_photo_eye(said) == PhotoEye(covered=True)


@pytest.mark.parametrize("said", [b"0", b"false", b" False", b'{"state":0,"battery":88}'])
def test_uncovered(said: bytes) -> None:
    assert parse_photo_eye(said) == PhotoEye(covered=False)


def test_the_eyes_own_time_is_kept_for_the_record() -> None:
    eye = parse_photo_eye(b'{"state":1,"at":"2026-11-21T09:00:00+01:00"}')
    assert eye.at == datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"2",
        b"on",
        b"null",
        b"[1]",
        b'{"state":2}',
        b'{"state":"1"}',
        b'{"state":1.5}',
        b'{"at":"2026-11-21T08:00:00Z"}',
        b'{"state":1,"at":"2026-11-21T08:00:00"}',
        b'{"state":1',
        b"\xff\xfe1",
        b'{"state":1,"x":"' + b"a" * 300 + b'"}',
    ],
)
def test_what_is_no_plain_answer_is_refused(said: bytes) -> None:
    with pytest.raises(BadInputError, match="photo-eye payload") as caught:
        parse_photo_eye(said)
    assert "Send" in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_refusal(said: bytes) -> None:
    try:
        eye = parse_photo_eye(said)
    except BadInputError:
        return
    assert isinstance(eye.covered, bool)


@given(st.booleans(), st.datetimes(timezones=st.just(UTC)))
def test_what_an_eye_writes_is_read_back(covered, at) -> None:
    said = json.dumps({"state": int(covered), "at": at.isoformat()}).encode()
    assert parse_photo_eye(said) == PhotoEye(covered, at)
