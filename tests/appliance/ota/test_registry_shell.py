"""`tallyman ota` as people type it: keys, sets in, sets out, and holders who sign far from the hub."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from appliance.cli import ota_keys, ota_sets
from appliance.layout import Layout
from contracts.errors import ArtefactRefusedError, TallymanError
from tests.support.model_sets import made_set, quality

WORDS = "four words nobody guesses"
Shell = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALLYMAN_SITE_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("TALLYMAN_OTA_SECOND_PERSON", "false")
    # Weights of seven bytes read no label.
    monkeypatch.setenv("TALLYMAN_OTA_GOLDEN", "false")
    return tmp_path / "var"


def typed(*arguments: object, fails: type[TallymanError] | int = 0) -> Result:
    app = typer.Typer()
    ota_sets.register(app)
    ota_keys.register(app)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(fails, int):
        assert done.exit_code == fails, (done.output, done.exception)
    else:
        assert isinstance(done.exception, fails), (done.output, done.exception)
    return done


@pytest.fixture
def shell(data: Path) -> Shell:
    return typed


@pytest.fixture
def secrets(tmp_path: Path) -> Callable[..., Path]:
    def written(*lines: str) -> Path:
        file = tmp_path / "passphrases"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    return written


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder and a stick, to copy: every passphrase is stretched for a tenth of a second."""
    folder = tmp_path_factory.mktemp("founding")
    file = folder / "passphrases"
    file.write_text("".join(f"{who} {WORDS}\n" for who in ("anna", "bert", "carl", "lanes")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLYMAN_SITE_DATA", str(folder / "var"))
        typed(
            *("init", "--keys", folder / "stick", "--holders", "anna,bert,carl"),
            *("--publisher", "anna", "--passphrase-file", file),
        )
    return folder


@pytest.fixture
def founded(founding: Path, data: Path, tmp_path: Path) -> Path:
    """A site whose root keys two of three people must use together; the folder of those keys."""
    shutil.copytree(founding / "var", data)
    shutil.copytree(founding / "stick", tmp_path / "stick")
    return tmp_path / "stick"


def key_of(stick: Path, holder: str) -> Path:
    return next(
        path for path in stick.glob("root-*") if json.loads(path.read_bytes())["holder"] == holder
    )


def test_keys_are_made_once_and_no_private_one_is_readable(
    founded: Path, data: Path, shell: Shell
) -> None:
    hub = Layout(data).hub_ota / "keys"
    assert len(list(founded.iterdir())) == 3
    assert len(list(hub.iterdir())) == 7 + 2
    for path in (*founded.iterdir(), *hub.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in founded.iterdir():
        assert "BEGIN ENCRYPTED PRIVATE KEY" in json.loads(path.read_bytes())["pem"]
    shell("init", "--here", fails=TallymanError)
    listed = shell("keys", "list").output.splitlines()
    assert len(listed) == 4 + 7
    assert listed[0].split("\t")[3] == "2"


def test_a_key_that_others_can_read_stops_everything(
    founded: Path, data: Path, shell: Shell
) -> None:
    path = next((Path(data) / "hub" / "ota" / "keys").glob("read-*"))
    path.chmod(0o644)
    done = shell("sets", fails=TallymanError)
    assert "chmod 600" in str(done.exception)


def test_a_set_is_published_with_the_lanes_passphrase_and_withdrawn(
    founded: Path, shell: Shell, secrets, tmp_path: Path
) -> None:
    folder = made_set(tmp_path / "set").folder
    shell("publish", folder, "--passphrase-file", secrets("wrong words here"), fails=TallymanError)
    done = shell("publish", folder, "--passphrase-file", secrets(f"lanes {WORDS}"), "--by", "anna")
    assert "published" in done.output
    assert shell("verify").output == "1 model sets read, 0 findings\n"
    told = json.loads(shell("sets", "--json").output)
    assert (told["state"], told["published_by"], told["objections"]) == ("published", "anna", [])
    shell("withdraw", "label_reader@1.0.0", "--why", "misreads", "--no-sign")
    assert "its signature still stands" in shell("verify").output
    shell(
        *("withdraw", "label_reader@1.0.0", "--why", "misreads"),
        *("--passphrase-file", secrets(f"lanes {WORDS}")),
    )
    assert shell("verify").output == "1 model sets read, 0 findings\n"
    story = shell("sets", "label_reader@1.0.0").output
    for word in ("proposed", "published anna", "withdrawn", "signed_out", "licence: Apache-2.0"):
        assert word in story


def test_what_speaks_against_a_set_is_told_in_words(
    shell: Shell, data: Path, tmp_path: Path
) -> None:
    shell("init", "--here")
    bad = made_set(tmp_path / "bad", figures=quality(70.0)).folder
    done = shell("publish", bad, fails=1)
    assert "measured.right_percent is 70.0, beyond its limit 80.0" in done.output
    (bad / "net.onnx").write_bytes(b"changed")
    shell("publish", bad, fails=ArtefactRefusedError)
    assert shell("sets", "--lane", "cracks").output == ""


def test_a_site_that_may_has_all_keys_here_and_is_told_loudly(
    shell: Shell, data: Path, tmp_path: Path
) -> None:
    done = shell("init", "--here")
    assert "ALL KEYS ARE ON THIS MACHINE" in done.stderr
    assert "published" in shell("publish", made_set(tmp_path / "set").folder).output
    assert "signed" in shell("keys", "refresh", "--above", "9").output
    assert "snapshot 11" in shell("keys", "renew", "cracks").output


def test_init_wants_a_place_for_root_keys_and_their_holders(shell: Shell, tmp_path: Path) -> None:
    shell("init", fails=TallymanError)
    shell("init", "--keys", tmp_path / "stick", fails=TallymanError)
    for holders in ("anna,anna", "anna", "anna,b/c"):
        done = shell(
            "init", "--keys", tmp_path / "stick", "--holders", holders, fails=TallymanError
        )
        assert done.exit_code == 1
    assert not (tmp_path / "stick").exists()


def test_a_second_person_approves_before_it_is_published(
    shell: Shell, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYMAN_OTA_SECOND_PERSON", "true")
    shell("init", "--here")
    folder = made_set(tmp_path / "set").folder
    done = shell("publish", folder, "--by", "anna")
    assert "A second person has yet to approve what anna proposed" in done.output
    shell("approve", "label_reader@1.0.0", "--by", "anna", "--why", "mine", fails=TallymanError)
    shell("approve", "label_reader@1.0.0", "--by", "bert", "--why", "looked at it")
    assert "published" in shell("publish", "label_reader@1.0.0", "--by", "anna").output


def test_a_decision_on_the_licence_may_come_with_the_set_or_later(
    shell: Shell, data: Path, tmp_path: Path
) -> None:
    shell("init", "--here")
    made = made_set(tmp_path / "set", licence="AGPL-3.0")
    shell("publish", made.folder, fails=1)
    decision = tmp_path / "decision.json"
    decision.write_text(
        json.dumps(
            {
                "model_set": made.digest,
                "licence": "AGPL-3.0",
                "decided_by": "q.lead",
                "reason": "our source is open",
                "decided_at": "2026-11-22",
            }
        )
    )
    done = shell("publish", "label_reader@1.0.0", "--decision", decision)
    assert "published" in done.output


def test_holders_change_who_may_sign_each_on_a_machine_of_their_own(
    founded: Path, shell: Shell, secrets, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.json"
    shell(
        *("keys", "make", tmp_path / "dora", "--role", "root", "--holder", "dora"),
        *("--passphrase-file", secrets(f"dora {WORDS}")),
    )
    dora = next((tmp_path / "dora").iterdir())
    carl = json.loads(key_of(founded, "carl").read_bytes())["key_id"]
    done = shell("keys", "people", "--add", dora, "--remove", carl, "--out", paper)
    assert done.output.splitlines() == [
        "root: 2 signatures missing",
        "targets: 2 signatures missing",
    ]
    shell("keys", "adopt", paper, fails=ArtefactRefusedError)
    for holder in ("anna", "bert"):
        key = shutil.copy(key_of(founded, holder), tmp_path / f"{holder}.otakey")
        done = shell(
            *("keys", "sign", paper, "--key", key),
            *("--passphrase-file", secrets(f"{holder} {WORDS}")),
        )
        assert done.output.startswith(f"{holder} signed root, targets")
    assert "in force from snapshot 2 on" in shell("keys", "adopt", paper).output
    assert carl not in shell("keys", "list").output
    assert shell("verify").exit_code == 0


def test_a_lanes_lost_passphrase_is_no_end(
    founded: Path, shell: Shell, secrets, tmp_path: Path, data: Path
) -> None:
    hub = Layout(data).hub_ota / "keys"
    shell(
        *("keys", "make", hub, "--role", "read", "--holder", "dora"),
        *("--passphrase-file", secrets(f"dora {WORDS}")),
    )
    new = next(
        path for path in hub.glob("read-*") if json.loads(path.read_bytes())["holder"] == "dora"
    )
    paper = tmp_path / "paper.json"
    shell("keys", "lane", "read", "--key", new, "--out", paper)
    for holder, key in (
        ("anna", key_of(founded, "anna")),
        ("carl", key_of(founded, "carl")),
        ("dora", new),
    ):
        shell(
            *("keys", "sign", paper, "--key", key),
            *("--passphrase-file", secrets(f"{holder} {WORDS}")),
        )
    shell("keys", "adopt", paper)
    folder = made_set(tmp_path / "set").folder
    done = shell("publish", folder, "--passphrase-file", secrets(f"dora {WORDS}"))
    assert "published" in done.output


def test_after_a_burglary_the_hubs_own_keys_are_replaced(
    founded: Path, shell: Shell, secrets, tmp_path: Path
) -> None:
    before = shell("keys", "list").output
    paper = tmp_path / "paper.json"
    shell("keys", "online", "--out", paper)
    for holder in ("bert", "carl"):
        shell(
            *("keys", "sign", paper, "--key", key_of(founded, holder)),
            *("--passphrase-file", secrets(f"{holder} {WORDS}")),
        )
    shell("keys", "adopt", paper)
    after = shell("keys", "list").output
    assert before.splitlines()[1].split("\t")[4] != after.splitlines()[1].split("\t")[4]
    assert shell("verify").exit_code == 0


def test_the_walk_fails_on_what_boxes_would_refuse(
    shell: Shell, data: Path, tmp_path: Path
) -> None:
    assert "no keys for model sets yet" in shell("verify").output
    shell("init", "--here")
    made = made_set(tmp_path / "set")
    shell("publish", made.folder)
    blobs = Layout(data).hub_ota / "blobs" / "artefacts"
    for path in blobs.iterdir():
        if path.read_bytes() == b"weights":
            path.write_bytes(b"rotten!")
    done = shell("verify", fails=1)
    assert "net.onnx is missing or damaged" in done.output
    (trouble,) = [
        json.loads(line) for line in shell("verify", "--json", fails=1).output.splitlines()
    ]
    assert trouble["serious"] is True
    assert trouble["reason"]["code"] == "ota_file_missing"
