"""Managing people, tokens and devices from the hub's machine, while the hub has its files open."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from appliance.accounts.store import WrongPasswordError
from appliance.cli.register import register
from appliance.config import load_config
from appliance.hub.folder import open_accounts, site_ca
from appliance.identity.device import DeviceIdentity
from appliance.identity.registry import DeviceRegistry
from appliance.layout import Layout
from contracts.clock import SystemClock
from contracts.errors import BadInputError, ConflictError, NotFoundError, TallymanError


@pytest.fixture
def config(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    return load_config()


@pytest.fixture
def say(config):
    app = typer.Typer()
    register(app, typer.Typer())

    def run(*words: str, typed: str = "") -> Result:
        done = CliRunner().invoke(app, list(words), input=typed)
        if isinstance(done.exception, TallymanError):
            raise done.exception
        return done

    return run


def test_a_person_is_added_demoted_disabled_and_gets_a_new_password(say, config):
    with open_accounts(config) as hub:
        say("user", "add", "wang", "--role", "ops", typed="a long password\n")
        say(
            "user",
            "add",
            "Li",
            "--role",
            "operator",
            "--role",
            "quality",
            typed="another long one\n",
        )
        assert say("user", "list").output.splitlines() == [
            "li\toperator,quality\tenabled\tLi",
            "wang\tops\tenabled\twang",
        ]
        session = hub.sign_in("li", "another long one", address="here")
        assert hub.read(session) is not None
        say("user", "roles", "li", "--role", "viewer")
        assert hub.read(session) is None, "open sessions end with the roles"
        say("user", "password", "li", typed="a third long one\n")
        assert hub.sign_in("li", "a third long one", address="here")
        say("user", "disable", "li")
        with pytest.raises(WrongPasswordError):
            hub.sign_in("li", "a third long one", address="here")
        say("user", "enable", "li")
        assert hub.sign_in("li", "a third long one", address="here")
    with pytest.raises(ConflictError, match="last person in role ops"):
        say("user", "disable", "wang")
    with pytest.raises(BadInputError, match="characters"):
        say("user", "add", "zhao", "--role", "viewer", typed="short\n")


def test_a_token_is_shown_once_works_and_ends(say, config):
    secret = say("token", "add", "photo-eye", "--scope", "trigger").output.strip()
    with open_accounts(config) as hub:
        known = hub.api_token(secret)
        assert known is not None
        assert known.scopes == {"trigger"}
        listed = say("token", "list").output
        assert listed == f"{known.token_id}\tphoto-eye\ttrigger\n"
        assert secret not in listed
        say("token", "revoke", known.token_id)
        assert hub.api_token(secret) is None
    for scope in ("device", "everything"):
        with pytest.raises(BadInputError, match="no scope"):
            say("token", "add", "x", "--scope", scope)
    with pytest.raises(NotFoundError):
        say("token", "revoke", "nothing")


def test_a_quarantined_box_is_seen_readmitted_and_shut_out(say, config, tmp_path):
    identity = DeviceIdentity.open_or_create(tmp_path / "identity", "edge-07")
    files = Layout(config.data).devices_db
    with closing(DeviceRegistry(files, site_ca(config), SystemClock())) as hub:
        hub.claim("edge-07", hub.new_claim("edge-07"), identity.csr_pem())
        hub.quarantine("edge-07", "two histories")
        assert say("device", "list").output.split("\t")[:2] == ["edge-07", "quarantined"]
        say("device", "readmit", "edge-07", "--why", "the disk was swapped")
        assert hub.device("edge-07").state == "active"
        say("device", "revoke", "edge-07", "--why", "sold")
        assert hub.device("edge-07").state == "revoked"
    assert say("device", "revoke", "edge-08").exit_code == 2, "a reason must be given"
