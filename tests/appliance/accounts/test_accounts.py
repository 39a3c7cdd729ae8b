"""People at the hub: the first link, passwords, roles, sessions, programs' tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.bind_guard import check_bind
from appliance.accounts.limit import FailureLimiter, Limit
from appliance.accounts.session import AccountFacts, SessionVerifier, issue, new_claims, read_claims
from appliance.accounts.store import (
    Accounts,
    LinkSpentError,
    TooManyTriesError,
    WrongPasswordError,
)
from appliance.accounts.user import (
    BadNameError,
    PasswordTooShortError,
    Role,
    clean_name,
)
from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError

PASSWORD = "four words in a row"  # noqa: S105 -- a story's password
KEY = Ed25519PrivateKey.generate()
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def accounts(tmp_path: Path, clock: FixedClock):
    opened = Accounts.open(tmp_path / "accounts.db", clock=clock, session_key=KEY, hasher=CHEAP)
    yield opened
    opened.close()


@pytest.fixture
def mei(accounts: Accounts) -> str:
    """Mei came in by the first link; this is her session."""
    token = accounts.first_sign_in_token()
    assert token is not None
    return accounts.first_sign_in(token, "Mei", PASSWORD)


def test_the_first_person_comes_in_by_a_link_that_works_once(accounts: Accounts):
    token = accounts.first_sign_in_token()
    assert token is not None
    assert accounts.first_link_is_good(token)
    session = accounts.first_sign_in(token, "Mei", PASSWORD)
    user = accounts.read(session)
    assert user is not None
    assert (user.name, user.display_name) == ("mei", "Mei")
    assert user.roles == {Role.OPS, Role.QUALITY, Role.OPERATOR}
    with pytest.raises(LinkSpentError):
        accounts.first_sign_in(token, "Eve", PASSWORD)
    assert accounts.first_sign_in_token() is None


def test_the_first_link_expires_and_a_new_one_ends_the_old(accounts: Accounts, clock: FixedClock):
    old = accounts.first_sign_in_token()
    new = accounts.first_sign_in_token()
    assert old is not None
    assert new is not None
    assert not accounts.first_link_is_good(old)
    assert accounts.first_link_is_good(new)
    clock.at += timedelta(hours=25)
    with pytest.raises(LinkSpentError):
        accounts.first_sign_in(new, "Mei", PASSWORD)


def test_a_bad_name_or_short_password_does_not_spend_the_link(accounts: Accounts):
    token = accounts.first_sign_in_token()
    assert token is not None
    with pytest.raises(PasswordTooShortError):
        accounts.first_sign_in(token, "Mei", "short")
    with pytest.raises(BadNameError):
        accounts.first_sign_in(token, "two words", PASSWORD)
    assert accounts.first_link_is_good(token)


def test_nothing_in_the_file_lets_anybody_in(accounts: Accounts, mei: str, tmp_path: Path):
    secret = accounts.new_token("photo eye", ["trigger"])
    accounts.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in (PASSWORD, secret, mei):
        assert word.encode() not in raw
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0


def test_signing_in_takes_the_name_in_any_spelling(accounts: Accounts, mei: str):
    assert accounts.read(accounts.sign_in(" MEI ", PASSWORD, address="10.0.0.1")) is not None


@pytest.mark.parametrize(
    ("name", "password"), [("mei", "wrong"), ("nobody", PASSWORD), ("a b", "")]
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    accounts: Accounts, mei: str, name: str, password: str
):
    with pytest.raises(WrongPasswordError, match="Name or password is wrong"):
        accounts.sign_in(name, password, address="10.0.0.1")


def test_guessing_is_stopped_and_locks_out_nobody_elsewhere(
    accounts: Accounts, mei: str, clock: FixedClock
):
    for _ in range(5):
        with pytest.raises(WrongPasswordError):
            accounts.sign_in("mei", "guess", address="10.0.0.66")
    with pytest.raises(TooManyTriesError):
        accounts.sign_in("mei", PASSWORD, address="10.0.0.66")
    assert accounts.sign_in("mei", PASSWORD, address="10.0.0.1")
    clock.at += timedelta(minutes=5)
    assert accounts.sign_in("mei", PASSWORD, address="10.0.0.66")


def test_a_session_ends_after_twelve_hours_or_with_signing_out(
    accounts: Accounts, mei: str, clock: FixedClock
):
    other = accounts.sign_in("mei", PASSWORD, address="10.0.0.1")
    accounts.sign_out(mei)
    assert accounts.read(mei) is None
    assert accounts.read(other) is not None
    clock.at += timedelta(hours=12)
    assert accounts.read(other) is None


def test_changing_what_a_person_may_do_ends_their_sessions(accounts: Accounts, mei: str):
    accounts.add_user("Li", PASSWORD, [Role.OPERATOR])
    session = accounts.sign_in("li", PASSWORD, address="10.0.0.1")
    accounts.set_roles("li", [Role.QUALITY])
    assert accounts.read(session) is None
    session = accounts.sign_in("li", PASSWORD, address="10.0.0.1")
    user = accounts.read(session)
    assert user is not None
    assert user.may(Role.QUALITY)
    assert not user.may(Role.OPS, Role.OPERATOR)
    accounts.disable("li")
    assert accounts.read(session) is None
    with pytest.raises(WrongPasswordError):
        accounts.sign_in("li", PASSWORD, address="10.0.0.1")
    accounts.enable("li")
    assert accounts.read(session) is None
    accounts.set_password("li", PASSWORD + "!")
    assert accounts.sign_in("li", PASSWORD + "!", address="10.0.0.1")


def test_the_last_ops_person_stays(accounts: Accounts, mei: str):
    with pytest.raises(ConflictError, match="last person in role ops"):
        accounts.disable("mei")
    with pytest.raises(ConflictError):
        accounts.set_roles("mei", [Role.VIEWER])
    accounts.add_user("Li", PASSWORD, [Role.OPS])
    accounts.disable("mei")
    assert [(a.name, a.disabled) for a in accounts.users()] == [("li", False), ("mei", True)]


def test_names_are_taken_once_and_roles_are_known(accounts: Accounts, mei: str):
    with pytest.raises(ConflictError, match="taken"):
        accounts.add_user("MEI", PASSWORD, [])
    with pytest.raises(BadInputError, match="emperor"):
        accounts.add_user("li", PASSWORD, ["emperor"])
    with pytest.raises(BadInputError, match="no device"):
        accounts.add_user("li", PASSWORD, [Role.DEVICE])
    with pytest.raises(NotFoundError):
        accounts.disable("li")


def test_chinese_names_are_names():
    assert clean_name("王美") == "王美"


def test_accounts_outlive_a_restart_and_a_change_of_the_hashs_cost(
    accounts: Accounts, mei: str, tmp_path: Path, clock
):
    accounts.close()
    again = Accounts.open(tmp_path / "accounts.db", clock=clock, session_key=KEY)
    assert again.read(mei) is not None
    assert again.first_sign_in_token() is None
    assert again.read(again.sign_in("mei", PASSWORD, address="10.0.0.1")) is not None
    again.close()


def test_an_edge_box_judges_sessions_and_tokens_without_the_hub(
    accounts: Accounts, mei: str, clock: FixedClock
):
    facts = AccountFacts()
    edge = SessionVerifier(lambda: facts, clock=clock)
    assert edge.read(mei) is None
    secret = accounts.new_token("photo eye", ["trigger"])
    facts = accounts.facts()
    assert edge.read(mei) == accounts.read(mei)
    token = edge.api_token(secret)
    assert token is not None
    assert token.scopes == {"trigger"}
    assert edge.api_token("tly_guess") is None
    accounts.sign_out(mei)
    facts = accounts.facts()
    assert edge.read(mei) is None
    accounts.revoke_token(token.token_id)
    facts = accounts.facts()
    assert edge.api_token(secret) is None
    session = accounts.sign_in("mei", PASSWORD, address="10.0.0.1")
    accounts.set_password("mei", PASSWORD + "!")
    assert edge.read(session) is not None
    facts = accounts.facts()
    assert edge.read(session) is None


def test_an_api_token_needs_a_name_and_a_scope(accounts: Accounts):
    for name, scopes in (("", ["trigger"]), ("eye", []), ("eye", ["a b"])):
        with pytest.raises(BadInputError):
            accounts.new_token(name, scopes)
    with pytest.raises(NotFoundError):
        accounts.revoke_token("none")


@given(place=st.integers(0, 1000), bit=st.integers(0, 6))
def test_a_token_with_a_flipped_bit_is_nobodys(place: int, bit: int):
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    claims = new_claims("mei", "Mei", frozenset({Role.OPS}), version=1, now=clock.now())
    token = issue(claims, KEY)
    assert read_claims(token, KEY.public_key(), clock.now()) == claims
    raw = bytearray(token.encode())
    raw[place % len(raw)] ^= 1 << bit
    changed = read_claims(raw.decode(), KEY.public_key(), clock.now())
    # The last base64 character of a part has spare bits: then it says the same.
    assert changed in (None, claims)


def test_another_sites_token_is_nobodys(clock: FixedClock):
    claims = new_claims("mei", "Mei", frozenset({Role.OPS}), version=1, now=clock.now())
    token = issue(claims, Ed25519PrivateKey.generate())
    assert read_claims(token, KEY.public_key(), clock.now()) is None
    for text in ("", ".", "a.b", "é.é", token + "."):
        assert read_claims(text, KEY.public_key(), clock.now()) is None


def test_the_limiter_forgets_what_is_old_and_stays_small(clock: FixedClock):
    limiter = FailureLimiter(Limit(1, timedelta(minutes=1)))
    for number in range(10_050):
        limiter.failed(str(number), clock.now())
    assert len(limiter._failures) <= 10_000
    assert not limiter.may_try("10049", clock.now())
    clock.at += timedelta(minutes=1)
    assert limiter.may_try("10049", clock.now())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_tls(host: str):
    check_bind(host, tls=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.1.4", "dock.example"])
def test_elsewhere_needs_tls(host: str):
    with pytest.raises(BadInputError, match="without TLS"):
        check_bind(host, tls=False)
    check_bind(host, tls=True)
