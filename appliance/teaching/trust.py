"""The keys under which a station lets a profile judge, kept on its disk (I5, I6).

The site's quality key is learned from the hub over the device port and then pinned; keys of this
machine's own (a demonstration's, a laboratory's) lie beside it and are put there by hand only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.durable import write_atomic
from appliance.identity.keys import key_id, load_public_pem, public_pem
from appliance.teaching.signing import ProfileSignature, QualityKey, sign_profile, trusted
from contracts.errors import ArtefactRefusedError, BadInputError

log = structlog.get_logger()


class TrustedKeys:
    """A folder. `keys` answers from memory; `learn` and `forget` write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pinned_path = folder / "quality.json"
        self.pinned = self._load_pinned()
        self._local = self._load_local()

    def keys(self) -> dict[str, Ed25519PublicKey]:
        """By the name that a signature gives (`key_id`)."""
        known = dict(self._local)
        if self.pinned is not None:
            known[self.pinned.name] = self.pinned.key
        return known

    def learn(self, chain: Sequence[QualityKey]) -> bool:
        """Take over what the hub tells; True when the trusted key is another now.

        Raises ArtefactRefusedError for a key that nobody vouched for.
        """
        # A person at this machine may have forgotten it meanwhile, from the command line.
        self.pinned = self._load_pinned()
        try:
            key = trusted(self.pinned, chain)
        except BadInputError as error:
            raise ArtefactRefusedError(error.message, mend="Update the hub") from error
        if key is None or key == self.pinned:
            return False
        write_atomic(self._pinned_path, msgspec.json.encode(key), mode=0o600)
        self.pinned = key
        log.info("quality key trusted", key=key.name, holder=key.holder)
        return True

    def forget(self) -> QualityKey | None:
        """Trust the next key that the hub tells; gives the one that was trusted."""
        was, self.pinned = self.pinned, None
        self._pinned_path.unlink(missing_ok=True)
        return was

    def sign_here(self, said: ProfileSignature) -> ProfileSignature:
        """Sign with a key that is made for this one signature, trusted on this machine only and then
        gone: for a demonstration's profiles, which no quality lead has seen.
        """
        key = Ed25519PrivateKey.generate()
        public = key.public_key()
        name = key_id(public)
        path = self._folder / "local" / f"{name}.pem"
        write_atomic(path, public_pem(public).encode(), mode=0o600)
        self._local[name] = public
        return sign_profile(key, said)

    def _load_pinned(self) -> QualityKey | None:
        try:
            pinned = msgspec.json.decode(self._pinned_path.read_bytes(), type=QualityKey)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise BadInputError(
                f"{self._pinned_path} is no quality key: {error}",
                mend="Compare the key with the quality lead's, then: "
                "tallyman device forget-quality-key",
            ) from error
        _ = pinned.key
        return pinned

    def _load_local(self) -> dict[str, Ed25519PublicKey]:
        keys: dict[str, Ed25519PublicKey] = {}
        for path in sorted((self._folder / "local").glob("*.pem")):
            key = load_public_pem(path.read_text(), what=str(path))
            keys[key_id(key)] = key
        return keys
