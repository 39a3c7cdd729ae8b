"""Publishers for tests of an MQTT endpoint: they say exactly what they are told to say."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telemetry.mqtt.decoding import decode, split
from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import V5, ConnAck, Connect, Packet, Will

WITHIN_S = 60


class Publisher:
    """One connection, packet by packet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.version = V5
        self._data = b""

    @classmethod
    async def dial(cls, port: int, tls: ssl.SSLContext | None = None) -> Self:
        name = "localhost" if tls is not None else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name))

    async def greet(
        self,
        device: str = "tester",
        *,
        client_id: str | None = None,
        version: int = V5,
        password: bytes | None = b"open",
        will: Will | None = None,
        keep_alive_s: int = 60,
        clean_start: bool = True,
    ) -> ConnAck:
        self.version = version
        name = device if client_id is None else client_id
        hello = Connect(name, version, clean_start, keep_alive_s, device or None, password, will)
        self.say(hello)
        answer = await self.hear()
        assert isinstance(answer, ConnAck)
        return answer

    def say(self, *packets: Packet) -> None:
        self.raw(b"".join(encode(packet, self.version) for packet in packets))

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self) -> Packet | None:
        """The next packet; None when the endpoint has closed."""
        while True:
            span = split(self._data, 0, len(self._data), 1 << 20)
            if span is not None and span.end <= len(self._data):
                body = self._data[span.start : span.end]
                self._data = self._data[span.end :]
                return decode(span.first, body, self.version)
            try:
                more = await asyncio.wait_for(self.reader.read(65_536), WITHIN_S)
            except ConnectionError:
                return None
            if not more:
                return None
            self._data += more

    async def hear_all(self) -> list[Packet]:
        """Until the endpoint closes."""
        heard: list[Packet] = []
        while (packet := await self.hear()) is not None:
            heard.append(packet)
        return heard

    def hang_up(self) -> None:
        """Without a word."""
        self.writer.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)


class Authority:
    """Issues certificates for one test's endpoint and its devices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plant authority")])
        self.pem = folder / "authority.pem"
        certificate = self._certificate(self.name, self.key, None, authority=True)
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._issue("localhost"))
        context.load_verify_locations(self.pem)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, device: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pem))
        if device is not None:
            context.load_cert_chain(*self._issue(device))
        return context

    def _issue(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key, name, authority=False)
        pem, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pem, secret

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        name: str | None,
        *,
        authority: bool,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if authority:
            usage = dict.fromkeys(
                (
                    "digital_signature", "content_commitment", "key_encipherment",
                    "data_encipherment", "key_agreement", "crl_sign", "encipher_only",
                    "decipher_only",
                ),
                False,
            )  # fmt: skip
            builder = builder.add_extension(
                x509.KeyUsage(key_cert_sign=True, **usage), critical=True
            )
        if name is not None:
            names: list[x509.GeneralName] = [
                x509.DNSName(name),
                x509.UniformResourceIdentifier(f"urn:tallyman:{name}"),
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())
