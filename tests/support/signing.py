"""A person's signing key outside a browser: what WebCrypto does, done by `cryptography`."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from contracts.stock import UsageDecision
from erp_link.adapters.signatures import key_id, public_pem
from erp_link.domain.quality.statement import PURPOSE
from erp_link.service.quality.desk import DecisionRecord, Quality
from erp_link.service.quality.keys import PROOF


class Pen:
    """A key and whose it is."""

    def __init__(self, person: str) -> None:
        self.person = person
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = public_pem(self._key.public_key())
        self.key_id = key_id(self._key.public_key())

    def sign(self, message: bytes) -> str:
        """r and s side by side, hex, as a browser gives them."""
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return (r.to_bytes(32) + s.to_bytes(32)).hex()

    def proof(self) -> str:
        return self.sign(PROOF + self.person.encode())

    def registers(self, desk: Quality) -> Pen:
        desk.register_key(
            self.person, self.pem, label="a browser", proof=self.proof(), by=self.person
        )
        return self

    def signs(self, text: str) -> str:
        return self.sign(PURPOSE + text.encode())

    def decides(
        self, desk: Quality, ticket: str, decision: UsageDecision, **more: object
    ) -> DecisionRecord:
        """Looks at the ticket as it is now, and signs what they see."""
        more.setdefault("reason", "opened and looked")
        said = desk.statement(
            ticket, decision, signer=self.person, role="quality", key=self.key_id, **more
        )
        text = said.text()
        return desk.decide(text, self.signs(text), by=self.person, role="quality")
