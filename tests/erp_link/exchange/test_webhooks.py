"""Systems outside are told of what happened: signed, again until they take it, never to a place
that is not theirs.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contracts.clock import FixedClock
from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind
from erp_link.adapters.sealing import Seal
from erp_link.service import feed
from erp_link.service.core import Core
from erp_link.service.exchange.delivery import Delivery
from erp_link.service.exchange.webhooks import Webhooks
from erp_link.webhooks.addresses import Addresses, is_public
from erp_link.webhooks.schedule import ATTEMPTS, State
from erp_link.webhooks.sender import Sender
from erp_link.webhooks.signing import headers, new_secret, verify
from tests.erp_link.story import WATER

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LISTED = Addresses.of(["127.0.0.1"])


@dataclass
class Receiver:
    """An HTTP server of somebody else's: answers what `answers` says next, then 204."""

    answers: list[bytes] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?site=7"

    @property
    def ids(self) -> list[str]:
        return [given["webhook-id"] for given, _ in self.got]

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        }
        body = await reader.readexactly(int(lines.get("content-length", 0)))
        self.got.append((lines, body))
        writer.write(self.answers.pop(0) if self.answers else status(204))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def status(code: int, more: str = "", body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {code} X\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body


@dataclass
class Site:
    """Our side: a core, its webhooks, and one round of sending at a time."""

    core: Core
    webhooks: Webhooks
    clock: FixedClock

    def sends(self, receiver: Receiver, rounds: int = 1) -> None:
        async def go() -> None:
            server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
            async with server, Sender() as sender:
                delivery = Delivery(self.core, self.webhooks, addresses=LISTED, sender=sender)
                for _ in range(rounds):
                    await delivery.send_due()

        while self.webhooks.project(limit=3):
            pass
        asyncio.run(go())

    def finds_nobody(self) -> None:
        async def go() -> None:
            async with Sender() as sender:
                await Delivery(self.core, self.webhooks, addresses=LISTED, sender=sender).send_due()

        while self.webhooks.project():
            pass
        asyncio.run(go())

    def passes(self, **span: float) -> None:
        self.clock.at += timedelta(**span)


@pytest.fixture
def webhooks(core: Core, tmp_path: Path) -> Webhooks:
    return Webhooks(core, addresses=LISTED, seal=Seal.open_or_create(tmp_path / "exchange.key"))


@pytest.fixture
def site(core: Core, webhooks: Webhooks, clock: FixedClock) -> Site:
    return Site(core, webhooks, clock)


@pytest.fixture
def receiver(free_port: int) -> Receiver:
    return Receiver(port=free_port)


def happens(core: Core, *kinds: str) -> None:
    for kind in kinds:
        core.write(
            lambda work, kind=kind: work.event(kind, Reason("story_session_closed")), by="op"
        )


def test_a_hold_is_told_with_a_signature_that_the_receiver_can_check(
    site: Site, receiver: Receiver
) -> None:
    site.core.receive(WATER, 5, location="A-01-1", by="op")
    made = site.webhooks.add(receiver.url, ["held", "blocked"], by="it")
    site.core.add_hold(HoldKind.BATCH, batch=WATER, reason=Reason("dent"), by="qa")
    site.sends(receiver)
    assert sorted(receiver.kinds) == ["stock.blocked", "stock.held"]
    for given, body in receiver.got:
        verify(given, body, made.secret, now=site.clock.now())
        assert given["host"] == f"127.0.0.1:{receiver.port}"
        said = json.loads(body)
        assert said["data"]["batch"]["lot"] == WATER.lot
        with pytest.raises(BadInputError, match="signature"):
            verify(given, body + b" ", made.secret, now=site.clock.now())
        with pytest.raises(BadInputError, match="signature"):
            verify(given, body, new_secret(), now=site.clock.now())
        with pytest.raises(BadInputError, match="old"):
            verify(given, body, made.secret, now=site.clock.now() + timedelta(minutes=6))
    assert site.webhooks.webhook(made.webhook.webhook_id).waiting == 0


def test_while_a_secret_changes_two_are_valid_and_never_three(
    site: Site, receiver: Receiver
) -> None:
    first = site.webhooks.add(receiver.url, ["*"], by="it")
    number = first.webhook.webhook_id
    second = site.webhooks.rotate(number, by="it")
    third = site.webhooks.rotate(number, by="it")
    happens(site.core, "held")
    site.sends(receiver)
    given, body = receiver.got[-1]
    assert len(given["webhook-signature"].split()) == 2
    for good in (second, third):
        verify(given, body, good.secret, now=site.clock.now())
    with pytest.raises(BadInputError):
        verify(given, body, first.secret, now=site.clock.now())
    site.passes(hours=25)
    happens(site.core, "held")
    site.sends(receiver)
    given, body = receiver.got[-1]
    verify(given, body, third.secret, now=site.clock.now())
    with pytest.raises(BadInputError):
        verify(given, body, second.secret, now=site.clock.now())


def test_what_was_refused_is_tried_again_later_with_the_same_id(
    site: Site, receiver: Receiver
) -> None:
    number = site.webhooks.add(receiver.url, ["held"], by="it").webhook.webhook_id
    happens(site.core, "held", "moved", "held")
    receiver.answers = [status(500, body=b"the cellar is full")]
    site.sends(receiver)
    assert len(receiver.got) == 2
    (failed,) = [m for m in site.webhooks.messages(number) if m.state is State.WAITING]
    assert (failed.last_status, failed.last_error) == (500, "the cellar is full")
    site.sends(receiver)
    assert len(receiver.got) == 2
    site.passes(minutes=1)
    site.sends(receiver)
    assert receiver.ids[2] == receiver.ids[0]
    assert {m.state for m in site.webhooks.messages(number)} == {State.DELIVERED}


def test_a_receiver_that_is_away_is_asked_once_a_round_not_once_a_message(
    site: Site, receiver: Receiver
) -> None:
    number = site.webhooks.add(receiver.url, ["*"], by="it").webhook.webhook_id
    happens(site.core, *["held"] * 10)
    site.finds_nobody()
    assert sorted(m.attempts for m in site.webhooks.messages(number)) == [0] * 9 + [1]
    site.passes(seconds=7)
    site.sends(receiver)
    positions = [json.loads(body)["data"]["position"] for _, body in receiver.got]
    assert len(positions) == 10
    assert positions == sorted(positions)


@on_one_database
def test_after_three_days_a_message_is_given_up_shown_and_can_be_tried_again(
    site: Site, receiver: Receiver
) -> None:
    number = site.webhooks.add(receiver.url, ["*"], by="it").webhook.webhook_id
    happens(site.core, "held")
    receiver.answers = [status(503)] * ATTEMPTS
    for _ in range(ATTEMPTS):
        site.sends(receiver)
        site.passes(hours=27)
    (dead,) = site.webhooks.messages(number, state=State.DEAD)
    assert site.webhooks.webhook(number).dead == 1
    assert dead.attempts == ATTEMPTS
    site.webhooks.retry(number, dead.message_id, by="it")
    with pytest.raises(ConflictError):
        site.webhooks.retry(number, dead.message_id, by="it")
    site.sends(receiver)
    assert site.webhooks.webhook(number).dead == 0


@on_one_database
def test_redirects_are_not_followed(site: Site, receiver: Receiver) -> None:
    number = site.webhooks.add(receiver.url, ["*"], by="it").webhook.webhook_id
    happens(site.core, "held")
    receiver.answers = [status(307, "location: http://169.254.169.254/latest\r\n")]
    site.sends(receiver)
    (message,) = site.webhooks.messages(number)
    assert message.last_status == 307
    assert "not followed" in message.last_error
    assert len(receiver.got) == 1


@on_one_database
def test_a_receiver_that_is_gone_gets_nothing_more(site: Site, receiver: Receiver) -> None:
    number = site.webhooks.add(receiver.url, ["*"], by="it").webhook.webhook_id
    happens(site.core, "held", "held")
    receiver.answers = [status(410)]
    site.sends(receiver)
    site.passes(days=1)
    site.sends(receiver)
    assert len(receiver.got) == 1
    assert site.webhooks.webhook(number).state == "gone"
    site.webhooks.set_state(number, "active", by="it")
    site.sends(receiver)
    assert len(receiver.got) >= 2


def test_a_replay_sends_again_under_the_same_ids(site: Site, receiver: Receiver) -> None:
    number = site.webhooks.add(receiver.url, ["held"], by="it").webhook.webhook_id
    begin = site.webhooks.webhook(number).position
    happens(site.core, "held", "held", "held")
    site.sends(receiver)
    first = json.loads(receiver.got[0][1])["data"]["position"]
    site.webhooks.replay(number, first, by="it")
    site.sends(receiver)
    assert receiver.ids[3:] == receiver.ids[1:3]
    site.webhooks.replay(number, begin, by="it")
    site.sends(receiver)
    assert receiver.ids[5:] == receiver.ids[:3]
    with pytest.raises(BadInputError, match="so far"):
        site.webhooks.replay(number, "f" * 32, by="it")


@on_one_database
def test_what_happened_before_a_webhook_was_made_or_while_it_was_paused(
    site: Site, receiver: Receiver
) -> None:
    happens(site.core, "held")
    number = site.webhooks.add(receiver.url, ["held"], by="it").webhook.webhook_id
    site.webhooks.set_state(number, "paused", by="it")
    happens(site.core, "held")
    site.sends(receiver)
    assert receiver.got == []
    site.webhooks.set_state(number, "active", by="it")
    site.sends(receiver)
    assert len(receiver.got) == 1
    site.webhooks.set_state(number, "removed", by="it")
    with pytest.raises(NotFoundError):
        site.webhooks.webhook(number)


def test_a_hub_killed_while_it_sends_leaves_the_message_to_the_next(
    site: Site, receiver: Receiver
) -> None:
    from erp_link.service.exchange.messages import claim

    site.webhooks.add(receiver.url, ["*"], by="it")
    happens(site.core, "held")
    while site.webhooks.project():
        pass
    lent = site.core.write(lambda work: claim(work, limit=10), by="hub that is killed")
    assert lent
    site.sends(receiver)
    assert receiver.got == []
    site.passes(minutes=3)
    site.sends(receiver)
    assert len(receiver.got) == len(lent)


@pytest.mark.parametrize("named", ["hook.example.com", "other.test"])
async def test_the_certificate_is_the_names_although_the_connection_goes_to_an_address(
    receiver: Receiver, tmp_path: Path, named: str
) -> None:
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate(tmp_path, named))
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    url = f"https://hook.example.com:{receiver.port}/x?y=1"
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port, ssl=server_tls)
    async with server, Sender(certificates=str(tmp_path / "tls.pem")) as sender:
        answer = await sender.post(LISTED.target(url, resolve), {"webhook-id": "m"}, b"{}")
    assert answer.is_taken is (named == "hook.example.com")
    assert asked == ["hook.example.com"]
    if answer.is_taken:
        assert receiver.got[0][0]["host"] == f"hook.example.com:{receiver.port}"
    else:
        assert "certificate" in answer.error.lower()


