"""The desk where a passphrase opens a lane's key for a moment, and the hub's own signing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.accounts.store import TooManyTriesError
from appliance.config import Config, SiteConfig
from appliance.layout import Layout
from appliance.ota.keys import make_key, open_key, read_key
from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.founding import Founding, found_site
from appliance.ota.registry.health import signature_items
from appliance.ota.registry.opening import keep_signed, open_registry, refresh, warnings
from appliance.ota.settings import OtaConfig
from appliance.teaching.locking import WrongPassphraseError
from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, ForbiddenError, UnavailableError
from contracts.ota import LANES
from ota.registry.adapters.disk import DiskMetadata
from ota.registry.records import Deed, SetState
from tests.support.model_sets import made_set

WORDS = "four words nobody guesses"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        site=SiteConfig(data=str(tmp_path / "var")),
        ota=OtaConfig(second_person=False, golden=False),
    )


@pytest.fixture
def desk(config: Config, clock: FixedClock) -> Iterator[RegistryDesk]:
    with open_registry(config, clock) as desk:
        yield desk


def found(desk: RegistryDesk, config: Config, clock: FixedClock, passphrase: str = "") -> None:
    layout = Layout(config.data)
    found_site(
        desk,
        DiskMetadata(layout.hub_ota / "tuf"),
        Founding(layout.hub_ota / "keys", ["hub"], 1, "anna"),
        passphrase=lambda what: passphrase if what.startswith("lanes") else "",
        by="anna",
        clock=clock,
    )


@pytest.fixture(scope="module")
def locked_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a hub whose lanes are locked, to copy."""
    from datetime import UTC, datetime

    folder = tmp_path_factory.mktemp("locked")
    clock = FixedClock(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
    config = Config(site=SiteConfig(data=str(folder)))
    with open_registry(config, clock) as desk:
        found(desk, config, clock, WORDS)
    return folder


@pytest.fixture
def locked(locked_hub: Path, config: Config, clock: FixedClock) -> Iterator[RegistryDesk]:
    shutil.copytree(locked_hub, config.data)
    with open_registry(config, clock) as desk:
        yield desk


def test_a_set_is_published_with_the_passphrase_and_no_other(
    locked: RegistryDesk, tmp_path: Path
) -> None:
    digest = locked.propose(made_set(tmp_path / "set").folder, by="anna").digest
    assert locked.needs_passphrase("read")
    with pytest.raises(ForbiddenError, match="locked"):
        locked.publish(digest, by="anna")
    with pytest.raises(WrongPassphraseError):
        locked.publish(digest, by="anna", passphrase="not these words")  # noqa: S106 -- wrong on purpose
    assert locked.registry.plane.targets() == {}
    done = locked.publish(digest, by="anna", passphrase=WORDS, why="better")
    assert done.state is SetState.PUBLISHED
    assert locked.renew("cracks", by="anna", passphrase=WORDS) == 3
    with pytest.raises(BadInputError, match="Nobody may sign"):
        locked.needs_passphrase("motorway")


def test_who_guesses_waits(locked: RegistryDesk, clock: FixedClock) -> None:
    for _ in range(5):
        with pytest.raises(WrongPassphraseError):
            locked.lane_signer("read", by="eve", passphrase="guess guess guess")  # noqa: S106 -- wrong on purpose
    with pytest.raises(TooManyTriesError):
        locked.lane_signer("read", by="eve", passphrase=WORDS)
    locked.lane_signer("read", by="anna", passphrase=WORDS)
    clock.at += timedelta(minutes=6)
    locked.lane_signer("read", by="eve", passphrase=WORDS)


def test_a_bad_set_is_out_before_anybody_types_a_passphrase(
    locked: RegistryDesk, tmp_path: Path
) -> None:
    digest = locked.propose(made_set(tmp_path / "set").folder, by="anna").digest
    locked.publish(digest, by="anna", passphrase=WORDS)
    with pytest.raises(WrongPassphraseError):
        locked.withdraw(digest, by="bert", reason="misreads", passphrase="in a hurry..")  # noqa: S106 -- wrong on purpose
    record = locked.registry.get(digest)
    assert (record.state, record.signed_out) == (SetState.WITHDRAWN, False)
    with pytest.raises(ConflictError, match="withdrawn already"):
        locked.withdraw(digest, by="bert", reason="misreads")
    assert locked.withdraw(digest, by="bert", reason="misreads", passphrase=WORDS).signed_out
    with pytest.raises(ConflictError):
        locked.withdraw(digest, by="bert", reason="misreads", passphrase=WORDS)


def test_without_keys_sets_are_taken_in_and_turned_down(
    desk: RegistryDesk, config: Config, clock: FixedClock, tmp_path: Path
) -> None:
    assert not desk.ready()
    assert not refresh(desk)
    assert warnings(desk, clock) == []
    digest = desk.propose(made_set(tmp_path / "set").folder, by="anna").digest
    with pytest.raises(UnavailableError, match="ota init"):
        desk.publish(digest, by="anna")
    assert desk.withdraw(digest, by="anna", reason="no").state is SetState.WITHDRAWN
    found(desk, config, clock)
    assert desk.ready()
    with pytest.raises(ConflictError, match="keys for model sets already"):
        found(desk, config, clock)


def test_an_open_hub_publishes_by_itself_and_keeps_deltas(
    desk: RegistryDesk, config: Config, clock: FixedClock, tmp_path: Path
) -> None:
    found(desk, config, clock)
    assert not desk.needs_passphrase("read")
    first = made_set(tmp_path / "1", weights=bytes(range(256)) * 40)
    second = made_set(tmp_path / "2", version="1.1.0", weights=bytes(range(256)) * 40 + b"head")
    for made in (first, second):
        clock.at += timedelta(minutes=1)
        desk.publish(desk.propose(made.folder, by="anna").digest, by="anna")
    record = desk.registry.get(second.digest)
    weights = next(each.sha256 for each in record.files if each.path == "net.onnx")
    (way,) = desk.registry.artefacts.deltas(weights)
    assert way.size_bytes < 100
    assert desk.withdraw(first.digest, by="anna", reason="old").signed_out


def test_a_lane_key_that_lies_elsewhere_is_named_by_its_file(
    desk: RegistryDesk, config: Config, clock: FixedClock, tmp_path: Path
) -> None:
    found(desk, config, clock)
    path = next((Layout(config.data).hub_ota / "keys").glob("read-*"))
    shutil.move(path, tmp_path / path.name)
    digest = desk.propose(made_set(tmp_path / "set").folder, by="anna").digest
    with pytest.raises(UnavailableError, match="not at this hub"):
        desk.publish(digest, by="anna")
    signer = open_key(read_key(tmp_path / path.name)).signer
    desk.publish(digest, by="anna", signer=signer)
    record = desk.withdraw(digest, by="anna", reason="bad")
    assert (record.state, record.signed_out) == (SetState.WITHDRAWN, False)


def test_deltas_that_cannot_be_made_do_not_stop_a_publishing(
    desk: RegistryDesk, config: Config, clock: FixedClock, tmp_path: Path
) -> None:
    found(desk, config, clock)
    first = desk.propose(made_set(tmp_path / "1").folder, by="anna")
    desk.publish(first.digest, by="anna")
    for path in (Layout(config.data).hub_ota / "blobs" / "artefacts").iterdir():
        if path.read_bytes() == b"weights":
            path.unlink()
    second = desk.propose(made_set(tmp_path / "2", version="1.1.0", weights=b"x").folder, by="a")
    assert desk.publish(second.digest, by="anna").state is SetState.PUBLISHED


async def test_the_hub_signs_again_in_time_and_says_what_people_must(
    desk: RegistryDesk, config: Config, clock: FixedClock
) -> None:
    found(desk, config, clock)
    clock.at += timedelta(days=330)
    told = asyncio.Event()
    job = asyncio.create_task(keep_signed(desk, clock=clock, changed=told.set))
    async with asyncio.timeout(60):
        await told.wait()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert {each.where for each in warnings(desk, clock)} == set(LANES)
    assert desk.registry.snapshot_version == 2
    assert desk.registry.events()[0].deed is Deed.KEYS


def test_a_key_file_is_what_it_says_or_nothing(tmp_path: Path) -> None:
    made = make_key(tmp_path, role="read", holder="anna")
    path = next(tmp_path.iterdir())
    assert read_key(path) == made.file
    for text in (b"", b"{}", path.read_bytes().replace(b'"tallyman_ota_key": 1', b'"x": 1')):
        other = tmp_path / "other.otakey"
        other.write_bytes(text)
        other.chmod(0o600)
        with pytest.raises(BadInputError, match="no key of model sets"):
            read_key(other)
    with pytest.raises(BadInputError, match="Cannot read"):
        read_key(tmp_path / "nowhere.otakey")
    swapped = make_key(tmp_path, role="read", holder="bert").file
    import msgspec

    with pytest.raises(BadInputError, match="not the one its file names"):
        open_key(msgspec.structs.replace(made.file, pem=swapped.pem))
    with pytest.raises(BadInputError, match="12 to"):
        make_key(tmp_path, role="read", holder="carl", passphrase="short")  # noqa: S106 -- refused


def test_artefacts_go_where_the_url_says(tmp_path: Path, clock: FixedClock) -> None:
    config = Config(
        site=SiteConfig(data=str(tmp_path)), ota=OtaConfig(artefacts="gopher://nowhere")
    )
    with ExitStack() as stack, pytest.raises(BadInputError, match="cannot be used"):
        stack.enter_context(open_registry(config, clock))


def test_the_health_page_tells_people_before_boxes_would(
    desk: RegistryDesk, config: Config, clock: FixedClock
) -> None:
    assert signature_items(desk, clock) == ()
    found(desk, config, clock)
    (row,) = signature_items(desk, clock)
    assert (row.state, row.notes) == ("ok", ())
    clock.at += timedelta(days=340)
    refresh(desk)
    (row,) = signature_items(desk, clock)
    assert (row.state, {each.code for each in row.notes}) == ("warn", {"ota_expires"})
    clock.at += timedelta(days=30)
    refresh(desk)
    assert signature_items(desk, clock)[0].state == "down"
    (Layout(config.data).hub_ota / "tuf" / "1.read.json").unlink()
    (row,) = signature_items(desk, clock)
    assert (row.state, row.notes[0].code) == ("down", "ota_metadata_broken")
