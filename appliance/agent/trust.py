"""What a box trusts for its sets: the first root of the image plane and the director's key.

Both come from the hub over TLS by the site's device CA, which the box pinned at its enrolment. The
root is taken once and then kept: later ones must follow from it by signatures of its holders. The
director's key counts while the device CA certifies it for this one purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.agent.hub import PATH, DeviceHub
from appliance.identity.certificates import certified_key, service_uri
from contracts.errors import NotFoundError, UnavailableError
from ota.agent.files import Files, write_whole
from ota.agent.sets.first_root import is_root
from ota.agent.settings import Trust

DIRECTOR = "director"
_ROOT, _KEY = "trust/1.root.json", "trust/director.crt"
_MOST = 1 << 20
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TrustFolder:
    """Below the agent's folder. `ca_pem` is the site's device CA."""

    files: Files
    ca_pem: str

    def read(self) -> Trust:
        """As far as there is something; an empty root trusts no set at all."""
        certificate = self._text(_KEY)
        key = (
            certified_key(certificate, self.ca_pem, uri=service_uri(DIRECTOR))
            if certificate
            else None
        )
        raw = {} if key is None else {DIRECTOR: key.public_bytes(Encoding.Raw, PublicFormat.Raw)}
        return Trust(self._root(), raw)

    async def fetch(self, hub: DeviceHub) -> bool:
        """Ask the hub for what may be new; True where something is. Raises what `hub.ask` raises."""
        changed = False
        answer = await hub.ask("GET", f"{PATH}/director", most=_MOST)
        pem = answer.body.decode(errors="replace")
        known = certified_key(pem, self.ca_pem, uri=service_uri(DIRECTOR)) is not None
        if known and pem != self._text(_KEY):
            write_whole(self.files, _KEY, answer.body)
            changed = True
        if not self._root():
            try:
                root = await hub.ask("GET", f"{PATH}/root", most=_MOST)
            except (NotFoundError, UnavailableError):
                # The site has made no keys yet: its boxes run what they were installed with.
                return changed
            if not is_root(root.body):
                # Broken off on the way, for one: what is kept once is never asked for again.
                log.warning("the hub's first root is none", bytes=len(root.body), whole=root.whole)
                return changed
            write_whole(self.files, _ROOT, root.body)
            changed = True
        return changed

    def _root(self) -> bytes:
        kept = self._bytes(_ROOT)
        return kept if is_root(kept) else b""

    def _bytes(self, name: str) -> bytes:
        try:
            return self.files.read(name)
        except FileNotFoundError:
            return b""

    def _text(self, name: str) -> str:
        return self._bytes(name).decode(errors="replace")