def certificate(folder: Path, name: str) -> Path:
    """Key and certificate of a server of that name, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


# Where messages may go


def resolving(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda host, port: list(addresses)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:10.0.0.5", "::ffff:127.0.0.1", "64:ff9b::a00:5", "2002:a00:5::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_however_it_is_written(address: str) -> None:
    with pytest.raises(BadInputError, match="not public"):
        Addresses().target("https://hook.example.com/x", resolving(address))
    with pytest.raises(BadInputError, match="not public"):
        Addresses().target("https://hook.example.com/x", resolving("93.184.215.14", address))


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    target = Addresses().target("https://hook.example.com:8443/x?y=1", resolve)
    assert (target.address, target.host, target.port) == ("93.184.215.14", "hook.example.com", 8443)
    assert asked == ["hook.example.com"]


def test_listed_networks_may_be_reached_also_without_tls() -> None:
    listed = Addresses.of(["10.1.2.0/24", "fd00:1::/64"])
    assert listed.target("http://erp.local/", resolving("10.1.2.9")).address == "10.1.2.9"
    assert listed.target("https://erp.local/", resolving("::ffff:10.1.2.9"))
    for wrong in ("10.1.3.9", "93.184.215.14"):
        with pytest.raises(BadInputError):
            listed.target("http://erp.local/", resolving(wrong))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https:///x", "https://u:p@example.com/",
        "https://example.com/#x", "file:///etc/passwd", "https://exa mple:99999999/", "",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be(url: str) -> None:
    with pytest.raises(BadInputError, match="webhook"):
        Addresses().check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "[::1]"])
def test_an_address_of_ones_own_is_refused_when_it_is_given(host: str) -> None:
    with pytest.raises(BadInputError, match="not public and not listed"):
        Addresses().check_url(f"https://{host}/hook")


def test_a_network_that_is_none() -> None:
    with pytest.raises(BadInputError, match="webhook_networks"):
        Addresses.of(["10.1.2.3/24"])


def test_public_is_public() -> None:
    assert is_public(ip_address("93.184.215.14"))
    assert is_public(ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))


@on_one_database
def test_topics_that_cannot_be(webhooks: Webhooks) -> None:
    with pytest.raises(BadInputError) as refused:
        webhooks.add("http://127.0.0.1:1/", ["shiped"], by="it")
    assert "Is shipped meant?" in refused.value.mend
    for topics in ([], ["held; drop"], [f"t{n}" for n in range(60)]):
        with pytest.raises(BadInputError, match="Topics"):
            webhooks.add("http://127.0.0.1:1/", topics, by="it")


def test_the_standards_own_example() -> None:
    """Standard Webhooks 1.0.0 gives this secret, id, time and body with its signature."""
    body = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    given = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )
    assert given["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@on_one_database
def test_secrets_are_worth_nothing_without_the_key(
    core: Core, webhooks: Webhooks, tmp_path: Path
) -> None:
    made = webhooks.add("http://127.0.0.1:1/", ["*"], by="it")
    assert (tmp_path / "exchange.key").stat().st_mode & 0o077 == 0
    other = Webhooks(core, addresses=LISTED, seal=Seal.open_or_create(tmp_path / "other.key"))
    with pytest.raises(NotFoundError, match="another key"):
        core.read(lambda c: other.secrets_of(c, made.webhook.webhook_id, core.clock.now()))
    again = Webhooks(core, addresses=LISTED, seal=Seal.open_or_create(tmp_path / "exchange.key"))
    kept = core.read(lambda c: again.secrets_of(c, made.webhook.webhook_id, core.clock.now()))
    assert kept == [made.secret]


def test_the_cursor_and_the_messages_are_one(site: Site, receiver: Receiver) -> None:
    number = site.webhooks.add(receiver.url, ["*"], by="it").webhook.webhook_id
    happens(site.core, "held")
    while site.webhooks.project():
        pass
    at = site.core.read(lambda c: feed.cursor(c, f"webhook/{number}"))
    assert at == site.core.read(feed.newest)
